import type { SendResult } from '../../mail/smtp/result.ts'
import { Admission } from '../limits/admission.ts'
import type { DailyQuota } from '../limits/daily-quota.ts'
import type { Share } from '../limits/fair-shares.ts'
import type { Limit, Wait } from '../limits/limit.ts'
import type { RelayRate } from '../limits/relay-rate.ts'
import type { RelayHealth } from './relay-health.ts'

/** An undefined limit does not apply. `share` is the relay's share if there are several relays. */
type Parts = {
  health: RelayHealth
  quota: DailyQuota | undefined
  rate: RelayRate | undefined
  share: Share | undefined
}

/** Whether one more message may be sent over one relay: by its health, its limits and its share. */
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

  /** Until when the relay's daily quota is used up. */
  get exhausted(): Wait | undefined {
    return this.#quota?.exhausted
  }

  /** Waits for a turn and admits one message; false: none in this pass. The caller settles each admitted message. */
  admit(signal: AbortSignal): true | Promise<boolean> {
    if (!this.isUp) return Promise.resolve(false)
    const reserved = this.#limits.reserveInTurn(signal)
    return reserved === 'ok' && !this.#share ? true : this.#admitInTurn(reserved, signal)
  }

  /**
   * Records the result of an admitted message; undefined: it was not sent. `slowProvider` complained about our rate.
   */
  settle(result: SendResult | undefined, slowProvider?: string): void {
    this.#share?.end()
    this.#limits.settle(result)
    if (result) this.#health.recordResult(result, slowProvider)
  }

  /** No connection of the relay works for now. */
  leave(): void {
    this.#share?.leave()
  }

  /** No message is in flight any more. */
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
