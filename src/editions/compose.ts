import { keySlot } from '../mail/keys.ts'
import { articlesByIds, pendingArticles } from '../store/articles/articles.ts'
import { correctionsToPrint } from '../store/corrections/corrections.ts'
import { editionDueAt } from '../store/digests/clock-faults.ts'
import { lockDigest } from '../store/digests/digests.ts'
import { transaction } from '../store/drivers/transaction.ts'
import { addChoices, chosenOf, consideredIds, deleteChoices } from '../store/editions/choices.ts'
import { addEdition, editionById, hasOpenEdition, moveEdition, nextNumber } from '../store/editions/editions.ts'
import type { NewEvent } from '../store/events/event.ts'
import { addEvent } from '../store/events/events.ts'
import { type Reason, withFurther } from '../store/events/reason.ts'
import { editionId } from '../store/id.ts'
import { type Json, toJson } from '../store/json.ts'
import { expirePassedOver } from '../store/ledger/ledger.ts'
import { lettersByIds } from '../store/letters/letters.ts'
import { pendingLetters } from '../store/letters/printing.ts'
import type { Db, EditionRow } from '../store/schema.ts'
import type { Clock, Instant } from '../time/clock.ts'
import { articleChoices, type Choice, chosenOnly, itemOf, letterChoices, withoutPlace } from './choice/choice.ts'
import { expiryOf, expiryReason } from './choice/expiry.ts'
import type { Pending } from './choice/select.ts'
import { type ThinDecision, thinReason } from './choice/thin.ts'
import type { Digest } from './digest.ts'
import { type Draft, type DraftItem, editionName } from './edition.ts'
import { applyEdits, selectEdited } from './edits/apply-edits.ts'
import { pinnedArticles } from './edits/edit.ts'
import { editsForChoice, exclusionsOf, ownEdits } from './edits/load-edits.ts'
import { addArticlesToLedger } from './ledger.ts'
import { cancelUnapproved, replaceableEditions } from './replace.ts'
import { timingJson } from './schedule/timing.ts'

export type ComposeNeeds = { db: Db; clock: Clock; secret: string }

export type ComposeOptions = {
  /** Number of recipients: with 0, the edition is skipped. Absent: not counted. */
  recipients?: number
  /** Cancels earlier editions that are not approved and releases their contents; see `cancelUnapproved`. */
  replace?: boolean
  /** Makes no edition while another edition of the digest is open. */
  unlessOpen?: boolean
}

/**
 * Chooses the contents of the edition due at `dueAt` and stores both in one transaction; a thin edition, or one without
 * recipients, is skipped or held with a reason. Returns undefined if the edition exists already or, with `unlessOpen`,
 * if another one is open.
 */
export async function compose(
  needs: ComposeNeeds,
  digest: Digest,
  dueAt: Instant,
  options: ComposeOptions = {},
): Promise<EditionRow | undefined> {
  const { db, clock } = needs
  await addArticlesToLedger(needs, digest)
  const now = clock.now()
  const older = options.replace ? await replaceableEditions(db, digest.name, dueAt, now) : []
  const isSkipped = (choice: ChoiceResult) => choice.thin?.rule === 'skip'
  if (older.length === 0 || options.recipients === 0) {
    const choice = await chooseArticles(db, digest, options, now)
    return await transaction(db, (trx) =>
      insertEdition(needs, trx, { digest, dueAt, options, now, choice, replaced: [] }),
    )
  }
  try {
    return await transaction(db, async (trx) => {
      await lockDigest(trx, digest.name, now)
      if (await editionDueAt(trx, digest.name, dueAt)) return undefined
      const replaced = await cancelUnapproved(trx, digest.name, dueAt, now)
      const choice = await chooseArticles(trx, digest, options, now) // includes the contents of the replaced editions
      if (isSkipped(choice)) throw new TooThinToReplace()
      return await insertEdition(needs, trx, { digest, dueAt, options, now, choice, replaced })
    })
  } catch (error) {
    if (!(error instanceof TooThinToReplace)) throw error
    return await compose(needs, digest, dueAt, { ...options, replace: false }) // the older editions keep waiting
  }
}

/** Rolls back the transaction: a skipped edition does not replace older ones. */
class TooThinToReplace extends Error {}

type ChoiceResult = { choices: Choice[]; thin: ThinDecision | undefined }

async function chooseArticles(
  db: Db,
  digest: Digest,
  { recipients }: ComposeOptions,
  now: Instant,
): Promise<ChoiceResult> {
  const choices = selectEdited(await loadPending(db, digest), digest, now, await exclusionsOf(db, digest.name))
  if (recipients === 0)
    return { choices, thin: { rule: 'skip', reason: { code: 'no-subscribers', digest: digest.name } } }
  return { choices, thin: await thinReason(db, digest, choices, now) }
}

