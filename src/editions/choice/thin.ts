import { lastOutgoingDueAt } from '../../store/editions/editions.ts'
import { type Reason, withFurther } from '../../store/events/reason.ts'
import { allFeeds } from '../../store/feeds/feeds.ts'
import { fromJson } from '../../store/json.ts'
import { quarantinedFeeds } from '../../store/ledger/stories.ts'
import type { Db } from '../../store/schema.ts'
import { type Instant, msBetween, parseDurationMs } from '../../time/clock.ts'
import { type Digest, feedUrlsOf } from '../digest.ts'
import { articleChoices, type Choice, chosenOnly } from './choice.ts'
import { shortfallReason, unmetMinimums } from './minimums.ts'

/** The decision about an edition with too few articles. `send`: it is sent anyway, and the reason is recorded. */
export type ThinDecision = { rule: 'skip' | 'hold' | 'send'; reason: Reason }

/** The decision for too few articles in the edition, in a `thin: ask` section or for a minimum rule; undefined: enough. */
export async function thinReason(
  db: Db,
  digest: Digest,
  choices: Choice[],
  now: Instant,
): Promise<ThinDecision | undefined> {
  const thin = decideThin(digest, choices, await lastOutgoingDueAt(db, digest.name), now)
  if (!thin || thin.rule === 'send') return thin
  const causes = [
    ...leftOutReasons(choices),
    ...(await failingFeedReasons(db, digest)),
    ...(await quarantinedFeedReasons(db, digest)),
  ]
  return { ...thin, reason: withFurther(thin.reason, ...causes) }
}

/** A reason without the first-seen time of one article, so that equal reasons group together. */
function generalReason(reason: Reason): Reason {
  return reason.code === 'stale' ? { ...reason, seenAt: null } : reason
}

const maxReasons = 3

/** Why pending articles were left out: the most frequent reasons, with their counts. */
function leftOutReasons(choices: Choice[]): Reason[] {
  const leftOut = choices.filter(({ position }) => position === null).map(({ reason }) => generalReason(reason))
  if (leftOut.length === 0) return []
  const groups = [...Map.groupBy(leftOut, (reason) => JSON.stringify(reason)).values()].toSorted(
    (a, b) => b.length - a.length,
  )
  const named = groups.slice(0, maxReasons).flatMap((group) => {
    const [reason] = group
    return reason ? [{ code: 'left-out-for' as const, count: group.length, reason }] : []
  })
  return [{ code: 'left-out', count: leftOut.length, reasons: named, more: Math.max(0, groups.length - maxReasons) }]
}

/** The decision as a pure function; `lastAt` is the due time of the last sent edition. Readers' letters do not count. */
export function decideThin(
  digest: Digest,
  choices: Choice[],
  lastAt: Instant | undefined,
  now: Instant,
): ThinDecision | undefined {
  const count = chosenOnly(articleChoices(choices)).length
  const found = [
    ...totalShortage(digest, count),
    ...sectionShortages(digest, choices),
    ...minimumShortages(digest, choices),
  ]
  const decisions = found.map(({ rule, reason }) => {
    if (rule === 'skip') return { ...skipOrBreakSilence(digest, count, reason, lastAt, now), shortage: reason }
    return { rule, reason, shortage: reason }
  })
  const [strongest, ...others] = decisions.toSorted(
    (a, b) => ruleSeverity.indexOf(a.rule) - ruleSeverity.indexOf(b.rule),
  )
  if (!strongest) return undefined
  return {
    rule: strongest.rule,
    reason: withFurther(strongest.reason, ...others.map(({ shortage }) => shortage)),
  }
}

type Shortage = ThinDecision

/** The most severe rule comes first. */
const ruleSeverity: ThinDecision['rule'][] = ['skip', 'hold', 'send']

/** An edition without articles is never sent, whatever the rule. */
function totalShortage({ thin: { minimum, rule } }: Digest, count: number): Shortage[] {
  if (count === 0 && (rule === 'send' || minimum === 0)) return [{ rule: 'hold', reason: { code: 'no-articles' } }]
  if (count >= minimum || rule === 'send') return []
  return [{ rule, reason: { code: 'too-few-articles', count, minimum } }]
}

function sectionShortages({ sections }: Digest, choices: Choice[]): Shortage[] {
  return sections.flatMap(({ name, thin, minimum }) => {
    const held = countInSection(choices, name)
    if (thin !== 'ask' || held >= minimum) return []
    return [
      { rule: 'hold' as const, reason: { code: 'section-too-few' as const, section: name, count: held, minimum } },
    ]
  })
}

function minimumShortages(digest: Digest, choices: Choice[]): Shortage[] {
  return unmetMinimums(digest, choices).map((one) => ({
    rule: one.floor.otherwise,
    reason: shortfallReason(one, choices),
  }))
}

function skipOrBreakSilence(
  { thin: { longestSilence } }: Digest,
  count: number,
  shortage: Reason,
  lastAt: Instant | undefined,
  now: Instant,
): ThinDecision {
  const silence = lastAt === undefined ? 0 : msBetween(lastAt, now)
  if (longestSilence === undefined || silence <= parseDurationMs(longestSilence))
    return { rule: 'skip', reason: shortage }
  const reason = withFurther(shortage, { code: 'silent-too-long', silenceMs: silence, longest: longestSilence })
  return { rule: count > 0 ? 'send' : 'hold', reason }
}

function countInSection(choices: Choice[], name: string): number {
  return choices.filter(({ section, position }) => section === name && position !== null).length
}

async function failingFeedReasons(db: Db, digest: Digest): Promise<Reason[]> {
  const ours = new Set(feedUrlsOf(digest))
  const failures = (await allFeeds(db))
    .filter(({ url }) => ours.has(url))
    .flatMap(({ url, error }) =>
      error === null ? [] : [{ code: 'feed-failure' as const, url, error: fromJson(error) }],
    )
  if (failures.length === 0) return []
  return [{ code: 'feeds-failing', count: failures.length, total: ours.size, failures }]
}

async function quarantinedFeedReasons(db: Db, digest: Digest): Promise<Reason[]> {
  const waiting = (await quarantinedFeeds(db)).filter((feed) => feed.digest === digest.name)
  return waiting.flatMap(({ url, count, reason }) =>
    reason === null ? [] : [{ code: 'feed-quarantined' as const, count: Number(count), url, reason: fromJson(reason) }],
  )
}
