import { lastOutgoingDueAt } from '../../store/editions/editions.ts'
import { allFeeds } from '../../store/feeds/feeds.ts'
import { quarantinedFeeds } from '../../store/ledger/stories.ts'
import type { Db } from '../../store/schema.ts'
import { durationText, type Instant, msBetween, parseDurationMs } from '../../time/clock.ts'
import { type Digest, feedUrlsOf } from '../digest.ts'
import { articleChoices, type Choice, chosenOnly } from './choice.ts'
import { shortfallText, unmetMinimums } from './minimums.ts'

/** What the rules say of an edition that is short: `send` goes out as it is, and the reason goes on record. */
export type ThinDecision = { rule: 'skip' | 'hold' | 'send'; reason: string }

/** Too few articles, a section that asks an editor when it is short, or a rule that too few match; undefined: none of these. */
export async function thinReason(
  db: Db,
  digest: Digest,
  choices: Choice[],
  now: Instant,
): Promise<ThinDecision | undefined> {
  const thin = decideThin(digest, choices, await lastOutgoingDueAt(db, digest.name), now)
  if (!thin || thin.rule === 'send') return thin
  const causes = [leftOutText(choices), await failingFeedsText(db, digest), await quarantinedFeedsText(db, digest)]
  return { ...thin, reason: thin.reason + causes.join('') }
}

/** Why pending articles were left out: the most frequent reasons, with their counts. */
function leftOutCounts(choices: Choice[]): { reason: string; count: number }[] {
  const counts = new Map<string, number>()
  for (const { position, reason } of choices)
    if (position === null) counts.set(reasonKind(reason), (counts.get(reasonKind(reason)) ?? 0) + 1)
  return [...counts].map(([reason, count]) => ({ reason, count })).toSorted((a, b) => b.count - a.count)
}

/** A reason without what is about one article alone: the time at which it was seen. */
function reasonKind(reason: string): string {
  return reason.replace(/first seen on \S+, longer/, 'first seen longer')
}

const maxReasons = 3

function leftOutText(choices: Choice[]): string {
  const counts = leftOutCounts(choices)
  const total = counts.reduce((sum, { count }) => sum + count, 0)
  if (total === 0) return ''
  const named = counts.slice(0, maxReasons).map(({ reason, count }) => `${count}: ${reason}`)
  const others = counts.length > maxReasons ? `; ${counts.length - maxReasons} more reasons` : ''
  return `; ${total} pending ${total === 1 ? 'article was' : 'articles were'} left out (${named.join('; ')}${others})`
}

/** The same as a pure function; `lastAt` is when an edition last went out. Readers' letters alone make no edition. */
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
  const decisions = found.map(({ rule, words }): ThinDecision & { words: string } => {
    if (rule === 'skip') return { ...skipOrBreakSilence(digest, count, words, lastAt, now), words }
    return { rule, reason: rule === 'hold' ? `held: ${words}` : `short: ${words}`, words }
  })
  const [strongest, ...others] = decisions.toSorted(
    (a, b) => ruleSeverity.indexOf(a.rule) - ruleSeverity.indexOf(b.rule),
  )
  if (!strongest) return undefined
  return { rule: strongest.rule, reason: [strongest.reason, ...others.map(({ words }) => words)].join('; ') }
}

type Shortage = { rule: ThinDecision['rule']; words: string }

/** What is worst for the edition comes first. */
const ruleSeverity: ThinDecision['rule'][] = ['skip', 'hold', 'send']

/** An edition with nothing in it goes to nobody, whatever the rule. */
function totalShortage({ thin: { minimum, rule } }: Digest, count: number): Shortage[] {
  if (count === 0 && (rule === 'send' || minimum === 0)) return [{ rule: 'hold', words: 'there is no article in it' }]
  if (count >= minimum || rule === 'send') return []
  return [{ rule, words: `${count} articles where at least ${minimum} are wanted` }]
}

function sectionShortages({ sections }: Digest, choices: Choice[]): Shortage[] {
  return sections.flatMap(({ name, thin, minimum }) => {
    const held = countInSection(choices, name)
    if (thin !== 'ask' || held >= minimum) return []
    return [{ rule: 'hold' as const, words: `the section ${name} has ${held} articles where ${minimum} are wanted` }]
  })
}

function minimumShortages(digest: Digest, choices: Choice[]): Shortage[] {
  return unmetMinimums(digest, choices).map((one) => ({
    rule: one.floor.otherwise,
    words: shortfallText(one, choices),
  }))
}

function skipOrBreakSilence(
  { thin: { longestSilence } }: Digest,
  count: number,
  short: string,
  lastAt: Instant | undefined,
  now: Instant,
): ThinDecision {
  const silence = lastAt === undefined ? 0 : msBetween(lastAt, now)
  if (longestSilence === undefined || silence <= parseDurationMs(longestSilence))
    return { rule: 'skip', reason: `skipped: ${short}` }
  const why = `${short}, but the last edition was ${durationText(silence)} ago, and the longest silence is ${longestSilence}`
  return count > 0 ? { rule: 'send', reason: `thin: ${why}` } : { rule: 'hold', reason: `held: ${why}` }
}

function countInSection(choices: Choice[], name: string): number {
  return choices.filter(({ section, position }) => section === name && position !== null).length
}

async function failingFeedsText(db: Db, digest: Digest): Promise<string> {
  const ours = new Set(feedUrlsOf(digest))
  const failing = (await allFeeds(db)).filter((feed) => ours.has(feed.url) && feed.error !== null)
  if (failing.length === 0) return ''
  return `; ${failing.length} of ${ours.size} feeds failed (${failing.map((feed) => `${feed.url}: ${feed.error}`).join('; ')})`
}

async function quarantinedFeedsText(db: Db, digest: Digest): Promise<string> {
  const waiting = (await quarantinedFeeds(db)).filter((feed) => feed.digest === digest.name)
  const words = waiting.map(({ url, count, reason }) => `; ${count} articles of ${url} wait for an editor: ${reason}`)
  return words.join('')
}
