import type { QueuedDelivery } from '../store/deliveries/deliveries.ts'
import { type Instant, msBetween, second, type WaitingClock } from '../time/clock.ts'
import type { Admission } from './limits/admission.ts'
import type { Wait } from './limits/limit.ts'
import type { ProviderRate } from './limits/provider-rate.ts'
import type { ProviderRates } from './limits/provider-rates.ts'

export type QueueNeeds = {
  clock: WaitingClock
  rates: ProviderRates
  admission: Admission
  /** The next page of due deliveries after this subscriber; the last page is short or empty. */
  readPage(after: string): Promise<QueuedDelivery[]>
  /** Whether no further message should begin; checked once a second while the queue waits. */
  isOver(): Promise<boolean>
  /**
   * Whether another edition has no connection of this relay; then a connection that only waits for a token is handed
   * over.
   */
  isWanted?(relay: string | null): boolean
  /** The delivery is skipped, and read again later. */
  onPassedBy?(delivery: QueuedDelivery): void
  /** Whether this relay can carry the delivery; absent: all relays can. */
  isFit?(delivery: QueuedDelivery, relay: string | null): boolean
  signal?: AbortSignal | undefined
  /** Total milliseconds that a pass waits for slow providers; the remaining deliveries are left to a later pass. */
  maxSlowWaitMs: number
}

type Found = QueuedDelivery | undefined

const maxOfOneProvider = 100
const maxSetAside = 2000
const stepMs = second / 2
/** How long a connection that another edition needs waits for a token before it is handed over. */
const handOverMs = 20

/**
 * Gives all connections the deliveries that may be sent now, in subscriber order; no slow provider or relay blocks
 * another. Deliveries to a provider that is slow over this relay are set aside within a memory limit, or skipped and
 * read again; when nothing else is left the queue waits for a token and claims nothing.
 */
export class PacedQueue {
  readonly #needs: QueueNeeds
  #page: QueuedDelivery[] = []
  #used = 0
  #after = ''
  #isRead = false
  #reading: Promise<void> | undefined
  /** Returned by a connection that could not send them. */
  readonly #returned: QueuedDelivery[] = []
  /** Deliveries set aside, by mail provider. */
  readonly #aside = new Map<string, QueuedDelivery[]>()
  readonly #asideIds = new Set<string>()
  /** Providers with skipped deliveries, for lack of room. */
  #passed = new Set<string>()
  /** On a repeated read: the providers to read deliveries for. */
  #wanted: Set<string> | undefined
  /** Until when no delivery that is set aside has a token, by relay. */
  readonly #tokenAt = new Map<string | null, Instant>()
  readonly #turns = new Map<string | null, Promise<unknown>>()
  /** Relays that found no delivery because another edition needs the connection. */
  readonly #handedOver = new Set<string | null>()
  #waitedMs = 0
  #wait: Wait | undefined
  #isToReadAgain = false
  #waiting = 0
  #isEnded = false
  readonly #listeners = new Set<() => void>()

  constructor(needs: QueueNeeds) {
    this.#needs = needs
  }

  /** Why the pass ends with deliveries left for later. */
  get wait(): Wait | undefined {
    return this.#wait
  }

  /**
   * The number of deliveries that could be sent now and are in no connection: they were returned, or the relays that
   * drew cannot carry them.
   */
  get left(): number {
    return this.#wait ? 0 : this.#returned.length + this.#asideIds.size + (this.#isToReadAgain ? 1 : 0)
  }

  /** The next delivery for this relay; undefined: no more in this pass. */
  next(relay: string | null): Found | Promise<Found> {
    const delivery = this.#page[this.#used]
    const { rates, admission } = this.#needs
    const isPlain = delivery && this.#asideIds.size === 0 && this.#returned.length === 0
    if (
      isPlain &&
      this.#isFit(delivery, relay) &&
      rates.of(delivery.email, relay).isUnlimited &&
      admission.reserve() === 'ok'
    ) {
      this.#used += 1
      return delivery
    }
    const found = (this.#turns.get(relay) ?? Promise.resolve()).then(() => this.#find(relay))
    this.#turns.set(
      relay,
      found.catch(() => {}),
    )
    return found
  }

