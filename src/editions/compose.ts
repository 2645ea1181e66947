import type { Clock, Instant } from '../clock.ts'
import { articlesByIds, type Candidate, pendingArticles } from '../store/articles.ts'
import { correctionsToPrint } from '../store/corrections.ts'
import { lockDigest } from '../store/digests.ts'
import {
  addChoices,
  addEdition,
  choicesOf,
  dropChoices,
  editionById,
  moveEdition,
  nextNumber,
  note,
} from '../store/editions.ts'
import { editionId } from '../store/id.ts'
import type { Db, EditionRow } from '../store/schema.ts'
import { transaction } from '../store/transaction.ts'
import { keySlot } from '../subscribers/token.ts'
import type { Digest } from './digest.ts'
import type { Draft } from './edition.ts'
import { enrolArticles } from './enrol.ts'
import { type Choice, select } from './select.ts'
import { type Thin, thinReason } from './thin.ts'

export type ComposeNeeds = { db: Db; clock: Clock; secret: string }

/**
 * Makes the edition that the digest owes at `dueAt`: chooses, and writes edition and choices in one transaction.
 * A thin edition is skipped or held by rule, with the reason. Undefined: somebody made that edition already.
 */
export async function compose(needs: ComposeNeeds, digest: Digest, dueAt: Instant): Promise<EditionRow | undefined> {
  const { db, clock } = needs
  await enrolArticles(needs, digest)
  const now = clock.now()
  const choices = select(await candidates(db, digest), digest, now)
  const thin = await thinReason(db, digest, choices, now)
  return await transaction(db, async (trx) => {
    await lockDigest(trx, digest.name, now) // two editions at once must not take the same number
    const edition = await draftRow(trx, needs, digest, dueAt, thin)
    if (!(await addEdition(trx, edition))) return undefined
    await writeChoices(trx, edition, choices)
    await note(trx, edition.id, 'lastword', thin?.reason ?? `composed with ${heldText(choices)}`, now)
    return edition
  })
}

/** The same choice, kept nowhere: what would be composed now. */
export async function composeDry(
  needs: ComposeNeeds,
  digest: Digest,
): Promise<{ draft: Draft; choices: Choice[]; thin: string | undefined }> {
  const { db, clock } = needs
  await enrolArticles(needs, digest)
  const now = clock.now()
  const choices = select(await candidates(db, digest), digest, now)
  const number = await nextNumber(db, digest.name)
  const corrections = await correctionsToPrint(db, digest.name)
  const draft = dryDraft(needs, digest, { dueAt: now, number, choices, corrections })
  return { draft, choices, thin: (await thinReason(db, digest, choices, now))?.reason }
}

/** A draft of a choice that is kept nowhere. */
export function dryDraft(
  { clock, secret }: Pick<ComposeNeeds, 'clock' | 'secret'>,
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
): Draft {
  const edition = { ...blankEdition(secret, digest, dueAt, clock.now()), number }
  return { edition, digest, sections: sectionsOf(digest, choices), corrections, slot: keySlot(secret, edition.id) }
}

/** Chooses again for an edition whose articles went elsewhere, or turned out to be gone, before it was sealed; it may be thin now. */
export async function chooseAgain({ db, clock }: ComposeNeeds, edition: EditionRow, digest: Digest): Promise<void> {
  await transaction(db, async (trx) => {
    const choices = select(await candidates(trx, digest, edition.composedAt), digest, clock.now())
    const thin = await thinReason(trx, digest, choices, clock.now())
    const status = thin?.rule === 'skip' ? ('skipped' as const) : ('composed' as const)
    const reason = recorded(thin)
    if (!(await moveEdition(trx, edition.id, ['composed'], { status, reason }))) return // sealed elsewhere meanwhile
    await dropChoices(trx, edition.id)
    await writeChoices(trx, { ...edition, status }, choices)
    await note(trx, edition.id, 'lastword', `chosen again: ${thin?.reason ?? heldText(choices)}`, clock.now())
  })
}

