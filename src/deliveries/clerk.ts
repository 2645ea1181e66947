import type { Clock } from '../clock.ts'
import { AppError } from '../errors.ts'
import { claimDeliveries, type DeliveryResult, recordDeliveries } from '../store/deliveries.ts'
import type { Engine } from '../store/engine.ts'
import type { Db } from '../store/schema.ts'
import { transaction } from '../store/transaction.ts'
import { heedRefusals } from './refusals.ts'

type Needs = { db: Db; engine: Engine; clock: Clock }

/** Who writes the book of one edition for all connections: one transaction at a time, and all that has come up in it. */
export type Clerk = {
  /**
   * One turn of one connection: records how its delivery ended, and takes the next to send it; either may be missing.
   * Returns whether that one is ours to send. Throws AppError if the one that ended is not ours any more.
   */
  turn(ended: DeliveryResult | undefined, next: string | undefined): Promise<boolean>
}

type Asked = {
  ended: DeliveryResult | undefined
  next: string | undefined
  resolve(isOurs: boolean): void
  reject(error: unknown): void
}

type Book = { editionId: string; digest: string; workerId: string }

/**
 * A commit costs as much for one row as for fifty, so connections share it: all that was asked while the network was
 * read twice, or while the last commit was being made, is committed together. Nobody hears of a turn before it is
 * committed: a connection has at most one delivery in the state `sending`, whenever the process is killed.
 */
export function openClerk(needs: Needs, book: Book): Clerk {
  let asked: Asked[] = []
  let isBusy = false

  function call(): void {
    if (isBusy) return
    isBusy = true
    setImmediate(() => setImmediate(() => void writeAll()))
  }

  async function writeAll(): Promise<void> {
    const turns = asked
    asked = []
    try {
      const { lost, claimed } = await write(needs, book, turns)
      for (const { ended, next, resolve, reject } of turns) {
        if (ended && lost.has(ended.subscriberId)) reject(takenForDead(ended))
        else resolve(next !== undefined && claimed.delete(next)) // once, whoever asks twice
      }
    } catch (error) {
      for (const { reject } of turns) reject(error)
    }
    isBusy = false
    if (asked.length > 0) call()
  }

  return {
    turn: (ended, next) =>
      new Promise((resolve, reject) => {
        asked.push({ ended, next, resolve, reject })
        call()
      }),
  }
}

function write({ db, engine, clock }: Needs, book: Book, turns: Asked[]) {
  const now = clock.now()
  const results = turns.flatMap(({ ended }) => (ended ? [ended] : []))
  const subscriberIds = turns.flatMap(({ next }) => (next === undefined ? [] : [next]))
  return transaction(db, async (trx) => {
    const none = new Set<string>()
    const lost = results.length > 0 ? await recordDeliveries(trx, engine, book, results, now) : none
    const ours = results.filter(({ subscriberId }) => !lost.has(subscriberId))
    await heedRefusals(trx, book.editionId, ours, now)
    const claimed =
      subscriberIds.length > 0 ? await claimDeliveries(trx, engine, { ...book, subscriberIds }, now) : none
    return { lost, claimed }
  })
}

function takenForDead({ reply }: DeliveryResult): AppError {
  return new AppError('internal', `somebody took this sender for dead; the relay said ${reply}`)
}
