import { dueDeliveries, type QueuedDelivery } from '../store/deliveries/deliveries.ts'
import { type SliceLease, slicesOf } from '../store/deliveries/slices.ts'
import { releaseSlice } from '../store/deliveries/unknown.ts'
import type { Engine } from '../store/engine.ts'
import type { Db, DeliveryStatus } from '../store/schema.ts'
import type { WaitingClock } from '../time/clock.ts'
import type { SliceSource } from './slice-source.ts'

/** A slice that this worker owns. */
export type LeasedSlice = {
  /** As of the last commit. */
  lease: SliceLease
  /** Deliveries in flight, with their stored status. */
  readonly inFlight: Map<string, DeliveryStatus>
  /** Deliveries read, and neither recorded nor dropped. */
  readonly open: Set<string>
  /** Part of the slice was deferred in memory, and must be read again. */
  isToBeReread: boolean
}

type Needs = { db: Db; engine: Engine; clock: WaitingClock }

type Owner = { editionId: string; workerId: string }

/**
 * The slices of one edition that this worker owns: leased and read one after another, and released when none of their
 * deliveries is open. Deliveries are handed over only while their slice is leased.
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

  /** The slice with an open delivery to this person. */
  of(subscriberId: string): LeasedSlice | undefined {
    return this.#byPerson.get(subscriberId)
  }

  /** The delivery is recorded, or this worker does not send it: its state can be dropped. */
  close(subscriberId: string): void {
    this.#byPerson.get(subscriberId)?.open.delete(subscriberId)
    this.#byPerson.delete(subscriberId)
  }

  /** The delivery is dropped from memory, and must be read again from the start. */
  passBy(subscriberId: string): void {
    const slice = this.#byPerson.get(subscriberId)
    if (slice) slice.isToBeReread = true
    this.close(subscriberId)
  }

  /** Deliveries to these people were queued again: their slices must be read again. */
  rereadFor(subscriberIds: string[]): void {
    for (const slice of this.#slices) {
      const { firstId, lastId } = slice.lease
      if (subscriberIds.some((id) => firstId <= id && id <= lastId)) slice.isToBeReread = true
    }
  }

  /** Begins again with the first slice: `nextPage` then also reads skipped deliveries. */
  restart(): void {
    this.#source.restart()
    this.#toReread = [...this.#slices].filter(({ isToBeReread }) => isToBeReread)
  }

  /** Leases the next slice with due deliveries, and reads them. Empty: there is none. */
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

  /** Nothing is in flight: releases all slices. Returns how many deliveries are `unknown` because no answer came. */
  async releaseAll(): Promise<number> {
    const { db, clock } = this.#needs
    const { editionId, workerId } = this.#owner
    let unknown = 0
    for (const slice of await slicesOf(db, workerId, editionId)) unknown += await releaseSlice(db, slice, clock.now())
    for (const slice of this.#slices) this.#forget(slice)
    return unknown
  }

  /** Another worker owns the slice. */
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

  /** The due deliveries of the slice that are not open already. */
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
