import { isGreylisting } from '../../mail/reply-rules/deferrals.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import { saveProviderRates, slowProviderRates } from '../../store/limits/provider-rates.ts'
import type { Db } from '../../store/schema.ts'
import { addMs, type Clock, hour, type Instant, msBetween, second } from '../../time/clock.ts'
import { afterComplaint, afterGood, complaintIn, freePace, type Pace, paceAt, untilToken } from './pace.ts'
import type { Providers } from './providers.ts'

type Needs = { db: Db; clock: Clock; providers: Providers }

/** One mail provider, or one domain of its own, as one relay writes to it. */
export type Bucket = {
  readonly name: string
  /** '' where there is only one relay. */
  readonly relay: string
  pace: Pace
  /** Since when it is slow, where it is. */
  slowedAt: Instant
  /** Messages begun in all; those up to `slowedTo` were begun before it was slowed, and complain of nothing new. */
  begun: number
  slowedTo: number
  /** Messages begun since `since`, which tells how fast they go. */
  recent: number
  since: Instant
  round: number
}

/** One message on its way. */
export type Ticket = { bucket: Bucket; number: number; at: Instant }

/** The paces of all mail providers that this process writes to, over each relay; null where there is only one. */
export type Buckets = {
  of(email: string, relay: string | null): Bucket
  /** Takes a token, if there is one. */
  take(bucket: Bucket): boolean
  /** When there will be a token. */
  readyAt(bucket: Bucket): Instant
  /** A message is handed to the relay. */
  begin(email: string, relay: string | null): Ticket
  /** What became of it; returns the provider if the answer is its own: it finds us too fast, or puts a person off. */
  heard(ticket: Ticket, result: SendResult, now: Instant): string | undefined
  /** Finds out who takes the mail of these addresses, as far as that is known; what is not is asked for meanwhile. */
  meet(emails: string[]): Promise<void>
  /** A pass begins: how fast messages go is measured anew, and what another process has slowed is slow here too. */
  beginPass(): Promise<void>
  /** Writes down what has changed, if the last time was a while ago, or `always`. */
  save(when?: 'always'): Promise<void>
}

/** More domains than this are not remembered; those that are slow always are. */
const mostDomains = 20_000
const savedEvery = 10 * second