  /** Whether this relay found nothing only because another edition needs its connection. */
  isHandedOver(relay: string | null): boolean {
    return this.#handedOver.has(relay)
  }

  /** Takes back a delivery that is still queued: another connection may send it. */
  giveBack(delivery: QueuedDelivery): void {
    this.#returned.push(delivery)
  }

  /** Reads deliveries again that were drawn before and are queued again, after everything else. */
  readAgain(): void {
    this.#isToReadAgain = true
  }

  /** Whether the queue begins to wait for a token before the promise settles. */
  waitsBefore(promise: Promise<unknown>): Promise<boolean> {
    const { promise: answer, resolve } = Promise.withResolvers<boolean>()
    const listener = () => resolve(true)
    const settled = () => {
      this.#listeners.delete(listener)
      resolve(false)
    }
    promise.then(settled, settled)
    if (this.#waiting > 0) listener()
    else this.#listeners.add(listener)
    return answer
  }

  async #find(relay: string | null): Promise<Found> {
    const { admission, signal } = this.#needs
    this.#handedOver.delete(relay)
    while (!this.#wait && !this.#isEnded && !signal?.aborted) {
      const blocked = await admission.blockedReason()
      if (blocked) {
        this.#wait ??= blocked
        return undefined
      }
      const delivery = this.#fromReturned(relay) ?? this.#fromAside(relay) ?? this.#fromPage(relay)
      if (delivery && admission.reserve() === 'ok') return delivery
      if (delivery)
        this.#returned.push(delivery) // a limit was reached between the two checks
      else if (!(await this.#moveOn(relay))) return undefined
    }
    return undefined
  }

  /** Moves to the next delivery or page, or waits for a token; false: no more in this pass. */
  async #moveOn(relay: string | null): Promise<boolean> {
    if (this.#used < this.#page.length) this.#used += 1
    else if (!this.#isRead) await this.#readOnce()
    else if (this.#isToReadAgain || this.#isRoomForPassed()) this.#startAgain()
    else return this.#hasFit(relay) && (await this.#waitForToken(relay))
    return true
  }

  #isFit(delivery: QueuedDelivery, relay: string | null): boolean {
    return this.#needs.isFit?.(delivery, relay) ?? true
  }

  #fromReturned(relay: string | null): Found {
    const index = this.#returned.findIndex((one) => this.#isFit(one, relay) && this.#takeToken(one, relay))
    return index < 0 ? undefined : this.#returned.splice(index, 1)[0]
  }

  #takeToken({ email }: QueuedDelivery, relay: string | null): boolean {
    const { rates } = this.#needs
    return rates.of(email, relay).reserve() === 'ok'
  }

  /** The first delivery set aside that has a token now. */
  #fromAside(relay: string | null): Found {
    const { rates, clock } = this.#needs
    const tokenAt = this.#tokenAt.get(relay)
    if (this.#asideIds.size === 0 || (tokenAt !== undefined && clock.now() < tokenAt)) return undefined
    let earliest: Instant | undefined
    for (const [provider, deliveries] of this.#aside) {
      const index = deliveries.findIndex((one) => this.#isFit(one, relay))
      const delivery = deliveries[index]
      if (!delivery) continue
      const rate = rates.of(delivery.email, relay)
      const reservation = rate.reserve()
      if (reservation !== 'ok') {
        const at = reservation.until
        if (earliest === undefined || at < earliest) earliest = at
        continue
      }
      deliveries.splice(index, 1)
      if (deliveries.length === 0) this.#aside.delete(provider)
      this.#asideIds.delete(delivery.subscriberId)
      this.#tokenAt.delete(relay)
      return delivery
    }
    if (earliest !== undefined) this.#tokenAt.set(relay, earliest)
    return undefined
  }

  /** The next delivery of the page if it may be sent; otherwise sets it aside or skips it, without moving on. */
  #fromPage(relay: string | null): Found {
    const delivery = this.#page[this.#used]
    if (!delivery || this.#asideIds.has(delivery.subscriberId)) return undefined
    const provider = this.#needs.rates.of(delivery.email, relay).name
    if (!this.#aside.has(provider) && this.#isFit(delivery, relay) && this.#takeToken(delivery, relay)) {
      this.#used += 1
      return delivery
    }
    this.#setAside(provider, delivery)
    return undefined
  }

  #setAside(provider: string, delivery: QueuedDelivery): void {
    const deliveries = this.#aside.get(provider) ?? []
    if (deliveries.length >= maxOfOneProvider || this.#asideIds.size >= maxSetAside) this.#passBy(provider, delivery)
    else this.#keepAside(provider, deliveries, delivery)
  }

  #keepAside(provider: string, deliveries: QueuedDelivery[], delivery: QueuedDelivery): void {
    deliveries.push(delivery)
    this.#aside.set(provider, deliveries)
    this.#asideIds.add(delivery.subscriberId)
    this.#tokenAt.clear()
  }

  #passBy(provider: string, delivery: QueuedDelivery): void {
    this.#passed.add(provider)
    this.#needs.onPassedBy?.(delivery)
  }

