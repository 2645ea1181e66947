import { readInWorker } from '../feeds/parse/reader-pool.ts'
import type { Fetcher } from '../http/fetcher.ts'
import { type CompiledRules, compileRules, maximumRobotsBytes, mayFetch, type RobotsRules } from '../http/robots.ts'
import { robotsFetchedAt, robotsOf, saveRobots } from '../store/articles/pages.ts'
import type { Db } from '../store/schema.ts'
import { type Clock, day, hour, type Instant, msBetween } from '../time/clock.ts'

/** The longest time to cache robots.txt (RFC 9309 §2.4). */
const robotsMaxAgeMs = day

/**
 * Whether robots.txt allows to fetch a URL (RFC 9309 §2.3.1). A missing file (4xx) allows all; one that cannot be reached
 * (5xx, no answer) allows nothing for an hour.
 */
export async function robotsVerdict(
  needs: { db: Db; fetcher: Fetcher; clock: Clock },
  url: URL,
  signal?: AbortSignal,
): Promise<'yes' | 'forbidden' | 'unreachable'> {
  const rules = await rulesFor(needs, url.origin, signal)
  if (mayFetch(rules, url.href)) return 'yes'
  return isUnreachable(rules) ? 'unreachable' : 'forbidden'
}

/** Why robots.txt does not allow to fetch a URL, for a person; or null. */
export async function robotsRefusal(
  needs: { db: Db; fetcher: Fetcher; clock: Clock },
  url: URL,
): Promise<string | null> {
  return refusalReasons[await robotsVerdict(needs, url)]
}

const refusalReasons = {
  yes: null,
  forbidden: 'its robots.txt forbids it',
  unreachable: 'its robots.txt cannot be reached',
}

async function rulesFor(
  needs: { db: Db; fetcher: Fetcher; clock: Clock },
  origin: string,
  signal: AbortSignal | undefined,
): Promise<CompiledRules> {
  const { db, clock } = needs
  const fetchedAt = await robotsFetchedAt(db, origin)
  const known = fetchedAt && (rulesCacheFor(db).get(origin, fetchedAt) ?? (await storedRules(db, origin, fetchedAt)))
  const age = known ? msBetween(fetchedAt, clock.now()) : 0
  if (known && age < (isUnreachable(known) ? hour : robotsMaxAgeMs)) return known
  const rules = await fetchRules(needs, origin, signal)
  const now = clock.now()
  await saveRobots(db, origin, JSON.stringify(rules), now)
  return rulesCacheFor(db).set(origin, now, compileRules(rules))
}

async function storedRules(db: Db, origin: string, fetchedAt: Instant): Promise<CompiledRules | undefined> {
  const stored = await robotsOf(db, origin)
  return stored && rulesCacheFor(db).set(origin, fetchedAt, compileRules(JSON.parse(stored.rules)))
}

async function fetchRules(
  { fetcher }: { fetcher: Fetcher },
  origin: string,
  signal: AbortSignal | undefined,
): Promise<RobotsRules> {
  const accept = 'text/plain, */*;q=0.5'
  const fetched = await fetcher.get(`${origin}/robots.txt`, {
    accept,
    truncateAtBytes: maximumRobotsBytes,
    ...(signal && { signal }),
  })
  const isAbsent = fetched.kind === 'failed' && fetched.status !== null && fetched.status >= 400 && fetched.status < 500
  if (fetched.kind !== 'ok') return isAbsent ? [] : unreachableRules
  const read = await readInWorker('robots', fetched.bytes, null)
  return 'failed' in read ? unreachableRules : read
}

/** The compiled rules of the last 100 origins, because stored rules may be half a megabyte of JSON. */
class RulesCache {
  readonly #entries = new Map<string, { fetchedAt: Instant; rules: CompiledRules }>()
  readonly #maximum = 100

  get(origin: string, fetchedAt: Instant): CompiledRules | undefined {
    const entry = this.#entries.get(origin)
    return entry?.fetchedAt === fetchedAt ? entry.rules : undefined
  }

  set(origin: string, fetchedAt: Instant, rules: CompiledRules): CompiledRules {
    this.#entries.delete(origin)
    this.#entries.set(origin, { fetchedAt, rules })
    const [oldest] = this.#entries.keys()
    if (this.#entries.size > this.#maximum && oldest !== undefined) this.#entries.delete(oldest)
    return rules
  }
}

const caches = new WeakMap<Db, RulesCache>()

function rulesCacheFor(db: Db): RulesCache {
  const cache = caches.get(db) ?? new RulesCache()
  caches.set(db, cache)
  return cache
}

/** An empty path matches every URL; a robots.txt cannot forbid it. */
const unreachableRules: RobotsRules = [{ path: '', allow: false }]

function isUnreachable(rules: CompiledRules): boolean {
  return rules[0]?.length === 0
}
