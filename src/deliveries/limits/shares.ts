import { type Instant, msBetween, second, type WaitingClock } from '../../time/clock.ts'

/** The part of one taker in what several share out. */
export type Share = {
  /** Takes one more; waits while the others are behind their shares. False: the signal fired first. */
  take(signal?: AbortSignal): true | Promise<boolean>
  /** One that was taken is done with. */
  end(): void
  /** It will take no more for now: nobody waits for it. */
  leave(): void
}

type Taker = {
  weight: number
  /** How far it may be ahead of the others: as much as it can have in hand. */
  slack: number
  /** What it has taken, by its weight. */
  taken: number
  inHand: number
  waiting: (() => void)[]
  /** When it last took one, or was done with one. */
  movedAt: Instant | undefined
}

/** Whoever has one in hand for longer than this is not waited for … */
const patience = 5 * second
/** … and neither is whoever has none for longer than this: between two there may be a commit. */
const gap = second

/**
 * Shares by weight (start-time fair queueing): of takers that are all at work each gets its share, and one that is ahead
 * waits. Who has nothing in hand, or is stuck with it, keeps nobody waiting and is owed nothing afterwards.
 */
export function openShares(clock: WaitingClock): (weight: number, most: number) => Share {
  const takers: Taker[] = []
  let isWatching = false

  function isAtWork({ inHand, waiting, movedAt }: Taker): boolean {
    if (movedAt === undefined) return false
    return msBetween(movedAt, clock.now()) < (inHand + waiting.length > 0 ? patience : gap)
  }

  /** Where the others stand that are at work; undefined: there are none. */
  function othersAt(taker: Taker): number | undefined {
    const others = takers.filter((other) => other !== taker && isAtWork(other)).map(({ taken }) => taken)
    return others.length > 0 ? Math.min(...others) : undefined
  }

  function begin(taker: Taker): void {
    if (!isAtWork(taker)) taker.taken = Math.max(taker.taken, othersAt(taker) ?? 0)
    taker.taken += 1 / taker.weight
    taker.inHand += 1
    taker.movedAt = clock.now()
  }

  function isAhead(taker: Taker): boolean {
    const others = othersAt(taker)
    return others !== undefined && taker.taken - others > taker.slack
  }

  /** Lets go on whoever may, the one that is furthest behind first. */
  function wake(): void {
    for (const taker of takers.toSorted((a, b) => a.taken - b.taken)) {
      while (taker.waiting.length > 0 && !isAhead(taker)) taker.waiting.shift()?.()
    }
  }

  /** While somebody waits: another may be stuck by now. */
  async function watch(): Promise<void> {
    if (isWatching) return
    isWatching = true
    while (takers.some(({ waiting }) => waiting.length > 0)) {
      await clock.wait(second)
      wake()
    }
    isWatching = false
  }

  return (weight, most) => {
    const taker: Taker = { weight, slack: most / weight, taken: 0, inHand: 0, waiting: [], movedAt: undefined }
    takers.push(taker)
    return {
      take(signal) {
        if (taker.waiting.length === 0 && !isAhead(taker)) {
          begin(taker)
          return true
        }
        if (signal?.aborted) return Promise.resolve(false)
        return new Promise((resolve) => {
          const goOn = () => {
            signal?.removeEventListener('abort', giveUp)
            begin(taker)
            resolve(true)
          }
          const giveUp = () => {
            taker.waiting.splice(taker.waiting.indexOf(goOn), 1)
            resolve(false)
          }
          signal?.addEventListener('abort', giveUp, { once: true })
          taker.waiting.push(goOn)
          void watch()
        })
      },
      end() {
        taker.inHand -= 1
        taker.movedAt = clock.now()
        setImmediate(wake) // whoever has just ended begins the next one first
      },
      leave() {
        taker.movedAt = undefined
        wake()
      },
    }
  }
}
