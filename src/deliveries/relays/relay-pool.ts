import type { Log } from '../../log.ts'
import type { RelaySettings } from '../../mail/smtp/relay-settings.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import { withFurther } from '../../store/events/reason.ts'
import type { Db } from '../../store/schema.ts'
import type { WaitingClock } from '../../time/clock.ts'
import { FairShares } from '../limits/fair-shares.ts'
import type { Wait } from '../limits/limit.ts'
import { combinedResult } from './combined-result.ts'
import { type ConnectionWork, PooledRelay } from './pooled-relay.ts'
import type { RawMessage } from './relay.ts'

/** `isTrouble`: the relays take no messages; otherwise their daily quotas are used up. */
export type Blocked = Wait & { isTrouble: boolean }

/** `secret`: the installation's secret, for refresh tokens kept in the store; if absent, none are stored. */
type Needs = { db: Db; clock: WaitingClock; log?: Log | undefined; secret?: string | undefined }

/** All configured relays. Each message is sent over one of them, by weight, within its limits. */
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

  /** The relays that may send now; standby relays only if no other is up. */
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

  /** Ends a pass: pauses the relays that failed at its end, and returns unused daily quotas. */
  async endPass(): Promise<void> {
    this.#passes -= 1
    for (const { health, admission } of this.#relays) {
      health.end()
      if (this.#passes === 0) await admission.close()
    }
  }

  /**
   * Runs the work over as many connections as the relays accept, until it is done or the signal fires. Uses the relays
   * in use and those in `also` that are up, except `except`; throws the work's error after all connections have ended.
   */
  async run(
    work: ConnectionWork,
    { signal, except, also }: { signal: AbortSignal; except: ReadonlySet<string>; also: ReadonlySet<string> },
  ): Promise<void> {
    const used = new Set([...this.inUse(), ...this.#relays.filter(({ name, isUp }) => isUp && also.has(name))])
    const relays = [...used].filter(({ name }) => !except.has(name))
    await Promise.all(relays.map((relay) => relay.run(work, signal)))
  }

  /** Why no relay outside `except` can send now; undefined: one can. */
  blockedReason(except: ReadonlySet<string> = new Set()): Blocked | undefined {
    const relays = this.#relays.filter(({ name }) => !except.has(name))
    if (relays.some(({ isUp }) => isUp)) return undefined
    const troubles = this.#relays.flatMap(({ health }) => (health.isPaused && health.trouble ? [health.trouble] : []))
    const exhausted = relays.flatMap(({ admission }) => admission.exhausted?.reason ?? [])
    const until = relays.map(({ upAt }) => upAt).sort()[0] ?? this.#clock.now()
    const isTrouble = troubles.length > 0
    const [reason = { code: 'no-relay' as const }, ...further] = isTrouble ? troubles : exhausted
    return { until, isTrouble, reason: withFurther(reason, ...further) }
  }

  /**
   * Hands one message over, by the first relay that takes it, ignoring its limits. A relay that gives no answer may have
   * taken it; the next one then gets the same message.
   */
  async send(message: RawMessage): Promise<SendResult> {
    const used = this.inUse()
    const inOrder = [...used, ...this.#relays.filter((relay) => !used.includes(relay))]
    const results: SendResult[] = []
    for (const pooled of inOrder) {
      const result = await pooled.relay.send(message)
      if (result.kind === 'accepted') return result
      if (pooled === this.#relays[0]) results.unshift(result)
      else results.push(result)
    }
    return combinedResult(results)
  }

  async close(): Promise<void> {
    await Promise.all(this.#relays.map(({ relay }) => relay.close()))
  }
}

function limitText(limit: number): string {
  const accepted = `the relay accepts ${limit} ${limit === 1 ? 'connection' : 'connections'} at a time from this process`
  return `${accepted}. If no other process sends, write connections: ${limit}. If others do, divide the relay's limit by the number of processes`
}
