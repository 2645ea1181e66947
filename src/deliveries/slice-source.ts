import { leaseSlice, type SliceLease } from '../store/deliveries/slices.ts'
import type { Engine } from '../store/engine.ts'
import type { Db } from '../store/schema.ts'
import type { WaitingClock } from '../time/clock.ts'

/** The slices that a worker sends in one pass. */
export interface SliceSource {
  /** Leases the next slice with due deliveries; undefined: there is none now. */
  next(): Promise<SliceLease | undefined>
  /** `next` begins with the first slice again. */
  restart(): void
  /** Whether there are slices that `next` has not reached since it last found none. */
  readonly hasMore: boolean
  /** The slice is no longer leased. */
  released(firstId: string): void
}

type Needs = { db: Db; engine: Engine; clock: WaitingClock }
type Owner = { editionId: string; workerId: string }

/** Every slice of the edition that has due deliveries and no other worker's lease. */
export class DueSlices implements SliceSource {
  readonly #needs: Needs
  readonly #owner: Owner
  #after = ''

  constructor(needs: Needs, owner: Owner) {
    this.#needs = needs
    this.#owner = owner
  }

  async next(): Promise<SliceLease | undefined> {
    const { db, engine, clock } = this.#needs
    const lease = await leaseSlice(db, engine, { ...this.#owner, after: this.#after }, clock.now())
    this.#after = lease?.firstId ?? this.#after
    return lease
  }

  restart(): void {
    this.#after = ''
  }

  readonly hasMore = false

  released(): void {}
}

/** The slices assigned to the worker, in order; more can be assigned during the pass. */
export class GivenSlices implements SliceSource {
  readonly #needs: Needs
  readonly #owner: Owner
  readonly #given: string[] = []
  /** The callers that wait for each slice: a slice may be assigned twice. */
  readonly #waiting = new Map<string, (() => void)[]>()
  #used = 0

  constructor(needs: Needs, owner: Owner) {
    this.#needs = needs
    this.#owner = owner
  }

  /** Resolves when the slice is finished, or nothing of it can be sent now. */
  send(firstId: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#given.push(firstId)
    this.#waiting.set(firstId, [...(this.#waiting.get(firstId) ?? []), resolve])
    return promise
  }

  async next(): Promise<SliceLease | undefined> {
    const { db, engine, clock } = this.#needs
    for (;;) {
      const firstId = this.#given[this.#used]
      if (firstId === undefined) return undefined
      const lease = await leaseSlice(db, engine, { ...this.#owner, firstId }, clock.now())
      this.#used += 1
      if (lease) return lease
      this.released(firstId) // another worker has it, or nothing in it is due
    }
  }

  restart(): void {
    this.#used = 0
  }

  get hasMore(): boolean {
    return this.#used < this.#given.length
  }

  released(firstId: string): void {
    for (const resolve of this.#waiting.get(firstId) ?? []) resolve()
    this.#waiting.delete(firstId)
  }

  /** The pass is over: releases all callers, which retry later. */
  close(): void {
    for (const firstId of [...this.#waiting.keys()]) this.released(firstId)
  }
}
