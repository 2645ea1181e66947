import { relayName } from '../../config/config.ts'
import type { RelaySettings } from '../../mail/smtp/connect.ts'
import type { TokenStore } from '../../mail/smtp/refresh-token.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import type { Db } from '../../store/schema.ts'
import { addMs, type Instant, minute, type WaitingClock } from '../../time/clock.ts'
import { addDays } from '../../time/zone.ts'
import { type Allowance, type Day, openAllowance } from '../limits/daily-quota.ts'
import { Rate } from '../limits/rate.ts'
import type { Share } from '../limits/shares.ts'
import { ConnectionSlots, type Customer, type Slot } from './connection-slots.ts'
import { openRelay, type Relay } from './relay.ts'
import { RelayHealth } from './relay-health.ts'
import { RelayLine } from './relay-line.ts'

/** A day of which nothing is left is asked for again after so long: another process may have given some back. */
const spentDayMs = minute

export type MemberNeeds = {
  db: Db
  clock: WaitingClock
  tokenStore: TokenStore | undefined
  isAlone: boolean
  share: Share
  /** Told once when it turns out to accept fewer connections than its settings say. */
  onLimit(name: string, limit: number): void
}

/** One relay of the configuration: its connections, its health, and the limits that its messages have to pass. */
export class RelayMember {
  readonly name: string
  readonly settings: RelaySettings
  readonly relay: Relay
  readonly health: RelayHealth
  readonly slots: ConnectionSlots
  readonly rate: Rate | undefined
  readonly allowance: Allowance | undefined
  readonly #needs: MemberNeeds
  /** The day of which nothing is left, and until when that is believed. */
  #spent: Day | undefined
  #spentUntil: Instant = ''
  #turn: Promise<unknown> = Promise.resolve()
  #lines = 0
  readonly #toldEditions = new Set<string>()

  constructor(needs: MemberNeeds, settings: RelaySettings) {
    const { db, clock, isAlone } = needs
    const { connections, perSecond, perDay } = settings
    this.#needs = needs
    this.settings = settings
    this.name = relayName(settings)
    this.relay = openRelay(settings, needs.tokenStore)
    this.health = new RelayHealth(clock, isAlone ? 'the relay' : `the relay ${this.name}`)
    this.slots = new ConnectionSlots(clock, connections, (limit) => needs.onLimit(this.name, limit))
    this.rate = perSecond === undefined ? undefined : new Rate({ db, clock }, this.name, perSecond)
    this.allowance =
      perDay === undefined ? undefined : openAllowance({ db, clock }, this.name, (now) => dayOf(now, perDay))
  }

  /** Whether the editors have not yet been told of it in connection with that edition, by this process. */
  isNewsAbout(editionId: string): boolean {
    if (this.#toldEditions.has(editionId)) return false
    this.#toldEditions.add(editionId)
    return true
  }

  get isAlone(): boolean {
    return this.#needs.isAlone
  }

  get isUp(): boolean {
    const now = this.#needs.clock.now()
    const isBelieved = now < this.#spentUntil && this.#spentUntil <= addMs(now, spentDayMs) // the clock may have been set back
    const isSpent = this.#spent !== undefined && isBelieved
    return !this.health.isResting && !isSpent
  }

  /** When it may be up again. */
  get upAt(): Instant {
    return (this.health.isResting ? this.health.restsUntil : this.#spent?.ends) ?? ''
  }

  /** For a person: what it may take on a day, it has taken. */
  get spentReason(): string {
    return dayWords(this.name, this.#spent?.most ?? 0, this.#spent?.date ?? '')
  }

  /** A line of this relay for a slot that the customer holds. */
  lineFor(customer: Customer, slot: Slot, signal: AbortSignal): RelayLine {
    this.#lines += 1
    return new RelayLine(this, customer, slot, signal)
  }

  lineEnded(): void {
    this.#lines -= 1
    if (this.#lines === 0) this.#needs.share.leave()
  }

  /** Whether one more message may go, when it is its turn; false: none in this pass. */
  admit(signal: AbortSignal): true | Promise<boolean> {
    if (this.isAlone && !this.rate && !this.allowance && !this.health.hasRested) return true
    if (!this.isUp) return Promise.resolve(false)
    return this.#admitInTurn(signal)
  }

  /** What became of a message that was admitted; undefined: it was not sent. */
  settle(result: SendResult | undefined, slowProvider: string | undefined): void {
    if (!this.isAlone) this.#needs.share.end()
    this.#settleDay(result?.kind === 'accepted' || result?.kind === 'unknown')
    if (result) this.health.hear(result, slowProvider)
    else this.rate?.giveBack() // another process has it: two of them meet the same people
  }

  /** The same for one that the relay turned away for want of connections: that says nothing about its health. */
  settleUnsent(): void {
    if (!this.isAlone) this.#needs.share.end()
    this.#settleDay(false)
    this.rate?.giveBack()
  }

  /** One of the day, one of this second, and one of its share; what was taken is given back where the rest is not to be had. */
  async #admitInTurn(signal: AbortSignal): Promise<boolean> {
    const { share } = this.#needs
    if (this.allowance && !(await this.#takeOfDay(this.allowance))) return false
    const isIn = (!this.rate || (await this.rate.take(signal))) && (this.isAlone || (await share.take(signal)))
    if (isIn && this.isUp) return true
    if (isIn && !this.isAlone) share.end()
    this.#settleDay(false)
    return false
  }

  /** What did not go out is left of the day: others may have been told that nothing is. */
  #settleDay(isOut: boolean): void {
    this.allowance?.settle(isOut)
    if (!isOut) this.#spent = undefined
  }

  async #takeOfDay(allowance: Allowance): Promise<boolean> {
    if (allowance.take()) return true
    const taken = this.#turn.then(() => this.#takeOfDayInTurn(allowance))
    this.#turn = taken.catch(() => {})
    return await taken
  }

  async #takeOfDayInTurn(allowance: Allowance): Promise<boolean> {
    while (!allowance.take()) {
      const spent = await allowance.spent()
      if (!spent) continue // some may go, unless others were quicker
      if (allowance.take()) return true // given back in this very moment
      this.#spent = spent
      const believedUntil = addMs(this.#needs.clock.now(), spentDayMs)
      this.#spentUntil = spent.ends < believedUntil ? spent.ends : believedUntil
      return false
    }
    return true
  }
}

function dayOf(now: Instant, most: number): Day {
  const date = now.slice(0, 10)
  return { date, most, ends: `${addDays(date, 1)}T00:00:00.000Z` }
}

/** For a person: what a relay may take on a day, it has taken. */
export function dayWords(name: string, most: number, date: string): string {
  return `the relay ${name} may take ${most} messages on ${date}, and it has`
}
