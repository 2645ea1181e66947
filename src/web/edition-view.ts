import type { App } from '../app.ts'
import type { Digest } from '../editions/digest.ts'
import { isPaused } from '../editions/review.ts'
import { chosenOf, passedOver } from '../store/editions.ts'
import { pullsOf } from '../store/pulls.ts'
import type { EditionRow, EditionStatus, PullRow } from '../store/schema.ts'
import { counted, letterFrom, momentWriter } from './words.ts'

/** What the buttons can do in which state; the rules themselves are in `editions/review.ts`. */
const abilities: Record<'approve' | 'hold' | 'cancel' | 'stopSending' | 'pull', EditionStatus[]> = {
  approve: ['sealed', 'held'],
  hold: ['sealed'],
  cancel: ['composed', 'sealed', 'approved', 'held', 'sending'],
  stopSending: ['approved', 'sending'],
  pull: ['composed', 'sealed', 'approved', 'held', 'sending', 'sent'],
}

export function abilitiesOf(edition: EditionRow) {
  const { status } = edition
  const resume = isPaused(edition)
  return {
    approve: abilities.approve.includes(status) && !resume,
    hold: abilities.hold.includes(status),
    cancel: abilities.cancel.includes(status),
    stopSending: abilities.stopSending.includes(status),
    resume,
    pull: abilities.pull.includes(status),
    none: !abilities.cancel.includes(status),
  }
}

type Choice = Awaited<ReturnType<typeof chosenOf>>[number]

/** Of the articles that an edition passed over, the page lists so many; the rest is a number. */
const maxPassedOver = 200

/** The articles that the edition holds, section by section in order, and the newest that it passed over; each with its reason. */
export async function articlesOf(
  { db }: App,
  edition: EditionRow,
  digest: Digest | undefined,
  typed: { article: string; reason: string },
) {
  const chosen = await chosenOf(db, edition.id)
  const passed = await passedOver(db, edition.id, maxPassedOver)
  const pulls = await pullsOf(
    db,
    [...chosen, ...passed.rows].map(({ articleId }) => articleId),
  )
  const moment = momentWriter(digest?.zone)
  const mayPull = abilitiesOf(edition).pull
  const toItem = ({ articleId, kind, place, title, url, source, author, publishedAt, reason, ...choice }: Choice) => ({
    id: articleId,
    pulled: toPulled(pulls.get(articleId)),
    mayPull: mayPull && choice.position !== null && !pulls.has(articleId),
    isOpen: typed.article === articleId,
    typed: typed.article === articleId ? typed.reason : '',
    title: title || url,
    url: /^https?:/i.test(url) ? url : '',
    from: kind === 'letter' ? letterFrom(author, place) : [source, author].filter(Boolean).join(' · '),
    published: publishedAt === null ? [] : [moment(publishedAt)],
    reason,
    section: sectionTitle(digest, choice.section),
  })
  const names = inOrder(digest, chosen)
  const sections = names.map((name) => ({
    title: sectionTitle(digest, name),
    articles: chosen.filter((choice) => choice.section === name).map(toItem),
  }))
  const unlisted = passed.count - passed.rows.length
  return {
    sections,
    passedOver: passed.rows.map(toItem),
    passedOverCount: passed.count,
    passedOverMore: unlisted > 0 ? counted(unlisted, 'more article') : '',
    chosenCount: chosen.length,
  }
}

function toPulled(pull: PullRow | undefined) {
  return pull ? [{ who: pull.who, reason: pull.reason }] : []
}

/** The sections of the digest as its file has them, then any that the file has lost since. */
function inOrder(digest: Digest | undefined, chosen: Choice[]): string[] {
  const used = new Set(chosen.map((choice) => choice.section))
  const known = (digest?.sections ?? []).map((section) => section.name).filter((name) => used.has(name))
  return [...new Set([...known, ...used])]
}

function sectionTitle(digest: Digest | undefined, name: string): string {
  return digest?.sections.find((section) => section.name === name)?.title ?? name
}
