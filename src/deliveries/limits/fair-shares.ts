import { type Instant, msBetween, second, type WaitingClock } from '../../time/clock.ts'

/** A share with something in hand for longer than this is not waited for … */
const maxStuckMs = 5 * second
/** … and neither is one with nothing for longer than this: between two messages there may be a commit. */
const maxPauseMs = second

/**
 * Shares by weight (start-time fair queueing): of shares that are all at work each gets its part, and one that is ahead
 * waits. One that has nothing in hand, or is stuck with it, keeps no other waiting and is owed nothing afterwards.
 */
export class FairShares {
  readonly #clock: WaitingClock
  readonly #shares: Share[] = []
  #isWatching = false

  constructor(clock: WaitingClock) {
    this.#clock = clock
  }

  /** A new share, which has at most `maxInHand` in hand. */
  join(weight: number, maxInHand: number): Share {
    const share = new Share(this, this.#clock, weight, maxInHand)
    this.#shares.push(share)
    return share
  }

  /** How much the others that are at work have taken, by weight; undefined: none is at work. */
  takenByOthers(share: Share): number | undefined {
    let least: number | undefined
    for (const other of this.#shares)
      if (other !== share && other.isAtWork && (least === undefined || other.taken < least)) least = other.taken
    return least
  }

  /** Lets those go on that may, the one that is furthest behind first. */
  wake(): void {
    for (const share of this.#shares.toSorted((a, b) => a.taken - b.taken)) share.wake()
  }

  /** While a share waits, another may turn out to be stuck. */
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

/** The part of one relay in what several share out. */
export class Share {
  readonly #all: FairShares
  readonly #clock: WaitingClock
  readonly #weight: number
  /** How far it may be ahead of the others: as much as it can have in hand. */
  readonly #slack: number
  readonly #waiting: (() => void)[] = []
  #taken = 0
  #inHand = 0
  /** When it last took a message, or was done with one. */
  #movedAt: Instant | undefined

  constructor(all: FairShares, clock: WaitingClock, weight: number, maxInHand: number) {
    this.#all = all
    this.#clock = clock
    this.#weight = weight
    this.#slack = maxInHand / weight
  }

  /** By weight. */
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

  /** Takes one more; waits while the others are behind their shares. False: the signal fired first. */
  take(signal?: AbortSignal): true | Promise<boolean> {
    if (!this.isWaiting && !this.#isAhead()) {
      this.#begin()
      return true
    }
    return signal?.aborted ? Promise.resolve(false) : this.#wait(signal)
  }

  /** One that was taken is done with. */
  end(): void {
    this.#inHand -= 1
    this.#movedAt = this.#clock.now()
    setImmediate(() => this.#all.wake()) // whoever has just ended begins the next one first
  }

  /** It takes no more for now: no other waits for it. */
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