type EditionToInsert = {
  digest: Digest
  dueAt: Instant
  options: ComposeOptions
  now: Instant
  choice: ChoiceResult
  replaced: EditionRow[]
}

async function insertEdition(
  needs: ComposeNeeds,
  db: Db,
  { digest, dueAt, options, now, choice: { choices, thin }, replaced }: EditionToInsert,
): Promise<EditionRow | undefined> {
  await lockDigest(db, digest.name, now) // two editions at once must not take the same number
  if (options.unlessOpen && (await hasOpenEdition(db, digest.name))) return undefined
  const edition = await newEditionRow(db, needs, digest, dueAt, thin)
  if (!(await addEdition(db, edition))) {
    if (replaced.length > 0) throw new Error(`another edition of ${digest.name} is due at ${dueAt}`) // rolls back the transaction
    return undefined
  }
  await writeChoices(db, { edition, digest, choices, now })
  const contents = contentsOf(choices, thin)
  const names = replaced.map(editionName)
  if (thin?.rule === 'skip') await addEvent(db, skippedEvent(edition.id, thin.reason), now)
  else
    await addEvent(
      db,
      { kind: 'edition.composed', actor: 'system', edition: edition.id, data: { ...contents, replaced: names } },
      now,
    )
  return edition
}

/** An edition that is not stored; `thin` is the reason why a real run would skip or hold it. */
export type DryRun = { draft: Draft; choices: Choice[]; thin: Reason | undefined }

/** Composes an edition now without storing it. `gone`: reasons of articles whose pages are gone, by article id. */
export async function composeDryRun(
  needs: ComposeNeeds,
  digest: Digest,
  gone: ReadonlyMap<string, Reason> = new Map(),
): Promise<DryRun> {
  const { db, clock } = needs
  await addArticlesToLedger(needs, digest)
  const now = clock.now()
  const pending = await loadPending(db, digest)
  const articles = pending.articles.map((article) => {
    const reason = gone.get(article.id)
    return reason === undefined ? article : { ...article, cut: { at: now, reason } }
  })
  const choices = selectEdited({ ...pending, articles }, digest, now, await exclusionsOf(db, digest.name))
  const number = await nextNumber(db, digest.name)
  const corrections = await correctionsToPrint(db, digest.name)
  const draft = await dryRunDraft(needs, digest, { dueAt: now, number, choices, corrections })
  return { draft, choices, thin: (await thinReason(db, digest, choices, now))?.reason }
}

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
 * `onlyKnown`: chooses only from articles and letters that the edition considered before or that editors pinned, as of
 * its composition time.
 */
export type ChooseAgainOptions = { onlyKnown?: boolean }

/**
 * Chooses the contents of an unsealed edition again, because articles were taken or are gone or an editor changed it.
 * Edits are kept; the edition may become thin.
 */
export async function chooseAgain(
  { db, clock }: ComposeNeeds,
  edition: EditionRow,
  digest: Digest,
  { onlyKnown = false }: ChooseAgainOptions = {},
): Promise<void> {
  await transaction(db, async (trx) => {
    const now = clock.now()
    await lockDigest(trx, digest.name, now) // a concurrent edit waits for this lock, or has finished
    const edits = await editsForChoice(trx, edition)
    const all = await loadPending(trx, digest, edition.composedAt)
    const known = onlyKnown ? new Set([...(await consideredIds(trx, edition.id)), ...pinnedArticles(edits)]) : undefined
    const pending = known ? onlyWith(all, known) : all
    const choices = selectEdited(pending, digest, onlyKnown ? edition.composedAt : now, edits)
    const thin = await thinReason(trx, digest, choices, now)
    const skipped = { status: 'skipped' as const, number: null } // the next edition takes the number: readers see no gap
    const change = { status: 'composed' as const, ...(thin?.rule === 'skip' && skipped), reason: recordedReason(thin) }
    if (!(await moveEdition(trx, edition.id, ['composed'], change))) return // another process sealed it
    await deleteChoices(trx, edition.id)
    await writeChoices(trx, { edition: { ...edition, ...change }, digest, choices, now })
    if (onlyKnown && !thin) return // the editor's own event says what changed
    const again = { actor: 'system' as const, edition: edition.id, data: contentsOf(choices, thin) }
    if (thin?.rule === 'skip') await addEvent(trx, skippedEvent(edition.id, thin.reason), now)
    else await addEvent(trx, { kind: 'edition.recomposed', ...again }, now)
  })
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
  return digest.sections.flatMap((section) => {
    const held = places
      .filter((place) => place.section === section.name)
      .toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0))
      .flatMap(({ itemId }) => items.get(itemId) ?? [])
    return held.length > 0 || section.layout === 'have-your-say' ? [{ section, items: held }] : []
  })
}

