import type { Clock } from '../clock.ts'
import { AppError } from '../errors.ts'
import { giveBackCorrections, lapseAbout } from '../store/corrections.ts'
import { countDeliveries, skipRest } from '../store/deliveries.ts'
import { editionById, moveEdition, note } from '../store/editions.ts'
import { giveBack } from '../store/ledger.ts'
import type { Db, EditionRow } from '../store/schema.ts'
import { editionName } from './edition.ts'

type Needs = { db: Db; clock: Clock }

/** Lets a sealed or held edition go out. `who` stays on record. */
export async function approve(needs: Needs, id: string, who: string): Promise<void> {
  const cannot = 'only a sealed or held edition can be approved'
  await move(needs, id, who, 'approved', { from: ['sealed', 'held'], change: toApproved, cannot })
}

/** The same by a rule, which never overrides an editor: what somebody holds stays held. Returns whether it did. */
export async function approveByRule({ db, clock }: Needs, id: string, rule: string): Promise<boolean> {
  const now = clock.now()
  const approved = await moveEdition(db, id, ['sealed'], toApproved(now))
  if (approved) await note(db, id, rule, 'approved', now)
  return approved
}

function toApproved(now: string): Partial<EditionRow> {
  return { status: 'approved', approvedAt: now, reason: null }
}

/** Keeps an edition back until somebody approves it. */
export async function hold(needs: Needs, id: string, who: string, reason: string): Promise<void> {
  await move(needs, id, who, `held: ${reason}`, {
    from: ['sealed', 'approved'],
    change: () => ({ status: 'held', approvedAt: null, reason }),
    cannot: 'only an edition that is sealed or approved, and not yet sending, can be held',
  })
}

/** Stops an edition in the middle of its sending: what is on its way is finished, nothing more is begun. */
export async function pause(needs: Needs, id: string, who: string, reason: string): Promise<void> {
  await move(needs, id, who, `paused: ${reason}`, {
    from: ['sending'],
    change: () => ({ status: 'held', reason }),
    cannot: 'only an edition that is being sent can be paused',
  })
}

/** Lets a paused edition go on where it stopped. */
export async function resume(needs: Needs, id: string, who: string): Promise<void> {
  const edition = await editionById(needs.db, id)
  const cannot = 'only an edition that was paused while it was being sent can be resumed'
  if (edition && edition.approvedAt === null) {
    throw new AppError('conflict', `${editionName(edition)} is ${edition.status}: ${cannot}`) // held before it was approved
  }
  await move(needs, id, who, 'resumed', { from: ['held'], change: () => ({ status: 'sending', reason: null }), cannot })
}

/**
 * Ends an edition for good. Its articles and corrections are given back, unless somebody has it already: then what is
 * queued is skipped, and they stay where they were read.
 */
export async function cancel(needs: Needs, id: string, who: string, reason: string): Promise<void> {
  await needs.db.transaction().execute(async (db: Db) => {
    await move({ db, clock: needs.clock }, id, who, `cancelled: ${reason}`, {
      from: ['composed', 'sealed', 'approved', 'held', 'sending'],
      change: (now) => ({ status: 'cancelled', finishedAt: now, reason }),
      cannot: 'it has ended already',
    })
    await settleCancelled({ db, clock: needs.clock }, { id, reason })
  })
}

/**
 * Skips what a cancelled edition still had to send. If nobody has it or may have it, it gives its articles and the
 * corrections that it prints back, and what it said needs no correction.
 */
export async function settleCancelled({ db, clock }: Needs, edition: Pick<EditionRow, 'id' | 'reason'>): Promise<void> {
  await skipRest(db, edition.id, `the edition was cancelled: ${edition.reason ?? ''}`, clock.now())
  const counts = await countDeliveries(db, edition.id)
  if (counts.accepted + counts.unknown + counts.sending > 0) return
  await giveBack(db, edition.id)
  await giveBackCorrections(db, edition.id)
  await lapseAbout(db, edition.id, clock.now())
}

type Move = {
  from: EditionRow['status'][]
  change: (now: string) => Partial<EditionRow>
  cannot: string
}

async function move(
  { db, clock }: Needs,
  id: string,
  who: string,
  what: string,
  { from, change, cannot }: Move,
): Promise<void> {
  const now = clock.now()
  if (await moveEdition(db, id, from, change(now))) return await note(db, id, who, what, now)
  const edition = await editionById(db, id)
  if (!edition)
    throw new AppError('missing', `there is no edition ${id}`, { hint: 'lastword edition list shows them.' })
  throw new AppError('conflict', `${editionName(edition)} is ${edition.status}: ${cannot}`)
}
