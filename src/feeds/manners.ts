import { between, type Clock, day, hour } from '../clock.ts'
import { keepRobots, robotsOf } from '../store/pages.ts'
import type { Db } from '../store/schema.ts'
import { decodeText } from './decode.ts'
import type { Fetcher } from './fetch.ts'
import { mayFetch, type Rules, readRobots } from './robots.ts'

/** RFC 9309 §2.4: robots.txt is kept for a day at most. */
const freshRobots = day

/**
 * Whether the robots.txt of a page's host lets us ask for it. One that is not there (4xx) allows all, one that cannot be
 * reached (5xx, no answer) nothing for an hour (RFC 9309 §2.3.1).
 */
export async function mayAsk(
  needs: { db: Db; fetcher: Fetcher; clock: Clock },
  url: URL,
  signal?: AbortSignal,
): Promise<'yes' | 'forbidden' | 'unreachable'> {
  const rules = await rulesFor(needs, url.origin, signal)
  if (mayFetch(rules, url.href)) return 'yes'
  return isUnreachable(rules) ? 'unreachable' : 'forbidden'
}

/** Why it may not be asked, in words, or null. */
export async function forbiddenBy(needs: { db: Db; fetcher: Fetcher; clock: Clock }, url: URL): Promise<string | null> {
  return reasons[await mayAsk(needs, url)]
}

const reasons = {
  yes: null,
  forbidden: 'its robots.txt forbids it',
  unreachable: 'its robots.txt cannot be reached',
}

async function rulesFor(
  { db, fetcher, clock }: { db: Db; fetcher: Fetcher; clock: Clock },
  origin: string,
  signal: AbortSignal | undefined,
): Promise<Rules> {
  const known = await robotsOf(db, origin)
  const rules: Rules | undefined = known && JSON.parse(known.rules)
  const age = known ? between(known.fetchedAt, clock.now()) : 0
  if (rules && age < (isUnreachable(rules) ? hour : freshRobots)) return rules
  const fetched = await fetcher.get(`${origin}/robots.txt`, {
    accept: 'text/plain, */*;q=0.5',
    ...(signal && { signal }),
  })
  const absent = fetched.kind === 'failed' && fetched.status !== null && fetched.status >= 400 && fetched.status < 500
  const read =
    fetched.kind === 'ok'
      ? readRobots(decodeText(fetched.bytes, 'text/plain; charset=utf-8'))
      : absent
        ? []
        : unreachable
  await keepRobots(db, origin, JSON.stringify(read), clock.now())
  return read
}

/** Begins every path, and stands in no robots.txt, where an empty path forbids nothing. */
const unreachable: Rules = [{ path: '', allow: false }]

function isUnreachable(rules: Rules): boolean {
  return rules[0]?.path === ''
}
