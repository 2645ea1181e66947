import { AppError } from '../errors.ts'
import { historyOf, variantsOf } from '../store/editions/editions.ts'
import type { Db, EditionRow, EditionStatus, Schema } from '../store/schema.ts'
import { editionName } from './edition.ts'

export type HistoryEntry = Schema['history']

/**
 * What somebody saw of an edition before they decided about it: its status, the SHA-256 of every variant (hex, one
 * after the other, in the order of their names), and how many decisions of people its history held.
 */
export type Revision = { status: EditionStatus; seals: string; decisions: number }

/** An edition has changed since somebody looked at it: AppError `conflict`, with what happened since, the oldest first. */
export class EditionChanged extends AppError {
  readonly changes: HistoryEntry[]

  constructor(edition: EditionRow, changes: HistoryEntry[]) {
    const what = changes.map(({ who, what }) => `${who} (${what})`).join(', ')
    super('conflict', `${editionName(edition)} has changed since you looked at it${what && `: ${what}`}`)
    this.changes = changes
  }
}

/** What a page shows of the edition now; to be sent back with a decision about it. */
export async function currentRevision(db: Db, edition: EditionRow): Promise<Revision> {
  return revisionOf(edition, await sealHashes(db, edition.id), await historyOf(db, edition.id))
}

/** Throws ChangedSince unless the edition is as it was seen. The caller holds its lock, so that it stays so. */
export async function checkRevision(db: Db, edition: EditionRow, seen: Revision): Promise<void> {
  const history = await historyOf(db, edition.id)
  const now = revisionOf(edition, await sealHashes(db, edition.id), history)
  if (formatRevision(now) === formatRevision(seen)) return
  const decisions = history.filter(isDecision).slice(seen.decisions)
  throw new EditionChanged(edition, decisions.length > 0 ? decisions : history.slice(-1))
}

/** As one word, for a hidden field of a form. */
export function formatRevision({ status, seals, decisions }: Revision): string {
  return [status, seals, decisions].join('.')
}

/** Reads `seenText` again. A text that is none stands for nothing that ever was, so that it never matches. */
export function parseRevision(text: string): Revision {
  const [, status = '', seals = '', decisions = ''] =
    /^([a-z]+)\.((?:[0-9a-f]{64})*)\.(0|[1-9]\d{0,8})$/.exec(text) ?? []
  return { status: status as Revision['status'], seals, decisions: Number(decisions) }
}

function revisionOf({ status }: EditionRow, seals: string, history: HistoryEntry[]): Revision {
  return { status, seals, decisions: history.filter(isDecision).length }
}

async function sealHashes(db: Db, editionId: string): Promise<string> {
  return (await variantsOf(db, editionId)).map(({ sha256 }) => sha256).join('')
}

/** What the program itself notes (a notice by mail, say) changes nothing that somebody could have missed but the status. */
function isDecision({ who }: HistoryEntry): boolean {
  return who !== 'lastword'
}
