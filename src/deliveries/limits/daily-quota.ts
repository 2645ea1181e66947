import type { SendResult } from '../../mail/smtp/result.ts'
import type { Reason } from '../../store/events/reason.ts'
import { countSentOn, releaseQuota, reserveQuota } from '../../store/limits/daily-quotas.ts'
import type { Db } from '../../store/schema.ts'
import { addMs, type Clock, type Instant, minute } from '../../time/clock.ts'
import { addDays } from '../../time/zone.ts'
import type { Limit, Reservation, Wait } from './limit.ts'

/** One day: its message limit (null: none) and when it ends. */
export type Day = { date: string; limit: number | null; ends: Instant }

/** `reasonOf`: why nothing more is sent, once the day's quota is used up. */
export type QuotaRule = { name: string; dayAt(now: Instant): Day; reasonOf(day: Day): Reason }

/** Messages reserved from the store at once; a crash loses the unused ones for the day. */
const batchSize = 20
/** A used-up quota is checked again after this: another process may have returned some of it. */
const exhaustedMs = minute

/** A daily message quota, shared by all processes and kept across restarts. */
export class DailyQuota implements Limit {
  readonly #db: Db
  readonly #clock: Clock
  readonly #rule: QuotaRule
  #today: Day | undefined
  #left = 0
  #onTheWay = 0
  #exhausted: Wait | undefined
  #exhaustedUntil: Instant = ''

  constructor({ db, clock }: { db: Db; clock: Clock }, rule: QuotaRule) {
    this.#db = db
    this.#clock = clock
    this.#rule = rule
  }

  /** Until when the quota is known to be used up; undefined: messages may be left. */
  get exhausted(): Wait | undefined {
    if (!this.#exhausted) return undefined
    const now = this.#clock.now()
    const isKnown = now < this.#exhaustedUntil && this.#exhaustedUntil <= addMs(now, exhaustedMs) // the clock may have been set back
    return isKnown ? this.#exhausted : undefined
  }

  reserve(): Reservation {
    const today = this.#today
    if (today === undefined || this.#clock.now() >= today.ends) return 'refill'
    if (today.limit === null) return 'ok'
    if (this.#left === 0) return this.exhausted ?? 'refill'
    this.#left -= 1
    this.#onTheWay += 1
    return 'ok'
  }

  /** Reserves more of the day's quota in the store. */
  async refill(): Promise<void> {
    const now = this.#clock.now()
    if (this.#today === undefined || now >= this.#today.ends) await this.#turnTo(this.#rule.dayAt(now))
    const day = this.#today
    if (day === undefined || day.limit === null || this.#left > 0) return
    const { date, limit } = day
    const wanted = Math.min(batchSize, limit)
    const taken = await reserveQuota(this.#db, { name: this.#rule.name, day: date }, { limit, wanted })
    if (day !== this.#today) return await this.#release(day, taken)
    this.#left += taken // messages may have been returned during the query
    if (this.#left === 0) this.#exhaust(day)
  }

  /** Settles a reserved message; one that was not sent returns its quota. */
  settle(result: SendResult | undefined): void {
    const isOut = result?.kind === 'accepted' || result?.kind === 'unknown'
    if (!isOut) this.#exhausted = undefined
    if (this.#onTheWay === 0) return
    this.#onTheWay -= 1
    if (!isOut) this.#left += 1
  }

  async close(): Promise<void> {
    const unused = this.#left + this.#onTheWay
    this.#left = 0
    this.#onTheWay = 0
    await this.#release(this.#today, unused)
  }

  /** Starts a new day with nothing reserved; messages in flight count for the day of their reservation. */
  async #turnTo(day: Day): Promise<void> {
    const [before, unused] = [this.#today, this.#left]
    this.#today = day
    this.#left = 0
    this.#onTheWay = 0
    await this.#release(before, unused)
  }

  async #release(day: Day | undefined, count: number): Promise<void> {
    if (day && day.limit !== null && count > 0)
      await releaseQuota(this.#db, { name: this.#rule.name, day: day.date }, count)
  }

  #exhaust(day: Day): void {
    const until = addMs(this.#clock.now(), exhaustedMs)
    this.#exhausted = { until: day.ends, reason: this.#rule.reasonOf(day) }
    this.#exhaustedUntil = day.ends < until ? day.ends : until
  }
}

/** Why the quota blocks sending today, from the stored count; undefined: some quota is left. */
export async function quotaWait(db: Db, { name, dayAt, reasonOf }: QuotaRule, now: Instant): Promise<Wait | undefined> {
  const day = dayAt(now)
  if (day.limit === null || (await countSentOn(db, { name, day: day.date })) < day.limit) return undefined
  return { until: day.ends, reason: reasonOf(day) }
}

/** A relay's daily quota, by UTC. */
export function relayQuota(name: string, perDay: number): QuotaRule {
  return {
    name,
    dayAt(now) {
      const date = now.slice(0, 10)
      return { date, limit: perDay, ends: `${addDays(date, 1)}T00:00:00.000Z` }
    },
    reasonOf: ({ date }) => ({ code: 'relay-quota-used', relay: name, count: perDay, date }),
  }
}
