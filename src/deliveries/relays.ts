import { type Instant, later, minute, second, type WaitingClock } from '../clock.ts'
import { relayName } from '../config.ts'
import type { Db } from '../store/schema.ts'
import { countWorkers } from '../store/workers.ts'
import { dateAfter } from '../zone.ts'
import { type Allowance, type Day, openAllowance } from './allowance.ts'
import type { RelaySettings } from './connect.ts'
import type { SendResult } from './delivery.ts'
import type { Wait } from './gate.ts'
import { openRate, type Rate } from './rate.ts'
import { type Line, type Outgoing, openRelay, type Relay } from './relay.ts'
import { openShares, type Share } from './shares.ts'
import { silence } from './worker.ts'

/** All relays of the configuration. Each message goes by one of them, by weight, within its limits. */
export type Relays = {
  beginPass(): void
  /** One line for each connection of the relays that are up; those that stand by only where no other is. */
  lines(signal: AbortSignal): RelayLine[]
  /** The pass is over: relays that took nothing at its end are left alone for a while, and what was not used of a day is given back. */
  endPass(): Promise<void>
  /** Why no message can go now; undefined: some can. */
  shut(): Shut | undefined
  /** Hands one message over, by the first relay that can be reached, whatever its limits. */
  send(message: Outgoing): Promise<SendResult>
  close(): Promise<void>
}

/** `isTrouble`: the relays take nothing; else they have taken all that the day allows. */
export type Shut = Wait & { isTrouble: boolean }

export type RelayLine = Line & {
  /** By which relay messages go over it; null where there is only one. */
  relay: string | null
  /** Whether one more may go over it, when it is its turn; false: none in this pass. Each that may has to be `heard` of. */
  admit(): true | Promise<boolean>
  /** What became of one that was admitted; undefined: it was not sent. `slow` is the mail provider that complained of our pace. */
  heard(result: SendResult | undefined, slow?: string): void
}

/** So many messages in a row that did not get through, and the relay is down. */
const troubleLimit = 10
/** A relay that took nothing is left alone for so long, each time twice as long, up to ten minutes. */
const firstRest = 15 * second
const longestRest = 10 * minute
/** A day of which nothing is left is asked for again after so long. */
const believed = minute
/** So often the limits of messages a second are divided anew. */
const divided = 5 * second

type Member = {
  name: string
  settings: RelaySettings
  relay: Relay
  share: Share
  rate: Rate | undefined
  allowance: Allowance | undefined
  /** The day of which nothing is left, and until when that is believed: another process may give back what it took. */
  spent: Day | undefined
  spentUntil: Instant
  turn: Promise<unknown>
  /** Lines that are in use. */
  busy: number
  /** Messages in a row that did not get through, or may not have. */
  inARow: number
  /** The last message did not reach it. */
  isUnreached: boolean
  trouble: string
  /** The provider that complained last of our pace, if that was the last trouble. */
  slow: string | undefined
  rest: { from: Instant; until: Instant } | undefined
  nextRest: number
}

