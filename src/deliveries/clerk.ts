import type { Clock } from '../clock.ts'
import { AppError } from '../errors.ts'
import { claimDeliveries, type DeliveryResult, recordDeliveries } from '../store/deliveries.ts'
import type { Engine } from '../store/engine.ts'
import type { Db } from '../store/schema.ts'
import { transaction } from '../store/transaction.ts'

type Needs = { db: Db; engine: Engine; clock: Clock }

/** Who writes the book of one edition for all connections: one transaction at a time, and all that has come up in it. */
export type Clerk = {
  /** Takes a delivery to send it; how often it has been tried with this time, or nothing if it is not ours to send. */
  claim(subscriberId: string): Promise<number | undefined>
  /** Records how a delivery ended. Throws AppError if it is not ours any more. */
  record(result: DeliveryResult): Promise<void>
}

type Asked<T, R> = { what: T; resolve(answer: R): void; reject(error: unknown): void }

type Book = { editionId: string; workerId: string }

/** Milliseconds that one connection waits for another to ask too. */
const patience = 1

/**
 * A commit costs as much for one row as for fifty, so connections share it: when half of them have asked, or the first
 * has waited a millisecond, all that was asked is committed together. Answers are recorded before claims are made, and
 * nobody hears of either before both are committed: a connection that records one delivery and claims its next has at
 * most one in the state `sending`, whenever the process is killed.
 */
export function openClerk(needs: Needs, book: Book, connections: number): Clerk {
  const enough = Math.ceil(connections / 2)
  let claims: Asked<string, number | undefined>[] = []
  let results: Asked<DeliveryResult, void>[] = []
  let writing = false
  let timer: NodeJS.Timeout | undefined

  function ask<T, R>(list: Asked<T, R>[], what: T): Promise<R> {
    const answer = new Promise<R>((resolve, reject) => list.push({ what, resolve, reject }))
    callClerk()
    return answer
  }

  function callClerk(): void {
    if (writing) return
    if (claims.length < enough) {
      timer ??= setTimeout(() => void writeAll(), patience)
      return
    }
    clearTimeout(timer)
    void writeAll()
  }

  async function writeAll(): Promise<void> {
    const [taken, done] = [claims, results]
    claims = []
    results = []
    timer = undefined
    writing = true
    try {
      const answered = done.map((one) => one.what)
      const { recorded, claimed } = await write(
        needs,
        book,
        answered,
        taken.map((one) => one.what),
      )
      for (const { what, resolve, reject } of done)
        recorded.has(what.subscriberId) ? resolve() : reject(takenForDead(what))
      for (const { what, resolve } of taken) resolve(claimed.get(what))
    } catch (error) {
      for (const { reject } of [...done, ...taken]) reject(error)
    }
    writing = false
    if (claims.length + results.length > 0) callClerk()
  }

  return { claim: (subscriberId) => ask(claims, subscriberId), record: (result) => ask(results, result) }
}

function write({ db, engine, clock }: Needs, book: Book, results: DeliveryResult[], subscriberIds: string[]) {
  const now = clock.now()
  return transaction(db, async (trx) => ({
    recorded: results.length > 0 ? await recordDeliveries(trx, engine, book, results, now) : new Set<string>(),
    claimed:
      subscriberIds.length > 0
        ? await claimDeliveries(trx, engine, { ...book, subscriberIds }, now)
        : new Map<string, number>(),
  }))
}

function takenForDead({ reply }: DeliveryResult): AppError {
  return new AppError('internal', `somebody took this sender for dead; the relay said ${reply}`)
}