/** Opens the paces as they were kept. */
export async function openBuckets({ db, clock, providers }: Needs): Promise<Buckets> {
  const byDomain = new Map<string, Provider>()
  const byName = new Map<string, Provider>()
  const changed = new Set<Bucket>()
  let savedAt = clock.now()
  let forgotAt = savedAt
  let round = 0

  await readKept()

  function of(email: string, relay: string | null): Bucket {
    const domain = domainOf(email)
    let provider = byDomain.get(domain)
    if (!provider) {
      if (byDomain.size >= mostDomains) forgetFree()
      provider = named(providers.of(domain) ?? domain)
      byDomain.set(domain, provider)
    }
    return over(provider, relay ?? '')
  }

  function named(name: string): Provider {
    const known = byName.get(name)
    if (known) return known
    const provider: Provider = { name, byRelay: new Map() }
    byName.set(name, provider)
    return provider
  }

  function over({ name, byRelay }: Provider, relay: string): Bucket {
    const known = byRelay.get(relay)
    if (known) return known
    const bucket = blankBucket(name, relay, clock.now())
    byRelay.set(relay, bucket)
    return bucket
  }

  /** What is on record and slower than what we know. */
  async function readKept(): Promise<void> {
    for (const { name, relay, rate, reason, slowedAt, updatedAt } of await slowProviderRates(db)) {
      const pace = paceAt({ rate, reason, irritation: 0, tokens: 0, at: updatedAt }, clock.now())
      const bucket = over(named(name), relay)
      if (pace.rate !== null && pace.rate < (bucket.pace.rate ?? Number.POSITIVE_INFINITY))
        Object.assign(bucket, { pace, slowedAt })
    }
  }

  function forgetFree(): void {
    byDomain.clear()
    for (const [name, { byRelay }] of byName) {
      for (const [relay, { pace }] of byRelay) if (pace.rate === null) byRelay.delete(relay)
      if (byRelay.size === 0) byName.delete(name)
    }
  }

  /** The provider of a domain is known now: what its domain was slowed for holds for the provider. */
  providers.onFound((domain, name) => {
    const own = byDomain.get(domain)
    byDomain.delete(domain)
    if (!own || own.name === name) return
    for (const { relay, pace, slowedAt } of own.byRelay.values()) {
      const shared = over(named(name), relay)
      if (pace.rate === null || (shared.pace.rate !== null && shared.pace.rate <= pace.rate)) continue
      shared.pace = pace
      shared.slowedAt = slowedAt
      changed.add(shared)
    }
  })

  function slow(bucket: Bucket, pace: Pace, now: Instant): void {
    if (pace.rate !== null && bucket.pace.rate === null) bucket.slowedAt = now
    if (pace.irritation === 0) bucket.slowedTo = bucket.begun
    bucket.pace = pace
    changed.add(bucket)
  }

  function refill(bucket: Bucket): void {
    const pace = paceAt(bucket.pace, clock.now())
    if (pace.rate !== bucket.pace.rate) changed.add(bucket)
    bucket.pace = pace
  }

  return {
    of,
    take(bucket) {
      if (bucket.pace.rate === null) return true
      refill(bucket)
      if (bucket.pace.rate === null) return true
      if (bucket.pace.tokens < 1) return false
      bucket.pace = { ...bucket.pace, tokens: bucket.pace.tokens - 1 }
      return true
    },
    readyAt(bucket) {
      return addMs(bucket.pace.at, untilToken(bucket.pace))
    },
    begin(email, relay) {
      const bucket = of(email, relay)
      const at = clock.now()
      if (bucket.round !== round) Object.assign(bucket, { round, recent: 0, since: at })
      bucket.recent += 1
      bucket.begun += 1
      return { bucket, number: bucket.begun, at }
    },
    heard({ bucket, number, at }, result, now) {
      const complaint = complaintIn(result, msBetween(at, now))
      if (!complaint) {
        if (bucket.pace.irritation > 0) bucket.pace = afterGood(bucket.pace)
        return isGreylisting(result.reply) ? bucket.name : undefined
      }
      if (number <= bucket.slowedTo) return bucket.name // it was on its way before we slowed down
      const observed = bucket.recent / Math.max(1, msBetween(bucket.since, now) / second)
      slow(bucket, afterComplaint(paceAt(bucket.pace, now), complaint, observed, now), now)
      return bucket.name
    },
    meet: (emails) => providers.meet(emails.map(domainOf).filter((domain) => !byDomain.has(domain))),
    async beginPass() {
      round += 1
      if (!isWithin(forgotAt, hour, clock.now())) {
        forgetFree() // who takes whose mail changes
        forgotAt = clock.now()
      }
      await readKept()
    },
    async save(when) {
      const now = clock.now()
      if (when !== 'always' && isWithin(savedAt, savedEvery, now)) return
      savedAt = now
      const buckets = [...changed]
      changed.clear()
      const slowed = buckets.flatMap(({ name, relay, slowedAt, pace: { rate, reason, at } }) =>
        rate === null ? [] : [{ name, relay, rate, reason, slowedAt, updatedAt: at }],
      )
      const free = buckets.filter(({ pace }) => pace.rate === null)
      await saveProviderRates(db, slowed, free)
      await providers.save()
    },
  }
}

/** Whether that was less than so many milliseconds ago; a clock that was set back since is not waited for. */
function isWithin(at: Instant, milliseconds: number, now: Instant): boolean {
  return at <= now && msBetween(at, now) < milliseconds
}

type Provider = { name: string; byRelay: Map<string, Bucket> }

function blankBucket(name: string, relay: string, now: Instant): Bucket {
  const counts = { begun: 0, slowedTo: 0, recent: 0, round: -1 }
  return { name, relay, pace: freePace(now), slowedAt: now, since: now, ...counts }
}

/** What stands behind the last @ of an address, as it is written. */
export function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1)
}
