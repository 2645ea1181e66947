import { dueDeliveries, type QueuedDelivery } from '../store/deliveries/deliveries.ts'
import { type SliceLease, slicesOf } from '../store/deliveries/slices.ts'
import { releaseSlice } from '../store/deliveries/unknown.ts'
import type { Engine } from '../store/engine.ts'
import type { Db, DeliveryStatus } from '../store/schema.ts'
import type { WaitingClock } from '../time/clock.ts'
import type { SliceSource } from './slice-source.ts'

/** One slice that this worker owns. */
export type LeasedSlice = {
  /** As of the last commit. */
  lease: SliceLease
  /** Deliveries that are in flight, with the status that is stored. */
  readonly inFlight: Map<string, DeliveryStatus>
  /** Read, and neither recorded nor dropped. */
  readonly open: Set<string>
  /** Some of it was put off in memory, and has to be read again. */
  isToBeReread: boolean
}

type Needs = { db: Db; engine: Engine; clock: WaitingClock }

type Owner = { editionId: string; workerId: string }

/**
 * The slices of one edition that this worker owns: leased and read one after another, and released once nothing of them
 * is open. Deliveries are only handed over while their slice is leased.
 */
export class LeasedSlices {
  readonly #needs: Needs
  readonly #owner: Owner
  readonly #source: SliceSource
  readonly #slices = new Set<LeasedSlice>()
  readonly #byPerson = new Map<string, LeasedSlice>()
  #toReread: LeasedSlice[] = []

  constructor(needs: Needs, owner: Owner, source: SliceSource) {
    this.#needs = needs
    this.#owner = owner
    this.#source = source
  }

  /** The slice that holds an open delivery to this person. */
  of(subscriberId: string): LeasedSlice | undefined {
    return this.#byPerson.get(subscriberId)
  }

  /** The delivery is recorded, or is not sent by us: nothing has to be kept for it. */
  close(subscriberId: string): void {
    this.#byPerson.get(subscriberId)?.open.delete(subscriberId)
    this.#byPerson.delete(subscriberId)
  }

  /** The delivery is given up in memory, and is to be read again from the start. */
  passBy(subscriberId: string): void {
    const slice = this.#byPerson.get(subscriberId)
    if (slice) slice.isToBeReread = true
    this.close(subscriberId)
  }

  /** Deliveries to these people were queued again: their slices are to be read once more. */
  rereadFor(subscriberIds: string[]): void {
    for (const slice of this.#slices) {
      const { firstId, lastId } = slice.lease
      if (subscriberIds.some((id) => firstId <= id && id <= lastId)) slice.isToBeReread = true
    }
  }

  /** Begins with the first slice again: `nextPage` then also reads what was passed by. */
  restart(): void {
    this.#source.restart()
    this.#toReread = [...this.#slices].filter(({ isToBeReread }) => isToBeReread)
  }

  /** Leases the next slice of which something is due, and reads that. Empty: there is none. */
  async nextPage(released: string[]): Promise<QueuedDelivery[]> {
    await this.#releaseDone()
    for (;;) {
      const slice = this.#toReread.shift() ?? (await this.#lease())
      if (!slice) return []
      slice.isToBeReread = false
      const page = await this.#read(slice, released)
      if (page.length > 0) return page
      if (slice.open.size === 0) await this.#release(slice)
    }
  }

  /** Nothing is under way any more: gives up all slices. Returns how many deliveries are unknown, for want of an answer. */
  async releaseAll(): Promise<number> {
    const { db, clock } = this.#needs
    const { editionId, workerId } = this.#owner
    let unknown = 0
    for (const slice of await slicesOf(db, workerId, editionId)) unknown += await releaseSlice(db, slice, clock.now())
    for (const slice of this.#slices) this.#forget(slice)
    return unknown
  }

  /** Another worker has it. */
  lose(slice: LeasedSlice): void {
    slice.inFlight.clear()
    this.#forget(slice)
  }

  async #lease(): Promise<LeasedSlice | undefined> {
    const lease = await this.#source.next()
    if (!lease) return undefined
    const slice: LeasedSlice = { lease, inFlight: new Map(), open: new Set(), isToBeReread: false }
    this.#slices.add(slice)
    return slice
  }

  /** What of it is due and not open already. */
  async #read(slice: LeasedSlice, released: string[]): Promise<QueuedDelivery[]> {
    const { db, clock } = this.#needs
    const due = await dueDeliveries(db, slice.lease, { now: clock.now(), released })
    const page = due.filter(({ subscriberId }) => !slice.open.has(subscriberId))
    for (const { subscriberId } of page) {
      slice.open.add(subscriberId)
      this.#byPerson.set(subscriberId, slice)
    }
    return page
  }

  async #releaseDone(): Promise<void> {
    for (const slice of this.#slices) if (slice.open.size === 0 && !slice.isToBeReread) await this.#release(slice)
  }

  async #release(slice: LeasedSlice): Promise<void> {
    const { db, clock } = this.#needs
    await releaseSlice(db, slice.lease, clock.now())
    this.#forget(slice)
  }

  #forget(slice: LeasedSlice): void {
    this.#slices.delete(slice)
    for (const subscriberId of slice.open) this.#byPerson.delete(subscriberId)
    this.#source.released(slice.lease.firstId)
  }
}
