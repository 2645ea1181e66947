import type { App } from '../../../app.ts'
import { describeLine } from '../../../describe/describe.ts'
import type { Digest } from '../../../editions/digest.ts'
import { possibleDuplicatesIn } from '../../../editions/stories/possible-duplicates.ts'
import { retractionsOf } from '../../../store/articles/retractions.ts'
import { openStatuses } from '../../../store/edition-status.ts'
import { chosenOf, countPassedOver, passedOverOf } from '../../../store/editions/choices.ts'
import type { Reason } from '../../../store/events/reason.ts'
import type { EditionRow, EditionStatus, RetractionRow } from '../../../store/schema.ts'
import { letterByline, momentFormatter } from '../../format.ts'
import { type ArticleForms, articleEditForm } from './edition-edits.ts'
import { sectionTitle, withSectionTitles } from './section-titles.ts'

/** The statuses in which each button is shown; `editions/review/` enforces the rules. */
const abilities: Record<'approve' | 'hold' | 'cancel' | 'stopSending' | 'resume' | 'pull', EditionStatus[]> = {
  approve: ['sealed', 'held'],
  hold: ['composed', 'sealed'],
  cancel: openStatuses,
  stopSending: ['approved', 'sending'],
  resume: ['paused'],
  pull: [...openStatuses, 'sent'],
}

export function abilitiesOf({ status }: EditionRow) {
  return {
    approve: abilities.approve.includes(status),
    hold: abilities.hold.includes(status),
    cancel: abilities.cancel.includes(status),
    stopSending: abilities.stopSending.includes(status),
    resume: abilities.resume.includes(status),
    pull: abilities.pull.includes(status),
    none: !abilities.cancel.includes(status),
  }
}

type Choice = Awaited<ReturnType<typeof chosenOf>>[number]

const passedOverPerPage = 100

/**
 * The included articles by section, in order, and one page of those not included, each with its reason. `page` counts
 * from 1; a page after the last is empty.
 */
export async function articlesOf(
  { db }: App,
  edition: EditionRow,
  digest: Digest | undefined,
  {
    typed,
    page,
    forms,
  }: { typed: { article: string; reason: string }; page: number; forms?: ArticleForms | undefined },
) {
  const chosen = await chosenOf(db, edition.id)
  const skip = (page - 1) * passedOverPerPage
  const passed = await passedOverOf(db, edition.id, { skip, limit: passedOverPerPage })
  const pulls = await retractionsOf(
    db,
    [...chosen, ...passed].map(({ itemId }) => itemId),
  )
  const duplicates = await possibleDuplicatesIn(db, edition)
  const moment = momentFormatter(digest?.zone)
  const mayPull = abilitiesOf(edition).pull
  const toItem = ({ itemId, kind, place, title, url, source, author, publishedAt, reason, ...choice }: Choice) => ({
    id: itemId,
    pulled: toPulled(pulls.get(itemId)),
    mayPull: mayPull && choice.position !== null && !pulls.has(itemId),
    edit: pulls.has(itemId)
      ? []
      : articleEditForm(forms, {
          id: itemId,
          isChosen: choice.position !== null,
          isLetter: kind === 'letter',
          section: choice.section,
        }),
    isOpen: typed.article === itemId,
    typed: typed.article === itemId ? typed.reason : '',
    title: title || url,
    url: /^https?:/i.test(url) ? url : '',
    from: kind === 'letter' ? letterByline(author, place) : [source, author].filter(Boolean).join(' · '),
    published: publishedAt === null ? [] : [moment(publishedAt)],
    reason: describeLine(withSectionTitles(reason, digest)),
    duplicate: toDuplicate(duplicates.get(itemId), edition),
    section: sectionTitle(digest, choice.section),
  })
  const names = sectionNamesInOrder(digest, chosen)
  const sections = names.map((name) => ({
    title: sectionTitle(digest, name),
    articles: chosen.filter((choice) => choice.section === name).map(toItem),
  }))
  const passedOverCount = await countPassedOver(db, edition.id)
  return {
    sections,
    passedOver: passed.map(toItem),
    passedFrom: skip + 1,
    passedTo: skip + passed.length,
    isPassedPaged: passedOverCount > passedOverPerPage,
    hasMorePassed: skip + passed.length < passedOverCount,
    chosenCount: chosen.length,
    passedOverCount,
  }
}

/** The article that this one may repeat, in words. */
function toDuplicate(reason: Reason | undefined, { status }: EditionRow) {
  return reason ? [{ words: describeLine(reason), mayDecide: openStatuses.includes(status) }] : []
}

function toPulled(pull: RetractionRow | undefined) {
  return pull ? [{ who: pull.who, reason: pull.reason }] : []
}

/** The sections in the order of the job file, then those that the file no longer has. */
function sectionNamesInOrder(digest: Digest | undefined, chosen: Choice[]): string[] {
  const used = new Set(chosen.map((choice) => choice.section))
  const known = (digest?.sections ?? []).map((section) => section.name).filter((name) => used.has(name))
  return [...new Set([...known, ...used])]
}
