import type { SendResult } from '../../mail/smtp/result.ts'
import { Admission } from '../limits/admission.ts'
import type { DailyQuota } from '../limits/daily-quota.ts'
import type { Share } from '../limits/fair-shares.ts'
import type { Limit, Wait } from '../limits/limit.ts'
import type { RelayRate } from '../limits/relay-rate.ts'
import type { RelayHealth } from './relay-health.ts'

/** Undefined: without that limit. `share` is the relay's part where there are several. */
type Parts = {
  health: RelayHealth
  quota: DailyQuota | undefined
  rate: RelayRate | undefined
  share: Share | undefined
}

/** Whether one more message may go over one relay: by its health, its limits, and its share among the relays. */
export class RelayAdmission {
  readonly #health: RelayHealth
  readonly #quota: DailyQuota | undefined
  readonly #limits: Admission
  readonly #share: Share | undefined

  constructor({ health, quota, rate, share }: Parts) {
    this.#health = health
    this.#quota = quota
    this.#limits = new Admission([quota, rate].filter((limit) => limit !== undefined) satisfies Limit[])
    this.#share = share
  }

  get isUp(): boolean {
    return !this.#health.isPaused && !this.exhausted
  }

  /** The relay has taken what the day allows: until when. */
  get exhausted(): Wait | undefined {
    return this.#quota?.exhausted
  }

  /** Whether one more message may go, when it is its turn; false: none in this pass. Each that may is settled. */
  admit(signal: AbortSignal): true | Promise<boolean> {
    if (!this.isUp) return Promise.resolve(false)
    const reserved = this.#limits.reserveInTurn(signal)
    return reserved === 'ok' && !this.#share ? true : this.#admitInTurn(reserved, signal)
  }

  /** What became of a message that was admitted; undefined: it was not sent. `slowProvider` complained of our pace. */
  settle(result: SendResult | undefined, slowProvider?: string): void {
    this.#share?.end()
    this.#limits.settle(result)
    if (result) this.#health.recordResult(result, slowProvider)
  }

  /** No connection of the relay works for now. */
  leave(): void {
    this.#share?.leave()
  }

  /** No message is on its way any more. */
  async close(): Promise<void> {
    await this.#limits.close()
  }

  async #admitInTurn(reserving: ReturnType<Admission['reserveInTurn']>, signal: AbortSignal): Promise<boolean> {
    if ((await reserving) !== 'ok') return false
    const isInTurn = !this.#share || (await this.#share.take(signal))
    if (isInTurn && this.isUp) return true
    if (isInTurn) this.#share?.end()
    this.#limits.settle(undefined)
    return false
  }
}
