import { sql } from 'kysely'
import { domainOf, providerOrDomain } from './domain.ts'
import type { Engine } from './engine.ts'
import type { CanaryRow, Db, DeliveryStatus } from './schema.ts'
import { activeIn } from './subscribers.ts'

/** The domains of those who would get an edition of the digest now, the largest first. */
export async function largestDomains(db: Db, engine: Engine, digest: string, limit: number): Promise<string[]> {
  const domain = domainOf(engine)
  const rows = await activeIn(db, digest)
    .select(domain.as('domain'))
    .groupBy(domain)
    .orderBy(sql`count(*)`, 'desc')
    .orderBy('domain')
    .limit(limit)
    .execute()
  return rows.map((row) => row.domain)
}

/** The mail providers with at least so many of those who would get an edition of the digest now, and how many. */
export async function largeProviders(
  db: Db,
  engine: Engine,
  digest: string,
  minimum: number,
): Promise<{ name: string; recipients: number }[]> {
  const name = providerOrDomain(engine)
  const rows = await activeIn(db, digest)
    .leftJoin('providers', (join) => join.on('providers.domain', '=', domainOf(engine)))
    .select([name.as('name'), (eb) => eb.fn.countAll<number>().as('recipients')])
    .groupBy(name)
    .having((eb) => eb.fn.countAll<number>(), '>=', minimum)
    .orderBy('name')
    .execute()
  return rows.map((row) => ({ name: row.name, recipients: Number(row.recipients) }))
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

/** Changes what is on record of one canary. */
export async function changeCanary(
  db: Db,
  { editionId, name }: Pick<CanaryRow, 'editionId' | 'name'>,
  change: Partial<Pick<CanaryRow, 'waitingSince' | 'releasedAt' | 'stoppedAt'>>,
): Promise<void> {
  await db.updateTable('canaries').set(change).where('editionId', '=', editionId).where('name', '=', name).execute()
}

/** How the first shares of an edition fared: how many stand in each state, by provider. */
export async function canaryCounts(db: Db, engine: Engine, editionId: string, names: string[]) {
  const name = providerOrDomain(engine)
  const rows = await firstShares(db, engine, editionId, names)
    .select([name.as('name'), 'deliveries.status', (eb) => eb.fn.countAll<number>().as('count')])
    .groupBy([name, 'deliveries.status'])
    .execute()
  return rows.map((row) => ({ ...row, count: Number(row.count) }))
}

/** What the first shares were answered that were not accepted. */
export function canaryAnswers(
  db: Db,
  engine: Engine,
  editionId: string,
  names: string[],
): Promise<{ name: string; status: DeliveryStatus; reply: string | null }[]> {
  return firstShares(db, engine, editionId, names)
    .select([providerOrDomain(engine).as('name'), 'deliveries.status', 'deliveries.reply'])
    .where('deliveries.status', 'in', ['refused', 'deferred'])
    .orderBy('deliveries.subscriberId')
    .execute()
}

function firstShares(db: Db, engine: Engine, editionId: string, names: string[]) {
  return db
    .selectFrom('deliveries')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriberId')
    .leftJoin('providers', (join) => join.on('providers.domain', '=', domainOf(engine)))
    .where('deliveries.editionId', '=', editionId)
    .where('deliveries.canary', 'is', null)
    .where(providerOrDomain(engine), 'in', names)
}

/** How many copies still wait for a canary, by the name of the provider. */
export async function waitingForCanaries(db: Db, editionId: string): Promise<Map<string, number>> {
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
