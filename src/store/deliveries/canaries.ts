import { sql } from 'kysely'
import type { Instant } from '../../time/clock.ts'
import type { Engine } from '../engine.ts'
import type { CanaryRow, Db, DeliveryStatus } from '../schema.ts'
import { domainOf, providerOrDomain, ringPlace } from '../subscribers/domain.ts'
import { activeSubscribers } from '../subscribers/subscribers.ts'
import { markDue } from './slices.ts'

/** The domains of the digest's active subscribers, the largest first. */
export async function largestDomains(db: Db, engine: Engine, digest: string, limit: number): Promise<string[]> {
  const domain = domainOf(engine)
  const rows = await activeSubscribers(db, digest)
    .select(domain.as('domain'))
    .groupBy(domain)
    .orderBy(sql`count(*)`, 'desc')
    .orderBy('domain')
    .limit(limit)
    .execute()
  return rows.map((row) => row.domain)
}

/** How the first shares of an edition are chosen. */
export type FirstShareRule = {
  /** Providers with at least this many recipients get a first share. */
  minimum: number
  /** The part of a provider's recipients in its first share, from 0 to 1 … */
  share: number
  /** … and the minimum number of people in it. */
  minRecipients: number
  /** Where on the ring the first shares begin: the last three hex digits of an id. */
  firstPlace: string
}

/**
 * The large mail providers of the digest's active subscribers, with the range of places of each first share: from
 * `firstPlace` around the ring, as few places as hold enough people. People are counted by place, so a share is never
 * too small, however the ids are distributed.
 */
export async function planFirstShares(
  db: Db,
  engine: Engine,
  digest: string,
  { minimum, share, minRecipients, firstPlace }: FirstShareRule,
): Promise<NewCanary[]> {
  const name = providerOrDomain(engine)
  const people = activeSubscribers(db, digest)
    .leftJoin('providers', (join) => join.on('providers.domain', '=', domainOf(engine)))
    .select([name.as('name'), ringPlace.as('place'), (eb) => eb.fn.countAll<number>().as('people')])
    .groupBy([name, ringPlace])
  const isAfterTheEnd = sql`case when place < ${firstPlace} then 1 else 0 end`
  const onRing = db
    .selectFrom(people.as('counted'))
    .select([
      'name',
      'place',
      'people',
      sql<number>`sum(people) over (partition by name)`.as('recipients'),
      sql<number>`sum(people) over (partition by name order by ${isAfterTheEnd}, place)`.as('covered'),
    ])
  const isEnough = (count: string) =>
    sql<boolean>`(${sql.raw(count)} >= ${minRecipients} and ${sql.raw(count)} >= ${share} * recipients)`
  const rows = await db
    .selectFrom(onRing.as('ring'))
    .select(['name', 'place', 'recipients'])
    .where('recipients', '>=', minimum)
    .where(isEnough('covered'))
    .where((eb) => eb.not(isEnough('(covered - people)')))
    .orderBy('name')
    .execute()
  return rows.map((row) => ({ name: row.name, recipients: Number(row.recipients), firstPlace, lastPlace: row.place }))
}

export type NewCanary = Pick<CanaryRow, 'name' | 'recipients' | 'firstPlace' | 'lastPlace'>

export async function addCanaries(db: Db, editionId: string, large: NewCanary[]): Promise<void> {
  const never = { waitingSince: null, releasedAt: null, stoppedAt: null }
  for (let start = 0; start < large.length; start += 100) {
    await db
      .insertInto('canaries')
      .values(large.slice(start, start + 100).map((one) => ({ editionId, ...one, ...never })))
      .onConflict((conflict) => conflict.columns(['editionId', 'name']).doNothing())
      .execute()
  }
}

export function canariesOf(db: Db, editionId: string): Promise<CanaryRow[]> {
  return db.selectFrom('canaries').selectAll().where('editionId', '=', editionId).orderBy('name').execute()
}

type Canary = Pick<CanaryRow, 'editionId' | 'name'>

/** Records that the first share is finished: the wait before the others begins. */
export function startCanaryWait(db: Db, canary: Canary, waitingSince: Instant): Promise<boolean> {
  return changeCanary(db, canary, { waitingSince })
}

export function stopCanary(db: Db, canary: Canary, stoppedAt: Instant): Promise<boolean> {
  return changeCanary(db, canary, { stoppedAt })
}

/**
 * Releases the other deliveries. False: another process did so, or the edition is not being sent. Call it in a
 * transaction.
 */
export async function releaseCanary(db: Db, canary: Canary, releasedAt: Instant): Promise<boolean> {
  if (!(await changeCanary(db, canary, { releasedAt }, 'sending'))) return false
  await markDue(db, canary.editionId)
  return true
}

async function changeCanary(
  db: Db,
  { editionId, name }: Canary,
  change: Partial<Pick<CanaryRow, 'waitingSince' | 'releasedAt' | 'stoppedAt'>>,
  status?: 'sending',
): Promise<boolean> {
  let update = db
    .updateTable('canaries')
    .set(change)
    .where('editionId', '=', editionId)
    .where('name', '=', name)
    .where('releasedAt', 'is', null)
  if (status)
    update = update.where((eb) =>
      eb.exists(
        eb
          .selectFrom('editions')
          .select('editions.id')
          .where('editions.id', '=', editionId)
          .where('status', '=', status),
      ),
    )
  return (await update.executeTakeFirst()).numUpdatedRows > 0n
}

/**
 * The number of deliveries in each state in an edition's first shares, by provider; `isLater`: they wait for a later
 * time.
 */
export async function countFirstShares(db: Db, editionId: string, names: string[], now: Instant) {
  const isLater = sql<number>`case when next_attempt_at > ${now} then 1 else 0 end`
  const rows = await db
    .selectFrom('deliveries')
    .select(['firstOf as name', 'status', isLater.as('isLater'), (eb) => eb.fn.countAll<number>().as('count')])
    .where('editionId', '=', editionId)
    .where('firstOf', 'in', names)
    .groupBy(['firstOf', 'status', 'isLater'])
    .execute()
  return rows.map(({ name, status, isLater, count }) => ({
    name: name ?? '',
    status,
    isLater: Number(isLater) === 1,
    count: Number(count),
  }))
}

/** The replies to first-share messages that were not accepted, in pages. */
export async function* firstShareReplies(
  db: Db,
  editionId: string,
  names: string[],
): AsyncGenerator<{ name: string; status: DeliveryStatus; reply: string }> {
  const size = 1000
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: { subscriberId: string; name: string | null; status: DeliveryStatus; reply: string | null }[] = await db
      .selectFrom('deliveries')
      .select(['subscriberId', 'firstOf as name', 'status', 'reply'])
      .where('editionId', '=', editionId)
      .where('firstOf', 'in', names)
      .where('status', 'in', ['refused', 'deferred'])
      .where('subscriberId', '>', after)
      .orderBy('subscriberId')
      .limit(size)
      .execute()
    for (const { name, status, reply } of page) yield { name: name ?? '', status, reply: reply ?? '' }
    after = page.length < size ? undefined : page.at(-1)?.subscriberId
  }
}

/** The number of deliveries that wait for a canary, by provider name. */
export async function countWaitingForCanaries(db: Db, editionId: string): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('deliveries')
    .select(['canary', (eb) => eb.fn.countAll<number>().as('count')])
    .where('editionId', '=', editionId)
    .where('status', '=', 'queued')
    .where('canary', 'is not', null)
    .groupBy('canary')
    .execute()
  return new Map(rows.map(({ canary, count }) => [canary ?? '', Number(count)]))
}
