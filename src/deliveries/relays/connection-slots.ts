import { addMs, type Clock, type Instant, minute, second } from '../../time/clock.ts'

/** A slot for one open connection; `isProven`: the relay has served it, and it has not broken since. */
export type Slot = {
  isProven: boolean
  /** One connection above the known limit, which tests whether the limit has risen. */
  isProbe: boolean
  takenAt: Instant
}

/**
 * An edition that sends over a relay. `start` gets a slot; `held` counts its slots; `isWaiting`: it can use another
 * one.
 */
export type Customer = { held: number; isWaiting: boolean; start(slot: Slot): void }

/** Maximum number of open connections that the relay has not served yet. */
const maxOpening = 10
/**
 * After this many refused connections within a minute a relay gets no further ones while one is open: it may ban us.
 */
const maxRefusedPerMinute = 15
const firstProbeMs = minute
const maxProbeMs = 10 * minute
/** A renewed connection may overlap with its predecessor, which the relay still counts. */
const renewalProbeMs = second
/** How long an edition keeps its only connection while another has none. */
const turnMs = 250

/**
 * Limits the connections to a relay, over all editions, which share the slots evenly. The number doubles as connections
 * are served; a relay that turns one away while it serves others has reached its limit, which is tested again after a
 * minute, then less and less often.
 */
export class ConnectionSlots {
  readonly #clock: Clock
  readonly #configured: number
  readonly #onLimit: (limit: number) => void
  readonly #slots = new Set<Slot>()
  readonly #customers = new Set<Customer>()
  #limit: number
  /**
   * The limit before connections were turned away, kept until the relay has served every open connection: it may be
   * down.
   */
  #limitBefore: number | undefined
  #probeAt: Instant = ''
  #probeMs = firstProbeMs
  #refusedAt: Instant[] = []
  #isLimitReported = false

  /** `onLimit` is called once if the relay accepts fewer connections than `configured`. */
  constructor(clock: Clock, configured: number, onLimit: (limit: number) => void) {
    this.#clock = clock
    this.#configured = configured
    this.#onLimit = onLimit
    this.#limit = configured
  }

  get limit(): number {
    return this.#limit
  }

  get open(): number {
    return this.#slots.size
  }

  /** Whether the relay serves another open connection beside this one. */
  isServing(except: Slot): boolean {
    for (const slot of this.#slots) if (slot !== except && slot.isProven) return true
    return false
  }

  /** Gives the customer slots, now and as they become free, until `leave`. */
  join(customer: Customer): void {
    customer.isWaiting = true
    this.#customers.add(customer)
    this.#distribute()
  }

  leave(customer: Customer): void {
    customer.isWaiting = false
    this.#customers.delete(customer)
  }

  /** The relay has served this connection. */
  served(slot: Slot): void {
    if (slot.isProven && this.#limitBefore === undefined && this.#limit === this.#configured) return
    if (slot.isProbe) this.#raise(slot)
    if (this.#limitBefore !== undefined && slot.isProven) this.#confirmLimit()
    slot.isProven = true
    this.#distribute()
  }

  /** The slot's connection broke: the next one is new to the relay. */
  broke(slot: Slot): void {
    slot.isProven = false
  }

  /**
   * The relay turned this new connection away while it serves others. `wasServed`: it served an earlier one of the
   * slot.
   */
  refused(slot: Slot, { wasServed }: { wasServed: boolean }): void {
    const now = this.#clock.now()
    this.#refusedAt = [...this.#refusedLately(now), now]
    if (slot.isProbe) this.#probeMs = Math.min(this.#probeMs * 2, maxProbeMs)
    else {
      if (!wasServed) this.#limitBefore ??= this.#limit
      this.#limit = Math.max(1, this.#slots.size - 1)
    }
    this.#probeAt = addMs(now, wasServed ? renewalProbeMs : this.#probeMs)
  }

  /** Whether the customer must give up this slot, because another one waits with fewer. */
  isWantedByOthers(customer: Customer, slot: Slot): boolean {
    if (this.#customers.size < 2) return false
    for (const other of this.#customers) {
      if (other === customer || !other.isWaiting) continue
      if (other.held < customer.held - 1) return true
      if (other.held === 0 && this.#clock.now() >= addMs(slot.takenAt, turnMs)) return true
    }
    return false
  }

  /** Whether one of several editions waits without a connection. */
  get isMissedByAnEdition(): boolean {
    if (this.#customers.size < 2) return false
    for (const { held, isWaiting } of this.#customers) if (isWaiting && held === 0) return true
    return false
  }

  release(customer: Customer, slot: Slot): void {
    this.#slots.delete(slot)
    customer.held -= 1
    if (this.#customers.delete(customer)) this.#customers.add(customer) // to the end of the queue
    if (this.#slots.size === 0 && this.#limitBefore !== undefined) {
      this.#limit = this.#limitBefore // no connection is served: the relay is down, so this was no limit
      this.#limitBefore = undefined
    }
    this.#distribute()
  }

  #distribute(): void {
    while (this.#mayOpen()) {
      const customer = this.#neediest()
      if (!customer) return
      const slot: Slot = { isProven: false, isProbe: this.#slots.size >= this.#limit, takenAt: this.#clock.now() }
      if (slot.isProbe) this.#probeAt = addMs(slot.takenAt, this.#probeMs)
      this.#slots.add(slot)
      customer.held += 1
      customer.start(slot)
    }
  }

  #neediest(): Customer | undefined {
    let neediest: Customer | undefined
    for (const customer of this.#customers)
      if (customer.isWaiting && customer.held < (neediest?.held ?? Number.POSITIVE_INFINITY)) neediest = customer
    return neediest
  }

  #mayOpen(): boolean {
    if (this.#slots.size === 0) return true
    const now = this.#clock.now()
    const isOverdue = this.#probeAt > addMs(now, maxProbeMs) // the clock was set back
    const isProbeDue = this.#limit < this.#configured && (now >= this.#probeAt || isOverdue)
    if (this.#slots.size >= this.#limit + (isProbeDue ? 1 : 0)) return false
    if (this.#refusedLately(now).length >= maxRefusedPerMinute) return false
    let proven = 0
    for (const { isProven } of this.#slots) if (isProven) proven += 1
    return this.#slots.size - proven < Math.max(1, Math.min(proven, maxOpening))
  }

  #refusedLately(now: Instant): Instant[] {
    return this.#refusedAt.filter((at) => at > addMs(now, -minute) && at <= now)
  }

  /** The relay serves more connections than the known limit. */
  #raise(slot: Slot): void {
    slot.isProbe = false
    this.#limit = Math.min(this.#configured, Math.max(this.#limit, this.#slots.size))
    this.#probeMs = firstProbeMs
  }

  #confirmLimit(): void {
    for (const { isProven } of this.#slots) if (!isProven) return // more may be turned away
    this.#limitBefore = undefined
    if (!this.#isLimitReported) this.#onLimit(this.#limit)
    this.#isLimitReported = true
  }
}
