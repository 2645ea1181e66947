import { keySlot } from '../../mail/keys.ts'
import { articlesByIds } from '../../store/articles/articles.ts'
import { correctionsToPrint } from '../../store/corrections/corrections.ts'
import { chosenOf } from '../../store/editions/choices.ts'
import { editionById } from '../../store/editions/editions.ts'
import { lettersByIds } from '../../store/letters/letters.ts'
import type { Db } from '../../store/schema.ts'
import type { Clock, Instant } from '../../time/clock.ts'
import { type Choice, chosenOnly, itemOf } from '../choice/choice.ts'
import type { Digest } from '../digest.ts'
import type { Draft, DraftItem } from '../edition.ts'
import { applyEdits } from '../edits/apply-edits.ts'
import { ownEdits } from '../edits/load-edits.ts'
import { addOtherCoverage } from './also-covered-by.ts'
import { blankEdition } from './blank-edition.ts'

export type ComposeNeeds = { db: Db; clock: Clock; secret: string }

/** Builds a draft from choices without storing an edition. */
export async function dryRunDraft(
  { db, clock, secret }: ComposeNeeds,
  digest: Digest,
  {
    dueAt,
    number,
    choices,
    corrections,
  }: Pick<Draft, 'corrections'> & {
    dueAt: Instant
    number: number
    choices: Choice[]
  },
): Promise<Draft> {
  const edition = { ...blankEdition(secret, digest, dueAt, clock.now()), number }
  const places = chosenOnly(choices).map((choice) => ({ ...choice, itemId: itemOf(choice).id }))
  const sections = await sectionsOf(db, digest, places)
  return { edition, digest, sections, corrections, slot: keySlot(secret, edition.id) }
}

/**
 * Loads an edition with its chosen items in their newest text, by section, the accepted corrections and the edits.
 * Empty sections are left out; undefined for an edition without a number.
 */
export async function draftOf({ db, secret }: ComposeNeeds, id: string, digest: Digest): Promise<Draft | undefined> {
  const edition = await editionById(db, id)
  if (edition?.number == null) return undefined
  const rows = await chosenOf(db, id)
  const sections = await sectionsOf(db, digest, rows)
  const corrections = await correctionsToPrint(db, digest.name)
  const slot = keySlot(secret, id)
  const draft = { edition: { ...edition, number: edition.number }, digest, sections, corrections, slot }
  return applyEdits(draft, await ownEdits(db, id))
}

type Place = { itemId: string; section: string; position: number | null }

async function sectionsOf(db: Db, digest: Digest, places: Place[]): Promise<Draft['sections']> {
  const items = await loadItems(
    db,
    places.map(({ itemId }) => itemId),
  )
  const sections: Draft['sections'] = []
  for (const section of digest.sections) {
    const held = places
      .filter((place) => place.section === section.name)
      .toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0))
      .flatMap(({ itemId }) => items.get(itemId) ?? [])
    if (held.length === 0 && section.layout !== 'have-your-say') continue
    sections.push({ section, items: section.alsoCoveredBy ? await addOtherCoverage(db, digest.name, held) : held })
  }
  return sections
}

async function loadItems(db: Db, ids: string[]): Promise<Map<string, DraftItem>> {
  const items = new Map<string, DraftItem>()
  for (const article of await articlesByIds(db, ids)) items.set(article.id, { kind: 'article', article })
  for (const letter of await lettersByIds(db, ids)) items.set(letter.id, { kind: 'letter', letter })
  return items
}