export function openRelays({ db, clock }: { db: Db; clock: WaitingClock }, all: RelaySettings[]): Relays {
  const shares = openShares(clock)
  const members = all.map((settings): Member => {
    const { connections, weight, perSecond, perDay } = settings
    const name = relayName(settings)
    return {
      name,
      settings,
      relay: openRelay(settings),
      share: shares(weight, connections),
      rate: perSecond === undefined ? undefined : openRate(clock, perSecond),
      allowance: perDay === undefined ? undefined : openAllowance({ db, clock }, name, (now) => dayOf(now, perDay)),
      spent: undefined,
      spentUntil: '',
      turn: Promise.resolve(),
      busy: 0,
      inARow: 0,
      isUnreached: false,
      trouble: '',
      slow: undefined,
      rest: undefined,
      nextRest: firstRest,
    }
  })
  const isAlone = members.length === 1
  let divideAt = ''

  /** A clock that was set back ends the rest. */
  function isResting({ rest }: Member): boolean {
    const now = clock.now()
    return rest !== undefined && rest.from <= now && now < rest.until
  }

  function isUp(member: Member): boolean {
    return !isResting(member) && (member.spent === undefined || clock.now() >= member.spentUntil)
  }

  /** Those that messages may go by now. */
  function inUse(): Member[] {
    const up = members.filter(isUp)
    const first = up.filter(({ settings }) => !settings.standby)
    return first.length > 0 ? first : up
  }

  function takeRest(member: Member): void {
    if (isResting(member)) return
    const now = clock.now()
    member.rest = { from: now, until: later(now, member.nextRest) }
    member.nextRest = Math.min(member.nextRest * 2, longestRest)
  }

  function hear(member: Member, { kind, reply }: SendResult, slow: string | undefined): void {
    const isUnreached = kind === 'unsent' || kind === 'cut'
    if (isUnreached && slow !== undefined && slow === member.slow) return // one provider counts once, however often it complains
    const isTrouble = isUnreached || kind === 'unknown'
    member.slow = isTrouble ? slow : undefined
    member.isUnreached = isUnreached
    member.inARow = isTrouble ? member.inARow + 1 : 0
    if (isTrouble) member.trouble = `${isAlone ? 'the relay' : `the relay ${member.name}`} takes no messages: ${reply}`
    else member.nextRest = firstRest
    if (member.inARow >= troubleLimit) takeRest(member)
  }

  /** Limits of messages a second are divided among the processes that send: more of them may have come meanwhile. */
  async function divide(): Promise<void> {
    const now = clock.now()
    if (now < divideAt) return
    divideAt = later(now, divided)
    const processes = Math.max(1, await countWorkers(db, now, silence))
    for (const { rate, settings } of members) rate?.set((settings.perSecond ?? 1) / processes)
  }

  /** One of the day, one of this second, and one of its share; what was taken is given back where the rest is not to be had. */
  async function admitInTurn(member: Member, signal: AbortSignal): Promise<boolean> {
    const { allowance, rate, share } = member
    if (allowance && !(await takeOfDay(member, allowance))) return false
    if (rate) await divide()
    const isIn = (!rate || (await rate.take(signal))) && (isAlone || (await share.take(signal)))
    if (isIn && inUse().includes(member)) return true
    if (isIn && !isAlone) share.end()
    settleDay(member, false)
    return false
  }

  /** What did not go out is left of the day: others may have been told that nothing is. */
  function settleDay(member: Member, isOut: boolean): void {
    member.allowance?.settle(isOut)
    if (!isOut) member.spent = undefined
  }

  async function takeOfDay(member: Member, allowance: Allowance): Promise<boolean> {
    if (allowance.take()) return true
    const taken = member.turn.then(async () => {
      while (!allowance.take()) {
        const spent = await allowance.spent()
        if (!spent) continue // some may go, unless others were quicker
        if (allowance.take()) return true // given back in this very moment
        member.spent = spent
        member.spentUntil = earlier(spent.ends, later(clock.now(), believed))
        return false
      }
      return true
    })
    member.turn = taken.catch(() => {})
    return await taken
  }

  function lineOf(member: Member, signal: AbortSignal): RelayLine {
    const { name, relay, rate, allowance, share } = member
    const line = relay.line()
    member.busy += 1
    return {
      send: line.send,
      release() {
        line.release()
        member.busy -= 1
        if (member.busy === 0) share.leave()
      },
      relay: isAlone ? null : name,
      admit() {
        if (isAlone && !rate && !allowance && !member.rest) return true
        if (!inUse().includes(member)) return Promise.resolve(false)
        return admitInTurn(member, signal)
      },
      heard(result, slow) {
        if (!isAlone) share.end()
        settleDay(member, result?.kind === 'accepted' || result?.kind === 'unknown')
        if (result) hear(member, result, slow)
        else rate?.giveBack() // another process has it: two of them meet the same people
      },
    }
  }

  return {
    beginPass() {
      for (const member of members) {
        member.inARow = 0
        member.isUnreached = false
      }
    },
    lines(signal) {
      const used = inUse()
      const most = Math.max(0, ...used.map(({ settings }) => settings.connections))
      return Array.from({ length: most }, (_, index) =>
        used.filter(({ settings }) => index < settings.connections).map((member) => lineOf(member, signal)),
      ).flat()
    },
    async endPass() {
      for (const member of members) {
        if (member.isUnreached && member.slow === undefined) takeRest(member)
        await member.allowance?.close()
      }
    },
    shut() {
      if (members.some(isUp)) return undefined
      const resting = members.filter(isResting)
      const ends = members.map((member) => (isResting(member) ? member.rest?.until : member.spent?.ends) ?? '')
      const until = ends.sort()[0] ?? ''
      if (resting.length > 0)
        return { until, isTrouble: true, reason: resting.map(({ trouble }) => trouble).join('; ') }
      return { until, isTrouble: false, reason: members.map(spentWords).join('; ') }
    },
    async send(message) {
      const inOrder = [...inUse(), ...members.filter((member) => !inUse().includes(member))]
      let result: SendResult = { kind: 'unsent', reply: 'there is no relay' }
      for (const { relay } of inOrder) {
        result = await relay.send(message)
        if (result.kind !== 'unsent') break
      }
      return result
    },
    async close() {
      await Promise.all(members.map(({ relay }) => relay.close()))
    },
  }
}

function earlier(one: Instant, other: Instant): Instant {
  return one < other ? one : other
}

function dayOf(now: Instant, most: number): Day {
  const date = now.slice(0, 10)
  return { date, most, ends: `${dateAfter(date, 1)}T00:00:00.000Z` }
}

function spentWords({ name, spent }: Member): string {
  return dayWords(name, spent?.most ?? 0, spent?.date ?? '')
}

/** For a person: what a relay may take on a day, it has taken. */
export function dayWords(name: string, most: number, date: string): string {
  return `the relay ${name} may take ${most} messages on ${date}, and it has`
}
