import type { QueuedDelivery } from '../store/deliveries/deliveries.ts'
import { type Instant, msBetween, second, type WaitingClock } from '../time/clock.ts'
import type { Admission } from './limits/admission.ts'
import type { Wait } from './limits/limit.ts'
import type { ProviderRate } from './limits/provider-rate.ts'
import type { ProviderRates } from './limits/provider-rates.ts'

export type QueueNeeds = {
  clock: WaitingClock
  buckets: ProviderRates
  gate: Admission
  /** The next page of deliveries that are due, after the subscriber named; the last page is short or empty. */
  readPage(after: string): Promise<QueuedDelivery[]>
  /** Whether nothing more is to be begun; asked once a second while the queue waits. */
  isOver(): Promise<boolean>
  /** Whether another edition has no connection of this relay: one that only waits for a token is then handed over. */
  isWanted?(relay: string | null): boolean
  /** The delivery is passed by, and read again later. */
  onPassedBy?(delivery: QueuedDelivery): void
  /** Whether this relay can carry the delivery; all can if absent. */
  isFit?(delivery: QueuedDelivery, relay: string | null): boolean
  signal?: AbortSignal | undefined
  /** Milliseconds that a pass waits in all for providers that are slow; the rest is for a later pass. */
  patience: number
}

type Found = QueuedDelivery | undefined

const maxOfOneProvider = 100
const maxSetAside = 2000
const stepMs = second / 2
/** How long a connection that another edition wants waits for a token before it is handed over. */
const handOverMs = 20

/**
 * What all connections draw their deliveries from: only what may go now, in the order of the subscribers. Those whose mail
 * provider is slow over the relay that asks are set aside, as many as memory is for, and go when there is a token; the
 * others are passed by and met again. So one provider never keeps another waiting, and a relay that a provider has slowed
 * keeps no other relay waiting. When nothing else is left the queue waits for a token; nothing is claimed meanwhile.
 */
export class PacedQueue {
  readonly #needs: QueueNeeds
  #page: QueuedDelivery[] = []
  #used = 0
  #after = ''
  #isRead = false
  #reading: Promise<void> | undefined
  /** Given back by a connection that could not send them. */
  readonly #returned: QueuedDelivery[] = []
  /** Set aside, by mail provider. */
  readonly #aside = new Map<string, QueuedDelivery[]>()
  readonly #asideIds = new Set<string>()
  /** Providers whose deliveries were passed by, for want of room. */
  #passed = new Set<string>()
  /** On a second time through: the providers whose deliveries are looked for. */
  #wanted: Set<string> | undefined
  /** Until when nothing that is set aside has a token, by relay. */
  readonly #tokenAt = new Map<string | null, Instant>()
  readonly #turns = new Map<string | null, Promise<unknown>>()
  /** Relays over which nothing was found, because another edition wants the connection. */
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

  /** Why the pass ends with something left that could go later. */
  get wait(): Wait | undefined {
    return this.#wait
  }

  /** How many could go now, and nobody has drawn: they were given back, or the relays that asked cannot carry them. */
  get left(): number {
    return this.#wait ? 0 : this.#returned.length + this.#asideIds.size + (this.#isToReadAgain ? 1 : 0)
  }

