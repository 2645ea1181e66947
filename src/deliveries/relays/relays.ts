import type { Log } from '../../log.ts'
import type { RelaySettings } from '../../mail/smtp/connect.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import type { Db } from '../../store/schema.ts'
import type { WaitingClock } from '../../time/clock.ts'
import type { Wait } from '../limits/gate.ts'
import { openShares } from '../limits/shares.ts'
import type { Customer, Slot } from './connection-slots.ts'
import type { Outgoing } from './relay.ts'
import type { RelayLine } from './relay-line.ts'
import { RelayMember } from './relay-member.ts'

export { dayWords } from './relay-member.ts'

/** `isTrouble`: the relays take nothing; else they have taken all that the day allows. */
export type Blocked = Wait & { isTrouble: boolean }

/**
 * How the work on a line ended: `done`, nothing more is to be sent by this relay in this pass; `again`, the line was of
 * no use or is another's turn, and there is more to send.
 */
export type LineEnd = 'done' | 'again'

/** `secret`: the installation's, for refresh tokens that are kept in the store; without it none are. */
type Needs = { db: Db; clock: WaitingClock; log?: Log | undefined; secret?: string | undefined }

/** All relays of the configuration. Each message goes by one of them, by weight, within its limits. */
export class Relays {
  readonly #clock: WaitingClock
  readonly #members: RelayMember[]
  #passes = 0

  constructor({ db, clock, log, secret }: Needs, all: RelaySettings[]) {
    const shares = openShares(clock)
    this.#clock = clock
    this.#members = all.map(
      (settings) =>
        new RelayMember(
          {
            db,
            clock,
            tokenStore: secret === undefined ? undefined : { db, secret },
            isAlone: all.length === 1,
            share: shares(settings.weight, settings.connections),
            onLimit: (relay, limit) => log?.warn({ event: 'relay.connection_limit', relay, limit }, limitText(limit)),
          },
          settings,
        ),
    )
  }

  get isAlone(): boolean {
    return this.#members.length === 1
  }

  get names(): string[] {
    return this.#members.map(({ name }) => name)
  }

  /** Those that messages may go by now; those that stand by only where no other is up. */
  inUse(): RelayMember[] {
    const up = this.#members.filter(({ isUp }) => isUp)
    const first = up.filter(({ settings }) => !settings.standby)
    return first.length > 0 ? first : up
  }

  named(name: string | null): RelayMember | undefined {
    return name === null ? this.#members[0] : this.#members.find((member) => member.name === name)
  }

  beginPass(): void {
    this.#passes += 1
    if (this.#passes === 1) for (const { health } of this.#members) health.begin()
  }

  /** A pass is over: relays that took nothing at its end are left alone for a while, and what is left of a day is given back. */
  async endPass(): Promise<void> {
    this.#passes -= 1
    for (const { health, allowance } of this.#members) {
      health.end()
      if (this.#passes === 0) await allowance?.close()
    }
  }

  /**
   * Does the work over as many lines as the relays in use accept, and those in `also` that are up, but for those in
   * `except`, until all of it is done or the signal fires. A fault of the work is thrown once all lines have ended.
   */
  async run(
    work: (line: RelayLine) => Promise<LineEnd>,
    { signal, except, also }: { signal: AbortSignal; except: ReadonlySet<string>; also: ReadonlySet<string> },
  ): Promise<void> {
    const used = new Set([...this.inUse(), ...this.#members.filter(({ name, isUp }) => isUp && also.has(name))])
    const members = [...used].filter(({ name }) => !except.has(name))
    await Promise.all(members.map((member) => this.#runOver(member, work, signal)))
  }

  #runOver(member: RelayMember, work: (line: RelayLine) => Promise<LineEnd>, signal: AbortSignal): Promise<void> {
    const { slots } = member
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let fault: unknown
    const leave = () => {
      slots.leave(customer)
      if (customer.held === 0) end()
    }
    const end = () => {
      signal.removeEventListener('abort', leave)
      if (fault === undefined) resolve()
      else reject(fault)
    }
    const start = async (slot: Slot) => {
      const line = member.lineFor(customer, slot, signal)
      let isMore = false
      try {
        isMore = (await work(line)) === 'again' && member.isUp
      } catch (error) {
        fault ??= error
      }
      if (!isMore || signal.aborted) slots.leave(customer)
      line.release()
      if (customer.held === 0 && !customer.isWaiting) end()
    }
    const customer: Customer = { held: 0, isWaiting: false, start: (slot) => void start(slot) }
    signal.addEventListener('abort', leave)
    if (signal.aborted) resolve()
    else slots.join(customer)
    return promise
  }

  /** Why no message can go now, by any relay but those in `except`; undefined: some can. */
  blocked(except: ReadonlySet<string> = new Set()): Blocked | undefined {
    const members = this.#members.filter(({ name }) => !except.has(name))
    if (members.some(({ isUp }) => isUp)) return undefined
    const resting = this.#members.filter(({ health }) => health.isResting)
    const until = members.map(({ upAt }) => upAt).sort()[0] ?? this.#clock.now()
    if (resting.length > 0)
      return { until, isTrouble: true, reason: resting.map(({ health }) => health.trouble).join('; ') }
    return { until, isTrouble: false, reason: members.map(({ spentReason }) => spentReason).join('; ') }
  }

  /** Hands one message over, by the first relay that takes it, whatever its limits. */
  async send(message: Outgoing): Promise<SendResult> {
    const used = this.inUse()
    const inOrder = [...used, ...this.#members.filter((member) => !used.includes(member))]
    let result: SendResult = { kind: 'unsent', reply: 'there is no relay' }
    for (const { relay } of inOrder) {
      result = await relay.send(message)
      if (result.kind === 'accepted' || result.kind === 'unknown') break
    }
    return result
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map(({ relay }) => relay.close()))
  }
}

function limitText(limit: number): string {
  return `the relay accepts ${limit} ${limit === 1 ? 'connection' : 'connections'} at a time: write connections: ${limit}`
}
