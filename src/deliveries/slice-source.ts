import { leaseSlice, type SliceLease } from '../store/deliveries/slices.ts'
import type { Engine } from '../store/engine.ts'
import type { Db } from '../store/schema.ts'
import type { WaitingClock } from '../time/clock.ts'

/** Which slices a worker sends in one pass. */
export interface SliceSource {
  /** Leases the next slice of which something is due; undefined: there is none now. */
  next(): Promise<SliceLease | undefined>
  /** From now on `next` begins with the first slice again. */
  restart(): void
  /** Whether there are slices that `next` has not come to since it last found none. */
  readonly hasMore: boolean
  /** The slice is not leased any more. */
  released(firstId: string): void
}

type Needs = { db: Db; engine: Engine; clock: WaitingClock }
type Owner = { editionId: string; workerId: string }

/** Every slice of the edition of which something is due, and that no other worker leases. */
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

/** The slices that the worker was told to send, in that order, also while the pass is under way. */
export class GivenSlices implements SliceSource {
  readonly #needs: Needs
  readonly #owner: Owner
  readonly #given: string[] = []
  /** Who waits for each slice: the same may be given twice. */
  readonly #waiting = new Map<string, (() => void)[]>()
  #used = 0

  constructor(needs: Needs, owner: Owner) {
    this.#needs = needs
    this.#owner = owner
  }

  /** Resolves when the slice has been worked through, or nothing of it can be sent now. */
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
      this.released(firstId) // another worker has it, or nothing of it is due any more
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

  /** The pass is over: whoever waits for a slice looks again later. */
  close(): void {
    for (const firstId of [...this.#waiting.keys()]) this.released(firstId)
  }
}
