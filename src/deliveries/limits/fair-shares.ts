import { type Instant, msBetween, second, type WaitingClock } from '../../time/clock.ts'

/**
 * The other shares do not wait for a share that has messages in flight, or waits, and took and finished none for this
 * long …
 */
const maxStuckMs = 5 * second
/** … nor for a share without messages for longer than this: a commit may happen between two messages. */
const maxPauseMs = second

/**
 * Splits messages between shares by weight (start-time fair queueing): a share too far ahead of the active ones waits.
 * An idle or stuck share blocks no other share and has no claim to catch up later.
 */
export class FairShares {
  readonly #clock: WaitingClock
  readonly #shares: Share[] = []
  #isWatching = false

  constructor(clock: WaitingClock) {
    this.#clock = clock
  }

  /** Adds a share, which has at most `maxInHand` messages in flight. */
  join(weight: number, maxInHand: number): Share {
    const share = new Share(this, this.#clock, weight, maxInHand)
    this.#shares.push(share)
    return share
  }

  /** The smallest weighted count among the other active shares; undefined: none is active. */
  takenByOthers(share: Share): number | undefined {
    let lowest: number | undefined
    for (const other of this.#shares)
      if (other !== share && other.isAtWork && (lowest === undefined || other.taken < lowest)) lowest = other.taken
    return lowest
  }

  /** Wakes the shares that may continue, the one that is furthest behind first. */
  wake(): void {
    for (const share of this.#shares.toSorted((a, b) => a.taken - b.taken)) share.wake()
  }

  /** Checks once a second while a share waits, because another share may be stuck. */
  async watch(): Promise<void> {
    if (this.#isWatching) return
    this.#isWatching = true
    while (this.#shares.some(({ isWaiting }) => isWaiting)) {
      await this.#clock.wait(second)
      this.wake()
    }
    this.#isWatching = false
  }
}

/** One relay's share of the messages. */
export class Share {
  readonly #all: FairShares
  readonly #clock: WaitingClock
  readonly #weight: number
  /** How far this share may be ahead of the others: as much as it can have in flight. */
  readonly #slack: number
  readonly #waiting: (() => void)[] = []
  #taken = 0
  #inHand = 0
  /** When it last took or finished a message. */
  #movedAt: Instant | undefined

  constructor(all: FairShares, clock: WaitingClock, weight: number, maxInHand: number) {
    this.#all = all
    this.#clock = clock
    this.#weight = weight
    this.#slack = maxInHand / weight
  }

  /** The count of messages, divided by the weight. */
  get taken(): number {
    return this.#taken
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  get isAtWork(): boolean {
    if (this.#movedAt === undefined) return false
    const maxMs = this.#inHand + this.#waiting.length > 0 ? maxStuckMs : maxPauseMs
    return msBetween(this.#movedAt, this.#clock.now()) < maxMs
  }

  /** Takes one more message; waits while the others are behind. False: the signal fired first. */
  take(signal?: AbortSignal): true | Promise<boolean> {
    if (!this.isWaiting && !this.#isAhead()) {
      this.#begin()
      return true
    }
    return signal?.aborted ? Promise.resolve(false) : this.#wait(signal)
  }

  /** A message that was taken is finished. */
  end(): void {
    this.#inHand -= 1
    this.#movedAt = this.#clock.now()
    setImmediate(() => this.#all.wake()) // the caller that has just ended begins its next message first
  }

  /** The relay takes no more for now: no other share waits for it. */
  leave(): void {
    this.#movedAt = undefined
    this.#all.wake()
  }

  wake(): void {
    while (this.isWaiting && !this.#isAhead()) this.#waiting.shift()?.()
  }

  #wait(signal: AbortSignal | undefined): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const goOn = () => {
      signal?.removeEventListener('abort', giveUp)
      this.#begin()
      resolve(true)
    }
    const giveUp = () => {
      this.#waiting.splice(this.#waiting.indexOf(goOn), 1)
      resolve(false)
    }
    signal?.addEventListener('abort', giveUp, { once: true })
    this.#waiting.push(goOn)
    void this.#all.watch()
    return promise
  }

  #begin(): void {
    if (!this.isAtWork) this.#taken = Math.max(this.#taken, this.#all.takenByOthers(this) ?? 0)
    this.#taken += 1 / this.#weight
    this.#inHand += 1
    this.#movedAt = this.#clock.now()
  }

  #isAhead(): boolean {
    const others = this.#all.takenByOthers(this)
    return others !== undefined && this.#taken - others > this.#slack
  }
}
