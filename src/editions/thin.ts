import { between, durationText, type Instant, spanMilliseconds } from '../clock.ts'
import { lastOut } from '../store/editions.ts'
import { allFeeds } from '../store/feeds.ts'
import type { Db } from '../store/schema.ts'
import { type Digest, feedsListed } from './digest.ts'
import type { Choice } from './select.ts'

/** What the rules say of an edition that is short: `send` goes out as it is, and the reason goes on record. */
export type Thin = { rule: 'skip' | 'hold' | 'send'; reason: string }

/** Too few articles, or a section that asks an editor when it is short; undefined: neither. */
export async function thinReason(db: Db, digest: Digest, choices: Choice[], now: Instant): Promise<Thin | undefined> {
  const thin = thinBy(digest, choices, await lastOut(db, digest.name), now)
  return thin && { ...thin, reason: thin.reason + (thin.rule === 'send' ? '' : await failingFeeds(db, digest)) }
}

/** The same as a pure function; `lastAt` is when an edition last went out. */
export function thinBy(digest: Digest, choices: Choice[], lastAt: Instant | undefined, now: Instant): Thin | undefined {
  const count = choices.filter(({ position }) => position !== null).length
  const { minimum, rule } = digest.thin
  const short = `${count} articles where at least ${minimum} are wanted`
  if (count < minimum && rule === 'skip') return skipOrBreakSilence(digest, count, short, lastAt, now)
  if (count < minimum && rule === 'hold') return { rule, reason: `held: ${short}` }
  const asking = digest.sections.find(
    (section) => section.thin === 'ask' && inSection(choices, section.name) < section.minimum,
  )
  if (!asking) return undefined
  const held = inSection(choices, asking.name)
  return {
    rule: 'hold',
    reason: `held: the section ${asking.name} has ${held} articles where ${asking.minimum} are wanted`,
  }
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
