import { LeasedSlices } from '../../src/deliveries/leased-slices.ts'
import { LedgerWriter } from '../../src/deliveries/ledger-writer.ts'
import { DueSlices } from '../../src/deliveries/slice-source.ts'
import type { QueuedDelivery } from '../../src/store/deliveries/deliveries.ts'
import type { DeliveryResult } from '../../src/store/deliveries/hand-over.ts'
import type { World } from './world.ts'

/** The result of an accepted delivery, without the person and the reply. */
export const acceptedResult = {
  status: 'accepted',
  attempts: 1,
  nextAttemptAt: null,
  cutSince: null,
  relay: null,
  reason: null,
} as const

type Options = ConstructorParameters<typeof LedgerWriter>[3]

/** A worker that has leased what is due of the edition, as far as others have not, and writes the ledger for it. */
export async function workerOn(
  { app }: Pick<World, 'app'>,
  editionId: string,
  workerId: string,
  { options, ...changes }: { options?: Options } & Partial<Pick<World['app'], 'db' | 'clock'>> = {},
) {
  const needs = { db: app.db, clock: app.clock, engine: app.store.engine, ...changes }
  const source = new DueSlices({ ...needs, db: app.db }, { editionId, workerId })
  const slices = new LeasedSlices({ ...needs, db: app.db }, { editionId, workerId }, source)
  const due: QueuedDelivery[] = []
  for (;;) {
    const page = await slices.nextPage([])
    if (page.length === 0) break
    due.push(...page)
  }
  const writer = new LedgerWriter(needs, { editionId, digest: 'weekly', workerId }, slices, options)
  const read = (id: string) => due.find(({ subscriberId }) => subscriberId === id)
  /** Records one answer and claims one delivery, in one commit; a delivery that was not read is not to be had. */
  const turn = (ended: DeliveryResult | undefined, next: string | undefined) =>
    writer.recordAndClaim(
      ended,
      next === undefined ? undefined : (read(next) ?? { subscriberId: next, status: 'queued' }),
    )
  return {
    writer,
    slices,
    due,
    turn,
    claim: (id: string) => turn(undefined, id),
    record: (result: DeliveryResult) => turn(result, undefined),
  }
}