  /** The next that may go over this relay; undefined: nothing more in this pass. */
  next(relay: string | null): Found | Promise<Found> {
    const delivery = this.#page[this.#used]
    const { buckets, gate } = this.#needs
    const isPlain = delivery && this.#asideIds.size === 0 && this.#returned.length === 0
    if (
      isPlain &&
      this.#isFit(delivery, relay) &&
      buckets.of(delivery.email, relay).isUnlimited &&
      gate.reserve() === 'ok'
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

  /** Whether nothing was found for this relay only because its connection is another edition's turn. */
  isHandedOver(relay: string | null): boolean {
    return this.#handedOver.has(relay)
  }

  /** Takes back what was drawn and is queued still: another connection may send it. */
  giveBack(delivery: QueuedDelivery): void {
    this.#returned.push(delivery)
  }

  /** Deliveries that were drawn before are queued again: they are met once everything else was read. */
  readAgain(): void {
    this.#isToReadAgain = true
  }

  /** Whether the queue begins to wait for a token before that is settled. */
  waitsBefore(promise: Promise<unknown>): Promise<boolean> {
    const { promise: answer, resolve } = Promise.withResolvers<boolean>()
    const hear = () => resolve(true)
    const settled = () => {
      this.#listeners.delete(hear)
      resolve(false)
    }
    promise.then(settled, settled)
    if (this.#waiting > 0) hear()
    else this.#listeners.add(hear)
    return answer
  }

  async #find(relay: string | null): Promise<Found> {
    const { gate, signal } = this.#needs
    this.#handedOver.delete(relay)
    while (!this.#wait && !this.#isEnded && !signal?.aborted) {
      const blocked = await gate.blockedReason()
      if (blocked) {
        this.#wait ??= blocked
        return undefined
      }
      const delivery = this.#fromReturned(relay) ?? this.#fromAside(relay) ?? this.#fromPage(relay)
      if (delivery && gate.reserve() === 'ok') return delivery
      if (delivery)
        this.#returned.push(delivery) // a limit was reached between the two
      else if (!(await this.#moveOn(relay))) return undefined
    }
    return undefined
  }

  /** Goes to the next delivery or page, or waits for a token; false: there is nothing more in this pass. */
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
    const { buckets } = this.#needs
    return buckets.of(email, relay).reserve() === 'ok'
  }

  /** The first that was set aside and has a token now. */
  #fromAside(relay: string | null): Found {
    const { buckets, clock } = this.#needs
    const tokenAt = this.#tokenAt.get(relay)
    if (this.#asideIds.size === 0 || (tokenAt !== undefined && clock.now() < tokenAt)) return undefined
    let earliest: Instant | undefined
    for (const [provider, deliveries] of this.#aside) {
      const index = deliveries.findIndex((one) => this.#isFit(one, relay))
      const delivery = deliveries[index]
      if (!delivery) continue
      const bucket = buckets.of(delivery.email, relay)
      const reservation = bucket.reserve()
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

  /** The next of the page if it may go; else it is set aside or passed by, and the page stands before it still. */
  #fromPage(relay: string | null): Found {
    const delivery = this.#page[this.#used]
    if (!delivery || this.#asideIds.has(delivery.subscriberId)) return undefined
    const provider = this.#needs.buckets.of(delivery.email, relay).name
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

  /** One page at a time, whoever asks for it. */
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

  /** Nothing is to be gained by reading on: there is no room for more of any of these. */
  #isFull(some: Set<string>): boolean {
    if (this.#asideIds.size >= maxSetAside) return true
    return [...some].every((provider) => (this.#aside.get(provider)?.length ?? 0) >= maxOfOneProvider)
  }

  #isRoomForPassed(): boolean {
    return this.#asideIds.size < maxSetAside && [...this.#passed].some((provider) => !this.#aside.has(provider))
  }

  /** Meets again what was passed by. */
  #startAgain(): void {
    this.#wanted = this.#isToReadAgain ? undefined : this.#passed
    this.#isToReadAgain = false
    this.#passed = new Set()
    this.#after = ''
    this.#isRead = false
  }

  /** Whether anything that waits for a token can go over this relay. */
  #hasFit(relay: string | null): boolean {
    for (const deliveries of [this.#returned, ...this.#aside.values()])
      if (deliveries.some((one) => this.#isFit(one, relay))) return true
    return false
  }

  /** Waits until there is a token, or the end; false: nothing more in this pass. */
  async #waitForToken(relay: string | null): Promise<boolean> {
    const { clock, signal, patience, isOver, isWanted } = this.#needs
    const bucket = this.#readyFirst(relay)
    if (!bucket) return true
    const { until } = bucket.wait
    if (this.#waitedMs >= patience) {
      this.#wait ??= bucket.wait
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
    const { buckets } = this.#needs
    let first: ProviderRate | undefined
    for (const deliveries of [this.#returned, ...this.#aside.values()]) {
      const delivery = deliveries.find((one) => this.#isFit(one, relay))
      const bucket = delivery && buckets.of(delivery.email, relay)
      if (bucket && (!first || bucket.readyAt < first.readyAt)) first = bucket
    }
    return first
  }

  #beginWaiting(): void {
    this.#waiting += 1
    for (const hear of this.#listeners) hear()
    this.#listeners.clear()
  }
}