async function loadItems(db: Db, ids: string[]): Promise<Map<string, DraftItem>> {
  const items = new Map<string, DraftItem>()
  for (const article of await articlesByIds(db, ids)) items.set(article.id, { kind: 'article', article })
  for (const letter of await lettersByIds(db, ids)) items.set(letter.id, { kind: 'letter', letter })
  return items
}

function contentsOf(choices: Choice[], thin: ThinDecision | undefined) {
  const chosen = chosenOnly(choices)
  const [articles, letters] = [articleChoices(chosen).length, letterChoices(chosen).length]
  return { articles, letters, thin: thin?.reason ?? null }
}

function skippedEvent(edition: string, reason: Reason): NewEvent {
  return { kind: 'edition.skipped', actor: 'system', edition, data: { reason } }
}

/**
 * Loads the pending articles and letters. A page that was gone at an earlier check is tried again, but only once per
 * edition.
 */
async function loadPending(db: Db, digest: Digest, cutSince?: Instant): Promise<Pending> {
  const articles = (await pendingArticles(db, digest.name)).map(({ cut, ...article }) =>
    cut && cutSince !== undefined && cut.at >= cutSince ? { ...article, cut } : article,
  )
  return { articles, letters: await pendingLetters(db, digest.name) }
}

function onlyWith({ articles, letters }: Pending, ids: Set<string>): Pending {
  return { articles: articles.filter(({ id }) => ids.has(id)), letters: letters.filter(({ id }) => ids.has(id)) }
}

/** The reason to store: it makes the edition skipped, or held at the seal. */
function recordedReason(thin: ThinDecision | undefined): Json<Reason> | null {
  return thin === undefined || thin.rule === 'send' ? null : toJson(thin.reason)
}

async function newEditionRow(
  db: Db,
  { clock, secret }: ComposeNeeds,
  digest: Digest,
  dueAt: Instant,
  thin: ThinDecision | undefined,
): Promise<EditionRow> {
  return {
    ...blankEdition(secret, digest, dueAt, clock.now()),
    number: thin?.rule === 'skip' ? null : await nextNumber(db, digest.name),
    status: thin?.rule === 'skip' ? 'skipped' : 'composed',
    reason: recordedReason(thin),
  }
}

/** An empty edition of the digest, due at `dueAt`. */
export function blankEdition(secret: string, digest: Digest, dueAt: Instant, composedAt: Instant): EditionRow {
  const id = editionId(secret, digest.name, dueAt)
  const never = { sealedAt: null, approvedAt: null, audienceAt: null, finishedAt: null, overriddenAt: null }
  const empty = { number: null, status: 'composed' as const, reason: null, subject: '', preheader: '' }
  const timing = timingJson(digest, dueAt)
  const { name, archive } = digest
  const made = { dueAt, composedAt, timing, archive, datedAt: dueAt, heldBy: null, revision: 0 }
  return { id, ref: id.slice(-8), digest: name, ...made, ...empty, ...never }
}

type ChoicesToWrite = { edition: EditionRow; digest: Digest; choices: Choice[]; now: Instant }

/**
 * Stores the choices of an edition; a skipped edition chooses nothing, and its candidates stay pending. A skipped
 * edition expires only articles that are too old.
 */
async function writeChoices(db: Db, { edition, digest, choices, now }: ChoicesToWrite): Promise<void> {
  const isSkipped = edition.status === 'skipped'
  const rows = choices.map((choice) => {
    const { section, position, reason } = isSkipped ? withoutEdition(choice) : choice
    const place = { editionId: edition.id, section, position }
    if (choice.kind === 'letter')
      return { ...place, articleId: null, letterId: choice.letter.id, reason: toJson(reason), lastAt: null }
    const { article } = choice
    const expiry = expiryOf(choice, { digest, now, isSkipped })
    const isPassed = expiry === 'passed' && article.decision?.kind !== 'exclude'
    const recorded = isPassed ? withFurther(reason, expiryReason(digest)) : reason
    const lastAt = expiry === null ? null : now
    return { ...place, articleId: article.id, letterId: null, reason: toJson(recorded), lastAt }
  })
  await addChoices(db, rows)
  if (isSkipped) await expirePassedOver(db, digest.name, edition.id, now)
}

function withoutEdition(choice: Choice): Choice {
  return choice.position === null ? choice : withoutPlace(choice, { code: 'edition-skipped' })
}
