import { isGreylisting } from '../../mail/reply-rules/deferrals.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import type { Reason } from '../../store/events/reason.ts'
import { fromJson, toJson } from '../../store/json.ts'
import { slowProviderRates } from '../../store/limits/provider-rates.ts'
import type { Db, ProviderRateRow } from '../../store/schema.ts'
import { type Clock, type Instant, msBetween, second } from '../../time/clock.ts'
import type { Limit, Wait } from './limit.ts'
import { afterComplaint, afterGood, complaintIn, type Pace, paceAt, unlimitedPace } from './provider-pace.ts'
import { TokenBucket } from './token-bucket.ts'

/** A message in flight: its number, and when it was handed to the relay. */
export type Ticket = { rate: ProviderRate; number: number; at: Instant }

/** The sending rate for one mail provider over one relay. A domain without a known provider is its own provider. */
export class ProviderRate implements Pick<Limit, 'reserve'> {
  readonly name: string
  /** '' if only one relay is configured. */
  readonly relay: string
  readonly #clock: Clock
  readonly #onChange: (rate: ProviderRate) => void
  readonly #bucket: TokenBucket
  #pace: Pace
  #slowedAt: Instant
  /**
   * Messages begun in total; complaints about those up to `#slowedTo` are ignored, because they were begun before the
   * slowdown.
   */
  #begun = 0
  #slowedTo = 0
  /** The current pass and the messages begun in it, from which the rate is measured. */
  #pass = -1
  #begunInPass = 0
  #passBegan: Instant

  constructor(name: string, relay: string, clock: Clock, onChange: (rate: ProviderRate) => void) {
    const now = clock.now()
    this.name = name
    this.relay = relay
    this.#clock = clock
    this.#onChange = onChange
    this.#bucket = new TokenBucket(now)
    this.#pace = unlimitedPace(now)
    this.#slowedAt = now
    this.#passBegan = now
  }

  get pace(): Pace {
    return this.#pace
  }

  get isUnlimited(): boolean {
    return this.#pace.rate === null
  }

  /** The row for the store; undefined while there is no limit. */
  get row(): ProviderRateRow | undefined {
    const { rate, reason, at } = this.#pace
    if (rate === null) return undefined
    return { name: this.name, relay: this.relay, rate, reason: toJson(reason), slowedAt: this.#slowedAt, updatedAt: at }
  }

  /** When the next token is available. */
  get readyAt(): Instant {
    const { rate } = this.#pace
    return rate === null ? this.#pace.at : this.#bucket.readyAt(rate)
  }

  /** Until when there is no token, and why. */
  get wait(): Wait {
    return { until: this.readyAt, reason: { code: 'provider-slow', provider: this.name, reason: this.#pace.reason } }
  }

  /** Takes a token. The token is never returned: its message may have been begun. */
  reserve(): 'ok' | Wait {
    this.#grow(this.#clock.now())
    return this.#pace.rate === null || this.#bucket.take() ? 'ok' : this.wait
  }

  /** A message is handed to the relay. The rate is measured anew in each pass. */
  begin(pass: number): Ticket {
    const at = this.#clock.now()
    if (this.#pass !== pass) {
      this.#pass = pass
      this.#begunInPass = 0
      this.#passBegan = at
    }
    this.#begunInPass += 1
    this.#begun += 1
    return { rate: this, number: this.#begun, at }
  }

  /**
   * Records the result of a message. Returns whether the reply comes from the provider itself: a rate complaint or
   * greylisting.
   */
  recordResult({ number, at }: Ticket, result: SendResult, now: Instant): boolean {
    const complaint = complaintIn(result, msBetween(at, now))
    if (!complaint) {
      if (this.#pace.irritation > 0) this.#pace = afterGood(this.#pace)
      return isGreylisting(result.reply)
    }
    if (number <= this.#slowedTo) return true // begun before the slowdown
    const perSecond = this.#begunInPass / Math.max(1, msBetween(this.#passBegan, now) / second)
    this.#grow(now)
    this.#slow(afterComplaint(this.#pace, complaint, perSecond, now), now)
    return true
  }

  /** Takes over the stored rate if it is lower: another process may have slowed this provider. */
  load({ rate, reason, slowedAt, updatedAt }: ProviderRateRow): void {
    const pace = paceAt({ rate, reason: fromJson(reason), irritation: 0, at: updatedAt }, this.#clock.now())
    if (pace.rate === null || pace.rate >= (this.#pace.rate ?? Number.POSITIVE_INFINITY)) return
    this.#bucket.set(0, updatedAt)
    this.#bucket.refill(rate, capacityOf(pace.rate), pace.at)
    this.#pace = pace
    this.#slowedAt = slowedAt
  }

  /** Takes over another rate if it is lower. */
  adopt(other: ProviderRate): void {
    const { rate } = other.#pace
    if (rate === null || (this.#pace.rate !== null && this.#pace.rate <= rate)) return
    this.#pace = other.#pace
    this.#slowedAt = other.#slowedAt
    this.#bucket.set(other.#bucket.tokens, other.#bucket.at)
    this.#onChange(this)
  }

  #slow(pace: Pace, now: Instant): void {
    if (pace.rate !== null && this.#pace.rate === null) this.#slowedAt = now
    if (pace.irritation === 0) {
      this.#slowedTo = this.#begun
      this.#bucket.set(0, now)
    }
    this.#pace = pace
    this.#onChange(this)
  }

  /** Adds the new tokens, at most those of one second, and raises the limit. */
  #grow(now: Instant): void {
    const { rate } = this.#pace
    if (rate === null) return
    this.#pace = paceAt(this.#pace, now)
    this.#bucket.refill(rate, capacityOf(this.#pace.rate ?? rate), now)
    if (this.#pace.rate !== rate) this.#onChange(this)
  }
}

const capacityOf = (perSecond: number) => Math.max(1, perSecond)

/** The providers that are slow now, from the store. */
export async function slowProviderReasons(db: Db, zone: string, now: Instant): Promise<Reason[]> {
  return (await slowProviderRates(db)).flatMap(({ name, relay, rate, reason: why, slowedAt: since, updatedAt }) => {
    const reason = fromJson(why)
    const { rate: perSecond } = paceAt({ rate, reason, irritation: 0, at: updatedAt }, now)
    if (perSecond === null) return []
    return [{ code: 'provider-rate', provider: name, relay: relay || null, perSecond, since, zone, reason }]
  })
}
