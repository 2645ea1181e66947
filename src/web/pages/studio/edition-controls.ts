import type { Digest } from '../../../editions/digest.ts'
import { currentRevision, EditionChanged, formatRevision } from '../../../editions/review/revision.ts'
import { retractedIn } from '../../../store/articles/retractions.ts'
import { countDeliveries, type DeliveryCounts } from '../../../store/deliveries/deliveries.ts'
import type { PastEvent } from '../../../store/events/event.ts'
import type { EditionRow } from '../../../store/schema.ts'
import { countActive } from '../../../store/subscribers/subscribers.ts'
import { formatCount, formatNumber } from '../../../text/words.ts'
import { sentence } from '../../failure.ts'
import { deliveryView, sinceFormatter } from '../../format.ts'
import type { Fields, Web } from '../../response.ts'
import { pathTo, urls } from '../../urls.ts'
import { abilitiesOf } from './edition-articles.ts'
import { changeSentence } from './edition-history.ts'
import { statusNow } from './edition-status.ts'
import { withSectionTitles } from './section-titles.ts'

export type EditionAction = 'approve' | 'stop' | 'cancel' | 'resume' | 'pull' | 'restore' | 'edit' | 'undo'

/** A refused decision: `lead` says that nothing was changed, `message` why; `typed` is shown again. */
export type RefusalView = {
  act: EditionAction
  lead: string
  message: string
  hint: string
  typed: Fields
  again: RetryForm[]
}

/** A form that repeats the decision for the current revision of the edition. */
type RetryForm = { action: string; button: string; fields: { name: string; value: string }[] }

/** What an editor can do with the edition now, and how many people get it. */
export async function controlsOf({ app, base }: Web, edition: EditionRow, counts?: DeliveryCounts) {
  const deliveries = counts ?? (await countDeliveries(app.db, edition.id))
  const { total } = deliveryView(deliveries)
  const people = total > 0 ? total : await countActive(app.db, edition.digest)
  const may = abilitiesOf(edition)
  const link = (url: Parameters<typeof pathTo>[0]) => base + pathTo(url, edition.id)
  const pulled = may.resume ? (await retractedIn(app.db, edition.id)).map(({ title }) => `“${title}”`) : []
  const waiting = total > 0 ? deliveries.queued + deliveries.deferred + deliveries.sending : people
  return {
    may,
    seen: formatRevision(await currentRevision(app.db, edition)),
    status: await statusNow(app, edition, deliveries),
    isOut: edition.status === 'approved' || edition.status === 'sending',
    people: formatCount(people, 'person', 'people'),
    waiting: formatNumber(waiting),
    pulled: pulled.join(', '),
    removed: pulled.length > 1 ? 'removed articles' : 'removed article',
    links: {
      approval: link(urls.approval),
      stop: link(urls.stop),
      cancellation: link(urls.cancellation),
      resumption: link(urls.resumption),
    },
  }
}

export type Controls = Awaited<ReturnType<typeof controlsOf>>

/** Why a decision was refused. If the edition has changed since: who changed what, and a form to decide again. */
export function refusalView(
  { app }: Web,
  refused: { act: EditionAction; error: Error & { hint?: string | undefined }; typed: Fields; staff: string },
  controls: Controls,
  digest: Digest | undefined,
): RefusalView {
  const { act, error, typed, staff } = refused
  if (!(error instanceof EditionChanged))
    return {
      act,
      lead: 'Nothing was changed.',
      message: sentence(error.message),
      hint: error.hint ?? '',
      typed,
      again: [],
    }
  const since = sinceFormatter(digest?.zone, app.clock.now())
  const describeChange = (entry: PastEvent) => changeSentence(withSectionTitles(entry, digest), since(entry.at), staff)
  const lead = 'Nothing was changed, because the edition changed after you looked at it.'
  const message = error.changes.map(describeChange).join(' ')
  const hint = `It is ${controls.status.word.toLowerCase()} now.`
  return { act, lead, message, hint, typed, again: retryForms(act, typed, controls) }
}

function retryForms(act: EditionAction, typed: Fields, { may, seen, people, links, pulled }: Controls): RetryForm[] {
  const fields = [{ name: 'seen', value: seen }]
  const confirmed = { name: 'confirm', value: 'yes' }
  if (act === 'approve' && may.approve) {
    const button = `Approve and send to ${people} anyway`
    return [{ action: links.approval, button, fields: [...fields, confirmed] }]
  }
  if (act === 'resume' && may.resume && pulled === '')
    return [{ action: links.resumption, button: 'Resume sending anyway', fields }]
  const { reason = '', confirm } = typed
  if (act === 'cancel' && may.cancel && reason !== '' && confirm === 'yes') {
    const all = [...fields, confirmed, { name: 'reason', value: reason }]
    return [{ action: links.cancellation, button: 'Cancel this edition anyway', fields: all }]
  }
  return []
}
