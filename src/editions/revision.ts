import { createHash } from 'node:crypto'
import { describeActor, describeEvent } from '../describe/describe.ts'
import { AppError } from '../errors.ts'
import { variantsOf, withdrawnVariants } from '../store/editions/variants.ts'
import type { PastEvent } from '../store/events/event.ts'
import { editionEvents } from '../store/events/events.ts'
import type { Db, EditionRow, EditionStatus } from '../store/schema.ts'
import { editionName } from './edition.ts'

/**
 * What somebody saw of an edition before they decided about it: its status, how often it was sealed, one SHA-256 (hex)
 * over the hashes of all its variants, empty while it has none, and how many decisions of people its history held.
 */
export type Revision = { status: EditionStatus; revision: number; seal: string; decisions: number }

/** An edition has changed since somebody looked at it: AppError `conflict`, with what happened since, the oldest first. */
export class EditionChanged extends AppError {
  readonly changes: PastEvent[]

  constructor(edition: EditionRow, changes: PastEvent[]) {
    const what = changes.map((event) => `${describeActor(event.actor)} (${describeEvent(event)})`).join(', ')
    super('conflict', `${editionName(edition)} has changed since you looked at it${what && `: ${what}`}`)
    this.changes = changes
  }
}

/** What a page shows of the edition now; to be sent back with a decision about it. */
export async function currentRevision(db: Db, edition: EditionRow): Promise<Revision> {
  return revisionOf(edition, await combinedSeal(db, edition.id), await editionEvents(db, edition.id))
}

/** Throws EditionChanged unless the edition is as it was seen. The caller holds its lock, so that it stays so. */
export async function checkRevision(db: Db, edition: EditionRow, seen: Revision): Promise<void> {
  const history = await editionEvents(db, edition.id)
  const now = revisionOf(edition, await combinedSeal(db, edition.id), history)
  if (formatRevision(now) !== formatRevision(seen)) throw changedSince(edition, history, seen)
}

/** The same where only what people decided since counts: an edit stays right when the program seals the edition. */
export async function checkDecisions(db: Db, edition: EditionRow, seen: Revision): Promise<void> {
  const history = await editionEvents(db, edition.id)
  if (history.filter(isDecision).length !== seen.decisions) throw changedSince(edition, history, seen)
}

/** Throws EditionChanged, with what people decided since, unless the edition was sealed that many times. */
export async function checkRevisionNumber(db: Db, edition: EditionRow, revision: number): Promise<void> {
  if (edition.revision === revision) return
  const seals = [...(await withdrawnVariants(db, edition.id)), ...(await variantsOf(db, edition.id))]
  const sealTimes = [...new Set(seals.map(({ sealedAt }) => sealedAt))].sort()
  const since = sealTimes[revision - 1] ?? ''
  const history = await editionEvents(db, edition.id)
  const decisions = history.filter((entry) => isDecision(entry) && entry.at >= since)
  throw new EditionChanged(edition, decisions.length > 0 ? decisions : history.slice(-1))
}

function changedSince(edition: EditionRow, history: PastEvent[], seen: Revision): EditionChanged {
  const decisions = history.filter(isDecision).slice(seen.decisions)
  return new EditionChanged(edition, decisions.length > 0 ? decisions : history.slice(-1))
}

/** As one word, for a hidden field of a form. */
export function formatRevision({ status, revision, seal, decisions }: Revision): string {
  return [status, revision, seal, decisions].join('.')
}

const revisionPattern = /^([a-z]+)\.(0|[1-9]\d{0,8})\.([0-9a-f]{64}|)\.(0|[1-9]\d{0,8})$/

/** Reads what `formatRevision` wrote. Any other text stands for nothing that ever was, so that it never matches. */
export function parseRevision(text: string): Revision {
  const [, status = '', revision = '', seal = '', decisions = '-1'] = revisionPattern.exec(text) ?? []
  return { status: status as Revision['status'], revision: Number(revision), seal, decisions: Number(decisions) }
}

function revisionOf({ status, revision }: EditionRow, seal: string, history: PastEvent[]): Revision {
  return { status, revision, seal, decisions: history.filter(isDecision).length }
}

/** The SHA-256 over name and hash of every variant, in the order of their names. */
async function combinedSeal(db: Db, editionId: string): Promise<string> {
  const variants = await variantsOf(db, editionId)
  if (variants.length === 0) return ''
  const lines = variants.map(({ name, sha256 }) => `${name} ${sha256}\n`)
  return createHash('sha256').update(lines.join('')).digest('hex')
}

/** What the program itself notes (a notice by mail, say) changes nothing that somebody could have missed but the status. */
export function isDecision({ actor }: PastEvent): boolean {
  return actor !== 'system'
}