  /** Reads one page at a time, for all callers. */
  async #readOnce(): Promise<void> {
    this.#reading ??= this.#readOn()
    try {
      await this.#reading
    } finally {
      this.#reading = undefined
    }
  }

  async #readOn(): Promise<void> {
    if (this.#wanted && this.#isFull(this.#wanted)) {
      for (const provider of this.#wanted) this.#passed.add(provider)
      this.#isRead = true
      return
    }
    const page = await this.#needs.readPage(this.#after)
    this.#page = page
    this.#used = 0
    this.#after = page.at(-1)?.subscriberId ?? this.#after
    if (page.length === 0) this.#isRead = true
  }

  /** Whether there is no room for further deliveries to any of these providers. */
  #isFull(some: Set<string>): boolean {
    if (this.#asideIds.size >= maxSetAside) return true
    return [...some].every((provider) => (this.#aside.get(provider)?.length ?? 0) >= maxOfOneProvider)
  }

  #isRoomForPassed(): boolean {
    return this.#asideIds.size < maxSetAside && [...this.#passed].some((provider) => !this.#aside.has(provider))
  }

  /** Begins to read the skipped deliveries again. */
  #startAgain(): void {
    this.#wanted = this.#isToReadAgain ? undefined : this.#passed
    this.#isToReadAgain = false
    this.#passed = new Set()
    this.#after = ''
    this.#isRead = false
  }

  /** Whether any delivery that waits for a token can go over this relay. */
  #hasFit(relay: string | null): boolean {
    for (const deliveries of [this.#returned, ...this.#aside.values()])
      if (deliveries.some((one) => this.#isFit(one, relay))) return true
    return false
  }

  /** Waits for a token or the end; false: no more in this pass. */
  async #waitForToken(relay: string | null): Promise<boolean> {
    const { clock, signal, maxSlowWaitMs, isOver, isWanted } = this.#needs
    const rate = this.#readyFirst(relay)
    if (!rate) return true
    const { until } = rate.wait
    if (this.#waitedMs >= maxSlowWaitMs) {
      this.#wait ??= rate.wait
      return false
    }
    this.#beginWaiting()
    const maxMs = isWanted?.(relay) ? handOverMs : stepMs
    const waitMs = Math.min(Math.max(1, msBetween(clock.now(), until)), maxMs)
    await clock.wait(waitMs, signal)
    this.#waitedMs += waitMs
    this.#waiting -= 1
    this.#isEnded ||= await isOver()
    if (isWanted?.(relay)) this.#handedOver.add(relay)
    return !this.#isEnded && !this.#handedOver.has(relay)
  }

  #readyFirst(relay: string | null): ProviderRate | undefined {
    const { rates } = this.#needs
    let first: ProviderRate | undefined
    for (const deliveries of [this.#returned, ...this.#aside.values()]) {
      const delivery = deliveries.find((one) => this.#isFit(one, relay))
      const rate = delivery && rates.of(delivery.email, relay)
      if (rate && (!first || rate.readyAt < first.readyAt)) first = rate
    }
    return first
  }

  #beginWaiting(): void {
    this.#waiting += 1
    for (const listener of this.#listeners) listener()
    this.#listeners.clear()
  }
}
