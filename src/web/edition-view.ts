import type { App } from '../app.ts'
import type { Digest } from '../editions/digest.ts'
import { choicesOf } from '../store/editions.ts'
import type { EditionRow, EditionStatus } from '../store/schema.ts'
import { letterFrom, momentWriter } from './words.ts'

/** What the buttons can do in which state; the rules themselves are in `editions/review.ts`. */
const abilities: Record<'approve' | 'hold' | 'cancel', EditionStatus[]> = {
  approve: ['sealed', 'held'],
  hold: ['sealed', 'approved'],
  cancel: ['composed', 'sealed', 'approved', 'held', 'sending'],
}

export function abilitiesOf({ status }: EditionRow) {
  return {
    approve: abilities.approve.includes(status),
    hold: abilities.hold.includes(status),
    cancel: abilities.cancel.includes(status),
    none: !Object.values(abilities).some((states) => states.includes(status)),
  }
}

type Choice = Awaited<ReturnType<typeof choicesOf>>[number]

/** The articles that the edition holds, section by section in order, and those it passed over; each with its reason. */
export async function articlesOf({ db }: App, edition: EditionRow, digest: Digest | undefined) {
  const choices = await choicesOf(db, edition.id)
  const moment = momentWriter(digest?.zone)
  const toItem = ({ kind, place, title, url, source, author, publishedAt, reason, section }: Choice) => ({
    title: title || url,
    url: /^https?:/i.test(url) ? url : '',
    from: kind === 'letter' ? letterFrom(author, place) : [source, author].filter(Boolean).join(' · '),
    published: publishedAt === null ? [] : [moment(publishedAt)],
    reason,
    section: sectionTitle(digest, section),
  })
  const chosen = choices.filter((choice) => choice.position !== null)
  const names = inOrder(digest, chosen)
  const sections = names.map((name) => ({
    title: sectionTitle(digest, name),
    articles: chosen.filter((choice) => choice.section === name).map(toItem),
  }))
  const passedOver = choices.filter((choice) => choice.position === null).map(toItem)
  return { sections, passedOver, chosenCount: chosen.length, passedOverCount: passedOver.length }
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