/**
 * The edition with its chosen articles in their newest wording, section by section; sections without any are left out.
 * With it go the corrections that an editor has accepted by now.
 */
export async function draftOf({ db, secret }: ComposeNeeds, id: string, digest: Digest): Promise<Draft | undefined> {
  const edition = await editionById(db, id)
  if (edition?.number == null) return undefined
  const rows = (await choicesOf(db, id)).filter((row) => row.position !== null)
  const articles = await articlesByIds(
    db,
    rows.map((row) => row.articleId),
  )
  const byId = new Map(articles.map((article) => [article.id, article]))
  const choices = rows.flatMap(({ articleId, section, position, reason }) => {
    const article = byId.get(articleId)
    return article ? [{ article, section, position, reason }] : []
  })
  const sections = sectionsOf(digest, choices)
  const corrections = await correctionsToPrint(db, digest.name)
  return { edition: { ...edition, number: edition.number }, digest, sections, corrections, slot: keySlot(secret, id) }
}

function sectionsOf(digest: Digest, choices: Choice[]): Draft['sections'] {
  return digest.sections.flatMap((section) => {
    const articles = chosen(choices)
      .filter((choice) => choice.section === section.name)
      .toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0))
      .map((choice) => choice.article)
    return articles.length > 0 || section.layout === 'have-your-say' ? [{ section, articles }] : []
  })
}

function chosen(choices: Choice[]): Choice[] {
  return choices.filter((choice) => choice.position !== null)
}

/** "5 articles", "5 articles and 1 letter". */
function heldText(choices: Choice[]): string {
  const [letters, articles] = [chosen(choices).filter(({ article }) => article.letter).length, chosen(choices).length]
  return `${articles - letters} articles${letters > 0 ? ` and ${letters} ${letters === 1 ? 'letter' : 'letters'}` : ''}`
}

/** What an edition may choose. A page that was gone before is tried again, but not twice for one edition. */
async function candidates(db: Db, digest: Digest, cutSince?: Instant): Promise<Candidate[]> {
  const pending = await pendingArticles(db, digest.name)
  return pending.map(({ cut, ...article }) =>
    cut && cutSince !== undefined && cut.at >= cutSince ? { ...article, cut } : article,
  )
}

/** An edition with a reason is skipped, or held when it is sealed. */
function recorded(thin: Thin | undefined): string | null {
  return thin === undefined || thin.rule === 'send' ? null : thin.reason
}

async function draftRow(
  db: Db,
  { clock, secret }: ComposeNeeds,
  digest: Digest,
  dueAt: Instant,
  thin: Thin | undefined,
): Promise<EditionRow> {
  return {
    ...blankEdition(secret, digest, dueAt, clock.now()),
    number: thin?.rule === 'skip' ? null : await nextNumber(db, digest.name),
    status: thin?.rule === 'skip' ? 'skipped' : 'composed',
    reason: recorded(thin),
  }
}

/** The edition that the digest owes at `dueAt`, with nothing in it yet. */
export function blankEdition(secret: string, digest: Digest, dueAt: Instant, composedAt: Instant): EditionRow {
  const id = editionId(secret, digest.name, dueAt)
  const never = { sealedAt: null, approvedAt: null, audienceAt: null, finishedAt: null }
  const empty = { number: null, status: 'composed' as const, reason: null, subject: '', preheader: '' }
  return { id, ref: id.slice(-8), digest: digest.name, dueAt, composedAt, ...empty, ...never }
}

/** A skipped edition chose nothing: what it would have held stays pending, and the record says so. */
async function writeChoices(db: Db, edition: EditionRow, choices: Choice[]): Promise<void> {
  const skipped = edition.status === 'skipped'
  const rows = choices.map(({ article, section, position, reason }) => ({
    editionId: edition.id,
    articleId: article.id,
    section,
    position: skipped ? null : position,
    reason: skipped && position !== null ? 'the edition was skipped; the article stays pending' : reason,
  }))
  await addChoices(db, rows)
}
