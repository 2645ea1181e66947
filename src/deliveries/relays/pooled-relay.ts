import { relayName } from '../../config/config.ts'
import type { TokenStore } from '../../mail/smtp/auth/refresh-token.ts'
import type { RelaySettings } from '../../mail/smtp/relay-settings.ts'
import type { Db } from '../../store/schema.ts'
import type { Instant, WaitingClock } from '../../time/clock.ts'
import { DailyQuota, relayQuota } from '../limits/daily-quota.ts'
import type { FairShares } from '../limits/fair-shares.ts'
import { RelayRate } from '../limits/relay-rate.ts'
import { ConnectionSlots, type Customer, type Slot } from './connection-slots.ts'
import { Relay } from './relay.ts'
import { RelayAdmission } from './relay-admission.ts'
import { RelayConnection } from './relay-connection.ts'
import { RelayHealth } from './relay-health.ts'

/**
 * How the work on a connection ended. `done`: this relay sends no more in this pass; `again`: the relay turned the
 * connection away or another edition needs it, and there is more to send.
 */
export type ConnectionEnd = 'done' | 'again'
export type ConnectionWork = (connection: RelayConnection) => Promise<ConnectionEnd>

type Needs = {
  db: Db
  clock: WaitingClock
  tokenStore: TokenStore | undefined
  /** Undefined if only one relay is configured. */
  shares: FairShares | undefined
  /** Called once if the relay accepts fewer connections than its settings allow. */
  onLimit(name: string, limit: number): void
}

/** One relay of the pool: its connections, health and limits. */
export class PooledRelay {
  readonly name: string
  readonly settings: RelaySettings
  readonly relay: Relay
  readonly health: RelayHealth
  readonly slots: ConnectionSlots
  readonly admission: RelayAdmission
  readonly #isAlone: boolean
  readonly #notifiedEditions = new Set<string>()

  constructor({ db, clock, tokenStore, shares, onLimit }: Needs, settings: RelaySettings) {
    const { connections, perSecond, perDay, weight } = settings
    const name = relayName(settings)
    this.name = name
    this.settings = settings
    this.relay = new Relay(settings, tokenStore)
    this.#isAlone = shares === undefined
    this.health = new RelayHealth(clock, this.#isAlone ? null : name)
    this.slots = new ConnectionSlots(clock, connections, (limit) => onLimit(name, limit))
    this.admission = new RelayAdmission({
      health: this.health,
      quota: perDay === undefined ? undefined : new DailyQuota({ db, clock }, relayQuota(name, perDay)),
      rate: perSecond === undefined ? undefined : new RelayRate({ db, clock }, name, perSecond),
      share: shares?.join(weight, connections),
    })
  }

  get isUp(): boolean {
    return this.admission.isUp
  }

  /** When the relay may be up again; '' if it is up. */
  get upAt(): Instant {
    return (this.health.isPaused ? this.health.pausedUntil : this.admission.exhausted?.until) ?? ''
  }

  /**
   * Whether the editors need a notice about this relay's failure for that edition: true at the first call in this
   * process.
   */
  claimNotice(editionId: string): boolean {
    if (this.#notifiedEditions.has(editionId)) return false
    this.#notifiedEditions.add(editionId)
    return true
  }

  /**
   * Runs the work over as many connections as the relay accepts, until it is done or the signal fires. Throws the
   * work's error after all connections have ended.
   */
  run(work: ConnectionWork, signal: AbortSignal): Promise<void> {
    return new RelayRun(this, work, signal).ended
  }

  /** A connection for the slot; its first message opens it, or takes an idle one. */
  connection(customer: Customer, slot: Slot, signal: AbortSignal): RelayConnection {
    const { slots, admission } = this
    const parts = { session: this.relay.session(), admission, slots, customer, slot, signal }
    return new RelayConnection(this.#isAlone ? null : this.name, parts)
  }
}

/** The work of one edition over one relay: a customer of its connection slots. */
class RelayRun implements Customer {
  held = 0
  isWaiting = false
  readonly ended: Promise<void>
  readonly #relay: PooledRelay
  readonly #work: ConnectionWork
  readonly #signal: AbortSignal
  readonly #end: () => void
  #fault: unknown

  constructor(relay: PooledRelay, work: ConnectionWork, signal: AbortSignal) {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.ended = promise
    this.#relay = relay
    this.#work = work
    this.#signal = signal
    const leave = () => {
      relay.slots.leave(this)
      if (this.held === 0) this.#end()
    }
    this.#end = () => {
      signal.removeEventListener('abort', leave)
      if (this.#fault === undefined) resolve()
      else reject(this.#fault)
    }
    signal.addEventListener('abort', leave)
    if (signal.aborted) resolve()
    else relay.slots.join(this)
  }

  start(slot: Slot): void {
    void this.#runConnection(this.#relay.connection(this, slot, this.#signal))
  }

  async #runConnection(connection: RelayConnection): Promise<void> {
    const { slots } = this.#relay
    let isMore = false
    try {
      isMore = (await this.#work(connection)) === 'again' && this.#relay.isUp
    } catch (error) {
      this.#fault ??= error
    }
    if (!isMore || this.#signal.aborted) slots.leave(this)
    connection.release()
    if (this.held === 0 && !this.isWaiting) this.#end()
  }
}
