import { between, type Clock, day, hour } from '../clock.ts'
import { keepRobots, robotsOf } from '../store/pages.ts'
import type { Db } from '../store/schema.ts'
import { decodeText } from './decode.ts'
import type { Fetcher } from './fetch.ts'
import { mayFetch, type Rules, readRobots } from './robots.ts'

type Needs = { db: Db; fetcher: Fetcher; clock: Clock }

/** RFC 9309 §2.4: robots.txt is kept for a day at most. */
const freshRobots = day

/** Whether the robots.txt of that host lets us ask for the page; it is read anew once a day. */
export async function mayAsk(needs: Needs, url: string): Promise<boolean> {
  return mayFetch(await rulesFor(needs, new URL(url).origin), url)
}

/** RFC 9309 §2.3.1: a robots.txt that is not there (4xx) allows all, one that cannot be reached (5xx, no answer) nothing. */
async function rulesFor({ db, fetcher, clock }: Needs, origin: string): Promise<Rules> {
  const known = await robotsOf(db, origin)
  const rules: Rules | undefined = known && JSON.parse(known.rules)
  const age = known ? between(known.fetchedAt, clock.now()) : 0
  if (rules && age < (isUnreachable(rules) ? hour : freshRobots)) return rules
  const fetched = await fetcher.get(`${origin}/robots.txt`, { accept: 'text/plain, */*;q=0.5' })
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

const unreachable: Rules = [{ path: '/', allow: false }]

/** Somebody who forbids everything is asked again as soon, which does no harm. */
function isUnreachable(rules: Rules): boolean {
  return JSON.stringify(rules) === JSON.stringify(unreachable)
}
