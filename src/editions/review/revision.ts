import { createHash } from 'node:crypto'
import { describeActor, describeEvent } from '../../describe/describe.ts'
import { AppError } from '../../errors.ts'
import { variantsOf, withdrawnVariants } from '../../store/editions/variants.ts'
import type { PastEvent } from '../../store/events/event.ts'
import { editionEvents } from '../../store/events/events.ts'
import type { Db, EditionRow, EditionStatus } from '../../store/schema.ts'
import { editionName } from '../edition.ts'

/**
 * The state of an edition that a person saw before a decision. `revision`: number of seals; `seal`: SHA-256 (hex) over
 * the hashes of all variants, empty without any; `decisions`: number of people's decisions in its history.
 */
export type Revision = { status: EditionStatus; revision: number; seal: string; decisions: number }

/** The edition has changed since the person looked at it: AppError `conflict`, with the changes, the oldest first. */
export class EditionChanged extends AppError {
  readonly changes: PastEvent[]

  constructor(edition: EditionRow, changes: PastEvent[]) {
    const what = changes.map((event) => `${describeActor(event.actor)} (${describeEvent(event)})`).join(', ')
    super('conflict', `${editionName(edition)} has changed since you looked at it${what && `: ${what}`}`)
    this.changes = changes
  }
}

/** The current revision of an edition, which a form sends back with a decision. */
export async function currentRevision(db: Db, edition: EditionRow): Promise<Revision> {
  return revisionOf(edition, await combinedSeal(db, edition.id), await editionEvents(db, edition.id))
}

/** Throws EditionChanged unless the edition matches `seen`. The caller holds the lock of the edition. */
export async function checkRevision(db: Db, edition: EditionRow, seen: Revision): Promise<void> {
  const history = await editionEvents(db, edition.id)
  const now = revisionOf(edition, await combinedSeal(db, edition.id), history)
  if (formatRevision(now) !== formatRevision(seen)) throw changedSince(edition, history, seen)
}

/**
 * Compares only the number of people's decisions: an edit stays valid after the program seals the edition. Throws
 * EditionChanged.
 */
export async function checkDecisions(db: Db, edition: EditionRow, seen: Revision): Promise<void> {
  const history = await editionEvents(db, edition.id)
  if (history.filter(isDecision).length !== seen.decisions) throw changedSince(edition, history, seen)
}

/** Throws EditionChanged, with the decisions since, unless `revision` is the number of seals of the edition. */
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

/** The revision as one word, for a hidden form field. */
export function formatRevision({ status, revision, seal, decisions }: Revision): string {
  return [status, revision, seal, decisions].join('.')
}

const revisionPattern = /^([a-z]+)\.(0|[1-9]\d{0,8})\.([0-9a-f]{64}|)\.(0|[1-9]\d{0,8})$/

/** Parses the output of `formatRevision`. Other text gives a revision that matches no edition. */
export function parseRevision(text: string): Revision {
  const [, status = '', revision = '', seal = '', decisions = '-1'] = revisionPattern.exec(text) ?? []
  return { status: status as Revision['status'], revision: Number(revision), seal, decisions: Number(decisions) }
}

function revisionOf({ status, revision }: EditionRow, seal: string, history: PastEvent[]): Revision {
  return { status, revision, seal, decisions: history.filter(isDecision).length }
}

/** SHA-256 (hex) over the name and hash of each variant, ordered by name; empty without variants. */
async function combinedSeal(db: Db, editionId: string): Promise<string> {
  const variants = await variantsOf(db, editionId)
  if (variants.length === 0) return ''
  const lines = variants.map(({ name, sha256 }) => `${name} ${sha256}\n`)
  return createHash('sha256').update(lines.join('')).digest('hex')
}

/** True for events by a person; events by the program, such as a notice by mail, are not decisions. */
export function isDecision({ actor }: PastEvent): boolean {
  return actor !== 'system'
}
