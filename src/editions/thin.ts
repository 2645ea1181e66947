import { between, durationText, type Instant, spanMilliseconds } from '../clock.ts'
import { lastOut } from '../store/editions.ts'
import { allFeeds } from '../store/feeds.ts'
import type { Db } from '../store/schema.ts'
import { heldFeeds } from '../store/stories.ts'
import { type Digest, feedsListed } from './digest.ts'
import { shortWords, unmet } from './floors.ts'
import type { Choice } from './select.ts'

/** What the rules say of an edition that is short: `send` goes out as it is, and the reason goes on record. */
export type Thin = { rule: 'skip' | 'hold' | 'send'; reason: string }

/** Too few articles, a section that asks an editor when it is short, or a rule that too few match; undefined: none of these. */
export async function thinReason(db: Db, digest: Digest, choices: Choice[], now: Instant): Promise<Thin | undefined> {
  const thin = thinBy(digest, choices, await lastOut(db, digest.name), now)
  if (!thin || thin.rule === 'send') return thin
  const causes = [leftOutText(choices), await failingFeeds(db, digest), await waitingFeeds(db, digest)]
  return { ...thin, reason: thin.reason + causes.join('') }
}

/** Why pending articles were left out: the most frequent reasons, with their counts. */
function leftOutCounts(choices: Choice[]): { reason: string; count: number }[] {
  const counts = new Map<string, number>()
  for (const { position, reason } of choices)
    if (position === null) counts.set(kindOf(reason), (counts.get(kindOf(reason)) ?? 0) + 1)
  return [...counts].map(([reason, count]) => ({ reason, count })).toSorted((a, b) => b.count - a.count)
}

/** A reason without what is about one article alone: the time at which it was seen. */
function kindOf(reason: string): string {
  return reason.replace(/first seen on \S+, longer/, 'first seen longer')
}

const mostReasons = 3

function leftOutText(choices: Choice[]): string {
  const counts = leftOutCounts(choices)
  const total = counts.reduce((sum, { count }) => sum + count, 0)
  if (total === 0) return ''
  const named = counts.slice(0, mostReasons).map(({ reason, count }) => `${count}: ${reason}`)
  const others = counts.length > mostReasons ? `; ${counts.length - mostReasons} more reasons` : ''
  return `; ${total} pending ${total === 1 ? 'article was' : 'articles were'} left out (${named.join('; ')}${others})`
}

/** The same as a pure function; `lastAt` is when an edition last went out. Readers' letters alone make no edition. */
export function thinBy(digest: Digest, choices: Choice[], lastAt: Instant | undefined, now: Instant): Thin | undefined {
  const count = choices.filter(({ article, position }) => position !== null && !article.letter).length
  const found = [...tooFew(digest, count), ...asking(digest, choices), ...floorsUnmet(digest, choices)]
  const thins = found.map(({ rule, words }): Thin & { words: string } => {
    if (rule === 'skip') return { ...skipOrBreakSilence(digest, count, words, lastAt, now), words }
    return { rule, reason: rule === 'hold' ? `held: ${words}` : `short: ${words}`, words }
  })
  const [strongest, ...others] = thins.toSorted((a, b) => strength.indexOf(a.rule) - strength.indexOf(b.rule))
  if (!strongest) return undefined
  return { rule: strongest.rule, reason: [strongest.reason, ...others.map(({ words }) => words)].join('; ') }
}

type Shortage = { rule: Thin['rule']; words: string }

/** What is worst for the edition comes first. */
const strength: Thin['rule'][] = ['skip', 'hold', 'send']

/** An edition with nothing in it goes to nobody, whatever the rule. */
function tooFew({ thin: { minimum, rule } }: Digest, count: number): Shortage[] {
  if (count === 0 && (rule === 'send' || minimum === 0)) return [{ rule: 'hold', words: 'there is no article in it' }]
  if (count >= minimum || rule === 'send') return []
  return [{ rule, words: `${count} articles where at least ${minimum} are wanted` }]
}

function asking({ sections }: Digest, choices: Choice[]): Shortage[] {
  return sections.flatMap(({ name, thin, minimum }) => {
    const held = inSection(choices, name)
    if (thin !== 'ask' || held >= minimum) return []
    return [{ rule: 'hold' as const, words: `the section ${name} has ${held} articles where ${minimum} are wanted` }]
  })
}

function floorsUnmet(digest: Digest, choices: Choice[]): Shortage[] {
  return unmet(digest, choices).map((one) => ({ rule: one.floor.otherwise, words: shortWords(one, choices) }))
}

function skipOrBreakSilence(
  { thin: { longestSilence } }: Digest,
  count: number,
  short: string,
  lastAt: Instant | undefined,
  now: Instant,
): Thin {
  const silence = lastAt === undefined ? 0 : between(lastAt, now)
  if (longestSilence === undefined || silence <= spanMilliseconds(longestSilence))
    return { rule: 'skip', reason: `skipped: ${short}` }
  const why = `${short}, but the last edition was ${durationText(silence)} ago, and the longest silence is ${longestSilence}`
  return count > 0 ? { rule: 'send', reason: `thin: ${why}` } : { rule: 'hold', reason: `held: ${why}` }
}

function inSection(choices: Choice[], name: string): number {
  return choices.filter(({ section, position }) => section === name && position !== null).length
}

async function failingFeeds(db: Db, digest: Digest): Promise<string> {
  const ours = new Set(feedsListed(digest))
  const failing = (await allFeeds(db)).filter((feed) => ours.has(feed.url) && feed.error !== null)
  if (failing.length === 0) return ''
  return `; ${failing.length} of ${ours.size} feeds failed (${failing.map((feed) => `${feed.url}: ${feed.error}`).join('; ')})`
}

async function waitingFeeds(db: Db, digest: Digest): Promise<string> {
  const waiting = (await heldFeeds(db)).filter((feed) => feed.digest === digest.name)
  const words = waiting.map(({ url, count, reason }) => `; ${count} articles of ${url} wait for an editor: ${reason}`)
  return words.join('')
}
