import type { Digest } from '../../editions/digest.ts'
import { pauseByRule } from '../../editions/review/pause.ts'
import { causeOf } from '../../mail/reply-rules/answers.ts'
import { isDeferredByPolicy } from '../../mail/reply-rules/deferrals.ts'
import {
  addCanaries,
  canariesOf,
  countFirstShares,
  countWaitingForCanaries,
  firstShareReplies,
  largestDomains,
  planFirstShares,
  releaseCanary,
  startCanaryWait,
  stopCanary,
} from '../../store/deliveries/canaries.ts'
import { transaction } from '../../store/drivers/transaction.ts'
import { editionById } from '../../store/editions/editions.ts'
import type { Engine } from '../../store/engine.ts'
import { addEvent } from '../../store/events/events.ts'
import { type Reason, withFurther } from '../../store/events/reason.ts'
import type { CanaryRow, Db, DeliveryStatus, EditionRow } from '../../store/schema.ts'
import { addMs, type Clock, type Instant, parseDurationMs, second } from '../../time/clock.ts'
import type { Wait } from './limit.ts'
import type { Providers } from './providers.ts'

export type CanaryRule = NonNullable<Digest['canary']>

type Needs = { db: Db; engine: Engine; clock: Clock; providers: Providers }

/** How many domains get their mail provider resolved before the audience is frozen. */
const maxDomains = 1000
const judgingWaitMs = 5 * second
/** Minimum number of people in a canary. */
const minCanarySize = 10
/**
 * A single refusal does not stop an edition: in a canary of ten it is 10 % and says little about thousands. Only a rule
 * that allows no refusals stops at one.
 */
const minAgainstUs = 2

/**
 * Chooses the canary recipients of each large enough mail provider, before the audience is frozen. Returns the number
 * of these providers; safe to repeat.
 */
export async function planCanaries(needs: Needs, edition: EditionRow, rule: CanaryRule): Promise<number> {
  const { db, engine, providers } = needs
  const planted = await canariesOf(db, edition.id)
  if (planted.length > 0) return planted.length
  await providers.resolveWithin(await largestDomains(db, engine, edition.digest, maxDomains), judgingWaitMs)
  await providers.save()
  const { minimum, share } = rule
  const firstPlace = edition.ref.slice(-3) // random: each edition begins with different people
  const canaries = await planFirstShares(db, engine, edition.digest, {
    minimum,
    share,
    minRecipients: minCanarySize,
    firstPlace,
  })
  await transaction(db, (trx) => addCanaries(trx, edition.id, canaries)) // in one transaction: a repeated call finds the complete set
  return canaries.length
}

/**
 * The providers whose remaining recipients may be sent to. A person who resumes an edition that a canary stopped
 * overrules the canary.
 */
export async function releasedCanaries(
  { db, clock }: Pick<Needs, 'db' | 'clock'>,
  editionId: string,
  rule: CanaryRule | undefined,
): Promise<string[]> {
  const canaries = await canariesOf(db, editionId)
  for (const canary of canaries) {
    const isOverruled = canary.stoppedAt !== null || rule === undefined
    if (canary.releasedAt !== null || !isOverruled) continue
    const code = rule === undefined ? 'canary-removed' : 'canary-overruled'
    if (await release({ db, clock }, canary, { code, provider: canary.name })) canary.releasedAt = clock.now()
  }
  return canaries.filter(({ releasedAt }) => releasedAt !== null).map(({ name }) => name)
}

/** The results of a canary so far. */
export type Tally = {
  tried: number
  /** The number of people who can be sent to now and have not been; 0: the canary is complete. */
  due: number
  /** The number of people who wait for a later hour. */
  later: number
  /** Among those not accepted: the number of refusals about us, and the first of them. */
  againstUs: number
  example: string
}

export type Verdict =
  | { kind: 'wait'; wait: Wait | undefined }
  | { kind: 'release'; reason: Reason }
  | { kind: 'stop'; reason: Reason }

/**
 * Decides about a provider's remaining recipients; `waitingSince` is when the canary was complete, or null. Only
 * refusals about us count (5xx, and 4xx by policy), and the edition stops as soon as the canary can no longer pass.
 */
export function judge(
  { name, recipients, waitingSince }: Pick<CanaryRow, 'name' | 'recipients' | 'waitingSince'>,
  { tried, due, againstUs, example }: Omit<Tally, 'later'>,
  rule: Pick<CanaryRule, 'refusals' | 'wait'>,
  now: Instant,
): Verdict {
  const counts = { refused: againstUs, tried, provider: name }
  if (isTooMuch({ tried, due, againstUs }, rule)) {
    const allowedPercent = Math.round(rule.refusals * 1000) / 10
    const reason = { code: 'canary-refused' as const, ...counts, recipients, allowedPercent, reply: example }
    return { kind: 'stop', reason }
  }
  if (waitingSince === null) return { kind: 'wait', wait: undefined }
  if (tried === 0) return { kind: 'release', reason: { code: 'canary-empty', provider: name } }
  const until = addMs(waitingSince, parseDurationMs(rule.wait))
  if (now < until) {
    return {
      kind: 'wait',
      wait: { until, reason: { code: 'canary-undecided', provider: name, count: null, until: null, zone: null } },
    }
  }
  return { kind: 'release', reason: { code: 'canary-passed', ...counts, waitMs: parseDurationMs(rule.wait) } }
}

