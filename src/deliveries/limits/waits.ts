import { canariesOf, countWaitingForCanaries } from '../../store/deliveries/canaries.ts'
import { countWaitingByHour } from '../../store/deliveries/zone-sends.ts'
import { countSentOn } from '../../store/limits/daily-quotas.ts'
import { slowProviderRates } from '../../store/limits/provider-rates.ts'
import type { Db, EditionRow } from '../../store/schema.ts'
import { addMs, type Clock, type Instant, parseDurationMs } from '../../time/clock.ts'
import { wallTimeText } from '../../time/zone.ts'
import { dayWords } from '../relays/relays.ts'
import { paceAt, rateText } from './pace.ts'
import type { Rules } from './rules.ts'
import { warmUpDay, warmUpName } from './warm-up.ts'
import { windowAt } from './window.ts'

type Needs = { db: Db; clock: Clock }

const mostHours = 5

/**
 * Why an edition that may go out has not gone out whole, for a person, from what the store knows: whoever sends it may
 * be another process. Empty where nothing keeps it.
 */
export async function whyWaiting(
  { db, clock }: Needs,
  edition: EditionRow,
  rules: Rules | undefined,
): Promise<string[]> {
  if (edition.status !== 'approved' && edition.status !== 'sending') return []
  const now = clock.now()
  const zone = rules?.zone ?? 'UTC'
  const reasons = [
    windowReason(rules, now),
    await warmUpReason(db, rules, now),
    await relaysReason(db, rules, now),
    ...(await canaryReasons(db, edition, rules)),
    ...(await hourReasons(db, edition, zone, now)),
    ...(edition.status === 'sending' ? await paceReasons(db, zone, now) : []),
  ]
  return reasons.filter((reason) => reason !== undefined)
}

function windowReason(rules: Rules | undefined, now: Instant): string | undefined {
  const state = rules?.window && windowAt(rules.window, rules.zone, now)
  if (!rules || !state || state.isOpen) return undefined
  return `the send window opens on ${wallTimeText(rules.zone, state.until)}`
}

async function warmUpReason(db: Db, rules: Rules | undefined, now: Instant): Promise<string | undefined> {
  const today = rules?.warmUp && warmUpDay(rules.warmUp, now)
  if (!rules?.warmUp || today?.most == null) return undefined
  if ((await countSentOn(db, { name: warmUpName, day: today.date })) < today.most) return undefined
  const goesOn = wallTimeText(rules.warmUp.zone, today.ends)
  return `warm-up: ${today.most} messages may go out on ${today.date}, and they have; the rest goes on ${goesOn}`
}

/** All relays together: while one may still take something, nothing waits. */
async function relaysReason(db: Db, rules: Rules | undefined, now: Instant): Promise<string | undefined> {
  const day = now.slice(0, 10)
  const spent: string[] = []
  for (const { name, perDay } of rules?.relays ?? []) {
    if (perDay === undefined || (await countSentOn(db, { name, day })) < perDay) return undefined
    spent.push(dayWords(name, perDay, day))
  }
  return spent.length > 0 ? spent.join('; ') : undefined
}

async function canaryReasons(db: Db, edition: EditionRow, rules: Rules | undefined): Promise<string[]> {
  if (!rules?.canary) return []
  const { wait } = rules.canary
  const waiting = await countWaitingForCanaries(db, edition.id)
  return (await canariesOf(db, edition.id)).flatMap(({ name, waitingSince, releasedAt }) => {
    const count = waiting.get(name) ?? 0
    if (releasedAt !== null || count === 0) return []
    if (waitingSince === null) return [`${count} at ${name} wait until the first of them have theirs`]
    const until = addMs(waitingSince, parseDurationMs(wait))
    return [
      `${count} at ${name} wait for what the first of them are answered, until ${wallTimeText(rules.zone, until)}`,
    ]
  })
}

async function hourReasons(db: Db, edition: EditionRow, zone: string, now: Instant): Promise<string[]> {
  const hours = await countWaitingByHour(db, edition.id, now)
  const shown = hours.slice(0, mostHours)
  const rest = hours.slice(mostHours).reduce((sum, { count }) => sum + count, 0)
  const lines = shown.map(({ at, count }) => `${count} wait for their hour, ${wallTimeText(zone, at)}`)
  return rest > 0 ? [...lines, `${rest} wait for a later hour`] : lines
}

async function paceReasons(db: Db, zone: string, now: Instant): Promise<string[]> {
  return (await slowProviderRates(db)).flatMap(({ name, relay, rate, reason, slowedAt, updatedAt }) => {
    const pace = paceAt({ rate, reason, irritation: 0, tokens: 0, at: updatedAt }, now)
    if (pace.rate === null) return []
    return [
      `${name} gets ${rateText(pace.rate)}${relay && ` over ${relay}`}, slowed on ${wallTimeText(zone, slowedAt)}: ${reason}`,
    ]
  })
}
