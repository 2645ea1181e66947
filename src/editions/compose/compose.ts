import { correctionsToPrint } from '../../store/corrections/corrections.ts'
import { editionDueAt } from '../../store/digests/clock-faults.ts'
import { lockDigest } from '../../store/digests/digests.ts'
import { transaction } from '../../store/drivers/transaction.ts'
import { addEdition, hasOpenEdition, nextNumber } from '../../store/editions/editions.ts'
import { addEvent } from '../../store/events/events.ts'
import type { Reason } from '../../store/events/reason.ts'
import { toJson } from '../../store/json.ts'
import type { Db, EditionRow } from '../../store/schema.ts'
import type { Instant } from '../../time/clock.ts'
import type { Choice } from '../choice/choice.ts'
import { type ThinDecision, thinReason } from '../choice/thin.ts'
import type { Digest } from '../digest.ts'
import { type Draft, editionName } from '../edition.ts'
import { selectEdited } from '../edits/apply-edits.ts'
import { exclusionsOf } from '../edits/load-edits.ts'
import { addArticlesToLedger } from '../ledger.ts'
import { reasonWithRule } from '../review/hold-reason.ts'
import { blankEdition } from './blank-edition.ts'
import { contentsOf, loadPending, recordedReason, skippedEvent, writeChoices } from './choices.ts'
import { type ComposeNeeds, dryRunDraft } from './draft.ts'
import { cancelUnapproved, replaceableEditions } from './replace.ts'

export type ComposeOptions = {
  /** Number of recipients: with 0, the edition is skipped. Absent: not counted. */
  recipients?: number
  /** Cancels earlier editions that are not approved and releases their contents; see `cancelUnapproved`. */
  replace?: boolean
  /** Makes no edition while another edition of the digest is open. */
  unlessOpen?: boolean
  /** Who holds the edition from the start, so that no rule approves it. */
  heldBy?: string
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
  const edition = await newEditionRow(db, needs, { digest, dueAt, thin, heldBy: options.heldBy })
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

async function newEditionRow(
  db: Db,
  { clock, secret }: ComposeNeeds,
  { digest, dueAt, thin, heldBy }: EditionToNumber,
): Promise<EditionRow> {
  const blank = blankEdition(secret, digest, dueAt, clock.now())
  const rule = recordedReason(thin)
  if (thin?.rule === 'skip') return { ...blank, status: 'skipped', reason: reasonWithRule(blank, rule) }
  const held = heldBy === undefined ? blank : { ...blank, heldBy, reason: toJson<Reason>({ code: 'made-for-review' }) }
  return { ...held, number: await nextNumber(db, digest.name), reason: reasonWithRule(held, rule) }
}

type EditionToNumber = {
  digest: Digest
  dueAt: Instant
  thin: ThinDecision | undefined
  heldBy: string | undefined
}