function isTooMuch(
  { tried, due, againstUs }: Pick<Tally, 'tried' | 'due' | 'againstUs'>,
  { refusals }: Pick<CanaryRule, 'refusals'>,
): boolean {
  const minimum = refusals === 0 ? 1 : minAgainstUs
  return againstUs >= minimum && againstUs / (tried + due) > refusals
}

/**
 * Judges each open canary by its own results; call it before a pass, so that the pass includes released recipients, and
 * after it. While the edition is paused the waiting time begins but nothing is decided; returns the earliest wait.
 */
export async function judgeCanaries(needs: Needs, edition: EditionRow, rule: CanaryRule): Promise<Wait | undefined> {
  const { db, clock } = needs
  const open = (await canariesOf(db, edition.id)).filter(({ releasedAt, stoppedAt }) => !releasedAt && !stoppedAt)
  if (open.length === 0) return undefined
  const tallies = await tallyOf(needs, edition.id, open)
  const verdicts: Judged[] = []
  for (const canary of open) {
    const tally = tallies.get(canary.name) ?? blankTally
    if (canary.waitingSince === null && tally.due === 0 && (tally.tried > 0 || tally.later === 0)) {
      canary.waitingSince = clock.now()
      await startCanaryWait(db, canary, canary.waitingSince)
    }
    verdicts.push({ canary, verdict: judge(canary, tally, rule, clock.now()) })
  }
  if ((await editionById(db, edition.id))?.status !== 'sending') return undefined
  return await applyVerdicts(needs, edition.id, verdicts)
}

type Judged = { canary: CanaryRow; verdict: Verdict }

/**
 * Passed canaries release their recipients even if another canary stops the edition: they are sent to when it resumes.
 */
async function applyVerdicts(needs: Needs, editionId: string, verdicts: Judged[]): Promise<Wait | undefined> {
  const waits: Wait[] = []
  const stops: { canary: CanaryRow; reason: Reason }[] = []
  for (const { canary, verdict } of verdicts) {
    if (verdict.kind === 'stop') stops.push({ canary, reason: verdict.reason })
    else if (verdict.kind === 'release') {
      await release(needs, canary, verdict.reason)
      waits.push({ until: needs.clock.now(), reason: verdict.reason })
    } else if (verdict.wait) waits.push(verdict.wait)
  }
  if (stops.length > 0) await stopEdition(needs, editionId, stops)
  return stops.length > 0 ? undefined : waits.sort((a, b) => (a.until < b.until ? -1 : 1))[0]
}

async function stopEdition(
  { db, clock }: Needs,
  editionId: string,
  stops: { canary: CanaryRow; reason: Reason }[],
): Promise<void> {
  const [first, ...others] = stops.map((stop) => stop.reason)
  if (!first) return
  const reason = withFurther(first, ...others)
  await transaction(db, async (trx) => {
    if (!(await pauseByRule({ db: trx, clock }, editionId, reason))) return // another process or person was faster
    for (const { canary } of stops) await stopCanary(trx, canary, clock.now())
  })
}

/** False: this process may not release the remaining recipients. */
function release({ db, clock }: Pick<Needs, 'db' | 'clock'>, canary: CanaryRow, reason: Reason): Promise<boolean> {
  return transaction(db, async (trx) => {
    if (!(await releaseCanary(trx, canary, clock.now()))) return false
    const about = { actor: 'system' as const, edition: canary.editionId }
    await addEvent(trx, { kind: 'edition.canary_released', ...about, data: { reason } }, clock.now())
    return true
  })
}

const blankTally: Tally = { tried: 0, due: 0, later: 0, againstUs: 0, example: '' }

async function tallyOf({ db, clock }: Needs, editionId: string, canaries: CanaryRow[]): Promise<Map<string, Tally>> {
  const names = canaries.map(({ name }) => name)
  const tallies = new Map<string, Tally>(names.map((name) => [name, { ...blankTally }]))
  for (const { name, status, isLater, count } of await countFirstShares(db, editionId, names, clock.now())) {
    const tally = tallies.get(name)
    if (tally && status !== 'skipped') tally[tallyKey(status, isLater)] += count
  }
  for await (const { name, status, reply } of firstShareReplies(db, editionId, names)) {
    const tally = tallies.get(name)
    if (!tally || !isAgainstUs(status, reply)) continue
    if (tally.againstUs === 0) tally.example = reply
    tally.againstUs += 1
  }
  return tallies
}

function tallyKey(status: DeliveryStatus, isLater: boolean): 'tried' | 'later' | 'due' {
  if (status !== 'queued' && status !== 'sending') return 'tried'
  return isLater ? 'later' : 'due'
}

/**
 * A 5xx that is retried counts as a refusal about us (`toResult`), unless the server is faulty; a 4xx depends on its
 * text.
 */
function isAgainstUs(status: DeliveryStatus, reply: string): boolean {
  if (status !== 'deferred') return false
  return /^5\d\d\b/.test(reply) ? causeOf(reply) !== 'server-fault' : isDeferredByPolicy(reply)
}

/** Why recipients wait for a canary's replies, from the store. */
export async function canaryReasons(db: Db, editionId: string, { wait }: CanaryRule, zone: string): Promise<Reason[]> {
  const waiting = await countWaitingForCanaries(db, editionId)
  return (await canariesOf(db, editionId)).flatMap(({ name: provider, waitingSince, releasedAt }): Reason[] => {
    const count = waiting.get(provider) ?? 0
    if (releasedAt !== null || count === 0) return []
    if (waitingSince === null) return [{ code: 'canary-unfinished', provider, count }]
    const until = addMs(waitingSince, parseDurationMs(wait))
    return [{ code: 'canary-undecided', provider, count, until, zone }]
  })
}
