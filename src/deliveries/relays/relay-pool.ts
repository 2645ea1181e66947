import type { Log } from '../../log.ts'
import type { RelaySettings } from '../../mail/smtp/relay-settings.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import type { Db } from '../../store/schema.ts'
import type { WaitingClock } from '../../time/clock.ts'
import { FairShares } from '../limits/fair-shares.ts'
import type { Wait } from '../limits/limit.ts'
import { type ConnectionWork, PooledRelay } from './pooled-relay.ts'
import type { RawMessage } from './relay.ts'

/** `isTrouble`: the relays take nothing; else they have taken all that the day allows. */
export type Blocked = Wait & { isTrouble: boolean }

/** `secret`: the installation's, for refresh tokens that are kept in the store; without it none are. */
type Needs = { db: Db; clock: WaitingClock; log?: Log | undefined; secret?: string | undefined }

/** All relays of the configuration. Each message goes by one of them, by weight, within its limits. */
export class RelayPool {
  readonly #clock: WaitingClock
  readonly #relays: PooledRelay[]
  #passes = 0

  constructor({ db, clock, log, secret }: Needs, all: RelaySettings[]) {
    const needs = {
      db,
      clock,
      tokenStore: secret === undefined ? undefined : { db, secret },
      shares: all.length === 1 ? undefined : new FairShares(clock),
      onLimit: (relay: string, limit: number) =>
        log?.warn({ event: 'relay.connection_limit', relay, limit }, limitText(limit)),
    }
    this.#clock = clock
    this.#relays = all.map((settings) => new PooledRelay(needs, settings))
  }

  get names(): string[] {
    return this.#relays.map(({ name }) => name)
  }

  /** Those that messages may go by now; standby relays only where no other is up. */
  inUse(): PooledRelay[] {
    const up = this.#relays.filter(({ isUp }) => isUp)
    const first = up.filter(({ settings }) => !settings.standby)
    return first.length > 0 ? first : up
  }

  named(name: string | null): PooledRelay | undefined {
    return name === null ? this.#relays[0] : this.#relays.find((relay) => relay.name === name)
  }

  beginPass(): void {
    this.#passes += 1
    if (this.#passes === 1) for (const { health } of this.#relays) health.begin()
  }

  /** A pass is over: relays that took nothing at its end are paused, and what is left of a day's quota is given back. */
  async endPass(): Promise<void> {
    this.#passes -= 1
    for (const { health, admission } of this.#relays) {
      health.end()
      if (this.#passes === 0) await admission.close()
    }
  }

  /**
   * Works over as many connections as the relays in use accept, and those in `also` that are up, but for those in
   * `except`, until the work is done or the signal fires. A fault of the work is thrown once all connections have ended.
   */
  async run(
    work: ConnectionWork,
    { signal, except, also }: { signal: AbortSignal; except: ReadonlySet<string>; also: ReadonlySet<string> },
  ): Promise<void> {
    const used = new Set([...this.inUse(), ...this.#relays.filter(({ name, isUp }) => isUp && also.has(name))])
    const relays = [...used].filter(({ name }) => !except.has(name))
    await Promise.all(relays.map((relay) => relay.run(work, signal)))
  }

  /** Why no message can go now, by any relay but those in `except`; undefined: some can. */
  blockedReason(except: ReadonlySet<string> = new Set()): Blocked | undefined {
    const relays = this.#relays.filter(({ name }) => !except.has(name))
    if (relays.some(({ isUp }) => isUp)) return undefined
    const troubles = this.#relays.flatMap(({ health }) => (health.isPaused ? health.trouble : []))
    const exhausted = relays.flatMap(({ admission }) => admission.exhausted?.reason ?? [])
    const until = relays.map(({ upAt }) => upAt).sort()[0] ?? this.#clock.now()
    const isTrouble = troubles.length > 0
    return { until, isTrouble, reason: (isTrouble ? troubles : exhausted).join('; ') }
  }

  /** Hands one message over, by the first relay that takes it, whatever its limits. */
  async send(message: RawMessage): Promise<SendResult> {
    const used = this.inUse()
    const inOrder = [...used, ...this.#relays.filter((relay) => !used.includes(relay))]
    let result: SendResult = { kind: 'unsent', reply: 'there is no relay' }
    for (const { relay } of inOrder) {
      result = await relay.send(message)
      if (result.kind === 'accepted' || result.kind === 'unknown') break
    }
    return result
  }

  async close(): Promise<void> {
    await Promise.all(this.#relays.map(({ relay }) => relay.close()))
  }
}

function limitText(limit: number): string {
  return `the relay accepts ${limit} ${limit === 1 ? 'connection' : 'connections'} at a time: write connections: ${limit}`
}
