import { type Clock, durationText, type Instant, later, second, spanMilliseconds } from '../clock.ts'
import type { Digest } from '../editions/digest.ts'
import { pauseByRule } from '../editions/review.ts'
import {
  addCanaries,
  answersOfFirst,
  canariesOf,
  firstShares,
  largeProviders,
  largestDomains,
  releaseCanary,
  stopCanary,
  waitFrom,
} from '../store/canaries.ts'
import { note } from '../store/editions.ts'
import type { Engine } from '../store/engine.ts'
import type { CanaryRow, Db, EditionRow } from '../store/schema.ts'
import { transaction } from '../store/transaction.ts'
import { causeOf, causes } from './answers.ts'
import type { Wait } from './gate.ts'
import type { Providers } from './providers.ts'

export type CanaryRule = NonNullable<Digest['canary']>

type Needs = { db: Db; engine: Engine; clock: Clock; providers: Providers }

/** Of so many domains it is found out, before the audience is frozen, who takes their mail; and waited for so long. */
const mostDomains = 1000
const patience = 5 * second
/** A first share is not smaller than this, and fewer answers than this say nothing yet. */
const fewest = 10

/**
 * Decides for whom a first share goes first, before the audience is frozen: each mail provider with enough of it.
 * Returns how many providers these are. Done again, it changes nothing.
 */
export async function plantCanaries(needs: Needs, edition: EditionRow, rule: CanaryRule): Promise<number> {
  const { db, engine, providers } = needs
  const planted = await canariesOf(db, edition.id)
  if (planted.length > 0) return planted.length
  await providers.settle(await largestDomains(db, engine, edition.digest, mostDomains), patience)
  await providers.save()
  const large = await largeProviders(db, engine, edition.digest, rule.minimum)
  const canaries = large.map((one) => ({ ...one, ...placesOf(edition.ref, rule.share, one.recipients) }))
  await transaction(db, (trx) => addCanaries(trx, edition.id, canaries)) // all or none: a second time they are not looked for
  return canaries.length
}

/** Ids stand on a ring of so many places, by their last three hex digits. */
const ring = 4096

/**
 * Who goes first: the subscribers that stand between two places of the ring. It begins elsewhere for each edition, so
 * that it is not always the same people, and holds about ten of them at least.
 */
export function placesOf(editionRef: string, share: number, recipients: number) {
  const size = Math.min(ring, Math.ceil(ring * Math.max(share, fewest / recipients)))
  const first = Number.parseInt(editionRef.slice(-3), 16)
  const place = (number: number) => (number % ring).toString(16).padStart(3, '0')
  return { firstPlace: place(first), lastPlace: place(first + size - 1) }
}

/** The providers of which the rest may go. Somebody who resumes an edition that a canary stopped overrules it. */
export async function releasedCanaries(
  { db, clock }: Pick<Needs, 'db' | 'clock'>,
  editionId: string,
  rule: CanaryRule | undefined,
): Promise<string[]> {
  const canaries = await canariesOf(db, editionId)
  for (const canary of canaries.filter(({ stoppedAt, releasedAt }) => stoppedAt !== null && releasedAt === null)) {
    const what = `canary overruled: the rest of ${canary.name} goes out`
    if (await release({ db, clock }, canary, what)) canary.releasedAt = clock.now()
  }
  return canaries.filter(({ releasedAt }) => releasedAt !== null || rule === undefined).map(({ name }) => name)
}

/** How a first share has fared so far. */
export type Tally = {
  tried: number
  /** Of those that were not accepted, how many count against us, and the first such answer. */
  refused: number
  example: string
  /** None of them can go at this moment; those that are left wait for their hour. */
  isThrough: boolean
  isLeft: boolean
}

export type Verdict =
  | { kind: 'wait'; wait: Wait | undefined }
  | { kind: 'release'; reason: string }
  | { kind: 'stop'; reason: string }

/**
 * What is to become of the rest. `waitingSince` is when the first share was through, null before that. Refusals are 5xx,
 * and 4xx by policy; where they are too many there is nothing to wait for.
 */
