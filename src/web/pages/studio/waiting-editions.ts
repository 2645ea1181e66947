import { describeLine } from '../../../describe/describe.ts'
import { countDeliveries } from '../../../store/deliveries/deliveries.ts'
import { type ChosenCounts, countChosen } from '../../../store/editions/choices.ts'
import { editionsByStatus } from '../../../store/editions/editions.ts'
import type { EventKind } from '../../../store/events/event.ts'
import { editionEvents } from '../../../store/events/events.ts'
import type { EditionRow } from '../../../store/schema.ts'
import { countActive } from '../../../store/subscribers/subscribers.ts'
import { formatCount } from '../../../text/words.ts'
import type { Instant } from '../../../time/clock.ts'
import { articlesAndLetters, deliveryView, editionTitle, momentFormatter } from '../../format.ts'
import type { Web } from '../../response.ts'
import { pathTo, urls } from '../../urls.ts'
import { statusNow } from './edition-status.ts'
import { withSectionTitles } from './section-titles.ts'

/**
 * The editions that wait for an editor, by digest, newest first: they need approval, are on hold or paused. Leaves out
 * ready editions of digests that approve automatically.
 */
export async function waitingEditions(web: Web) {
  const waiting = (await editionsByStatus(web.app.db, ['sealed', 'held', 'paused'])).filter(
    ({ status, digest }) => status !== 'sealed' || findDigest(web, digest)?.approval !== 'auto',
  )
  const chosen = await countChosen(
    web.app.db,
    waiting.map(({ id }) => id),
  )
  const digests = [...Map.groupBy(waiting, ({ digest }) => digest)]
  return await Promise.all(
    digests.map(async ([name, rows]) => ({
      title: findDigest(web, name)?.title ?? name,
      several: rows.length > 1 ? `${formatCount(rows.length, 'edition')} are waiting. The newest comes first.` : '',
      editions: await Promise.all(
        rows.toReversed().map((row, index) => toWaiting(web, row, rows.length > 1 && index === 0, chosen.get(row.id))),
      ),
    })),
  )
}

async function toWaiting(web: Web, edition: EditionRow, isNewest: boolean, chosen: ChosenCounts | undefined) {
  const { app, base } = web
  const digest = findDigest(web, edition.digest)
  const moment = momentFormatter(digest?.zone)
  const counts = await countDeliveries(app.db, edition.id)
  const { total } = deliveryView(counts)
  const people = total > 0 ? '' : formatCount(await countActive(app.db, edition.digest), 'person', 'people')
  return {
    href: base + pathTo(urls.studioEdition, edition.id),
    name: editionTitle(edition, digest),
    subject: edition.subject,
    isNewest,
    status: await statusNow(app, edition, counts),
    reason: edition.reason ? describeLine(withSectionTitles(edition.reason, digest)) : '',
    people: people && `Will be sent to ${people}.`, // a half-sent edition says how far it got instead
    articles: articlesAndLetters(chosen),
    due: moment(edition.dueAt),
    since: moment(await waitingSince(web, edition)),
  }
}

const stoppingKinds: EventKind[] = ['edition.held', 'edition.paused', 'edition.article_retracted']

/** When it was made ready, or last held or paused. */
async function waitingSince({ app }: Web, edition: EditionRow): Promise<Instant> {
  const ready = edition.sealedAt ?? edition.composedAt
  if (edition.status === 'sealed') return ready
  const stopped = (await editionEvents(app.db, edition.id)).findLast(({ kind }) => stoppingKinds.includes(kind))
  return stopped?.at ?? ready
}

function findDigest({ app }: Web, name: string) {
  return app.digests.find((one) => one.name === name)
}