function judge(
  { name, recipients, waitingSince }: Pick<CanaryRow, 'name' | 'recipients' | 'waitingSince'>,
  { tried, refused, example }: Pick<Tally, 'tried' | 'refused' | 'example'>,
  rule: CanaryRule,
  now: Instant,
): Verdict {
  const isEnough = tried >= fewest || waitingSince !== null
  if (isEnough && tried > 0 && refused / tried > rule.refusals) {
    const allowed = `where at most ${Math.round(rule.refusals * 1000) / 10} % may be`
    return {
      kind: 'stop',
      reason: `canary: ${refused} of the first ${tried}, of ${recipients} at ${name}, were refused or put off by policy, ${allowed}; for example "${example}"`,
    }
  }
  if (waitingSince === null) return { kind: 'wait', wait: undefined }
  if (tried === 0)
    return { kind: 'release', reason: `canary: nobody is left in the first share at ${name}; the rest goes out` }
  const until = later(waitingSince, spanMilliseconds(rule.wait))
  if (now < until) {
    const reason = `the first ${tried} at ${name} are out; the rest waits for their answers`
    return { kind: 'wait', wait: { until, reason } }
  }
  const waited = durationText(spanMilliseconds(rule.wait))
  return {
    kind: 'release',
    reason: `canary: ${refused} of the first ${tried} at ${name} were refused after ${waited}; the rest goes out`,
  }
}

/**
 * After a pass: judges each canary that is still out, by what became of its own first share, however slow another
 * provider is. Returns what is waited for, the next to come first.
 */
export async function judgeCanaries(needs: Needs, edition: EditionRow, rule: CanaryRule): Promise<Wait | undefined> {
  const { db, clock } = needs
  const open = (await canariesOf(db, edition.id)).filter(({ releasedAt, stoppedAt }) => !releasedAt && !stoppedAt)
  if (open.length === 0) return undefined
  const names = open.map(({ name }) => name)
  const tallies = await tally(needs, edition.id, names)
  const waits: Wait[] = []
  for (const canary of open) {
    const found = tallies.get(canary.name) ?? nobody
    if (canary.waitingSince === null && found.isThrough && (found.tried > 0 || !found.isLeft)) {
      canary.waitingSince = clock.now()
      await waitFrom(db, canary, canary.waitingSince)
    }
    const verdict = judge(canary, found, rule, clock.now())
    if (verdict.kind === 'stop') return await stopEdition(needs, canary, verdict.reason)
    if (verdict.kind === 'release') await release(needs, canary, verdict.reason)
    const wait = verdict.kind === 'release' ? { until: clock.now(), reason: verdict.reason } : verdict.wait
    if (wait) waits.push(wait)
  }
  return waits.sort((a, b) => (a.until < b.until ? -1 : 1))[0]
}

async function stopEdition({ db, clock }: Needs, canary: CanaryRow, reason: string): Promise<undefined> {
  await transaction(db, async (trx) => {
    if (!(await pauseByRule({ db: trx, clock }, canary.editionId, reason))) return // somebody was faster
    await stopCanary(trx, canary, clock.now())
  })
}

/** False: it is not for us to let the rest go. */
function release({ db, clock }: Pick<Needs, 'db' | 'clock'>, canary: CanaryRow, what: string): Promise<boolean> {
  return transaction(db, async (trx) => {
    if (!(await releaseCanary(trx, canary, clock.now()))) return false
    await note(trx, canary.editionId, 'lastword', what, clock.now())
    return true
  })
}

const nobody: Tally = { tried: 0, refused: 0, example: '', isThrough: true, isLeft: false }

async function tally({ db, clock }: Needs, editionId: string, names: string[]): Promise<Map<string, Tally>> {
  const tallies = new Map<string, Tally>(names.map((name) => [name, { ...nobody }]))
  for (const { name, status, isLater, count } of await firstShares(db, editionId, names, clock.now())) {
    const one = tallies.get(name)
    if (!one || status === 'skipped') continue
    if (status !== 'queued' && status !== 'sending') one.tried += count
    else if (isLater) one.isLeft = true
    else one.isThrough = false
  }
  for await (const { name, status, reply } of answersOfFirst(db, editionId, names)) {
    const one = tallies.get(name)
    if (!one || (status !== 'refused' && !isAgainstUs(reply))) continue
    if (one.refused === 0) one.example = reply
    one.refused += 1
  }
  return tallies
}

/** A refusal about us, or a 4xx by policy: 421 and 4.7.x; a greylisting is none. */
function isAgainstUs(reply: string): boolean {
  if (causes[causeOf(reply)].about === 'us') return true
  return /^421\b|^4\d\d[ -]4\.7\.\d/.test(reply) && !/gr[ae]y-?list/i.test(reply)
}
