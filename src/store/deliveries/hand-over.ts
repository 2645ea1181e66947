import { sql } from 'kysely'
import type { Instant } from '../../time/clock.ts'
import { type Placeholder, runPrepared } from '../drivers/prepared-statements.ts'
import type { Engine } from '../engine.ts'
import type { Db, DeliveryRow, DeliveryStatus } from '../schema.ts'
import { CountChange, type DeliveryCounts, statuses } from './counts.ts'
import { type SliceLease, sliceNow } from './slices.ts'

/** How a delivery ended, or when it is tried again. */
export type DeliveryResult = Pick<
  DeliveryRow,
  'subscriberId' | 'status' | 'attempts' | 'nextAttemptAt' | 'cutSince' | 'relay' | 'reason'
> & { reply: string }

export type Wanted = Pick<DeliveryRow, 'subscriberId' | 'status'>

/** One commit of a slice's owner: results, and the deliveries to send next. */
export type WriterBatch = {
  slice: SliceLease
  results: DeliveryResult[]
  wanted: Wanted[]
  /** Deliveries that stay in flight. */
  inFlight: string[]
}

type Sender = { editionId: string; digest: string; workerId: string }

/** `versions`: the new versions of the slices, in the order of the batches; undefined where the lease was lost. */
export type Committed = { versions: (number | undefined)[]; claimed: Set<string> }

/**
 * Records results, and claims due deliveries if the edition is being sent, sending is not stopped, and the person has
 * not left and is not suppressed; send only those in `claimed`. Call it in a transaction, with the batches in the order
 * of their slices; throws if a result cannot be written.
 */
export async function recordAndClaim(
  db: Db,
  engine: Engine,
  sender: Sender,
  batches: WriterBatch[],
  now: Instant,
): Promise<Committed> {
  const versions: (number | undefined)[] = []
  for (const batch of batches) versions.push(await writeSlice(db, engine, batch, { all: batch.wanted }))
  const ours = batches.filter((_, index) => versions[index] !== undefined)
  const wanted = ours.flatMap((batch) => batch.wanted)
  // Read after the slices are locked: stopping an edition, or settling a delivery, locks them too.
  const areAllAsRead = await areClaimable(db, engine, sender, wanted, now)
  const statusNow = areAllAsRead ? undefined : await claimable(db, engine, sender, wanted, now)
  const isAsRead = (one: Wanted) => statusNow?.get(one.subscriberId) === one.status
  for (const [index, batch] of batches.entries()) {
    if (!statusNow || versions[index] === undefined || batch.wanted.every(isAsRead)) continue
    versions[index] = await writeSlice(
      db,
      engine,
      { ...batch, slice: next(batch.slice) },
      { corrected: batch, statusNow },
    )
  }
  const results = ours.flatMap((batch) => batch.results)
  for (const group of Map.groupBy(results, sameButForReply).values()) await recordGroup(db, engine, sender, group, now)
  return { versions, claimed: new Set(statusNow ? statusNow.keys() : wanted.map(({ subscriberId }) => subscriberId)) }
}

/** The result of an earlier commit of the same batches whose answer was lost; undefined if nothing was committed. */
export async function committedBefore(db: Db, batches: WriterBatch[]): Promise<Committed | undefined> {
  const claimed = new Set<string>()
  const versions: (number | undefined)[] = []
  for (const { slice, wanted } of batches) {
    const row = await sliceNow(db, slice)
    const isOurs = row?.leaseId === slice.leaseId
    if (isOurs && row.version === slice.version) return undefined
    versions.push(isOurs ? row.version : undefined)
    const inFlight = new Set(isOurs ? (JSON.parse(row.inFlight) as string[]) : [])
    for (const { subscriberId } of wanted) if (inFlight.has(subscriberId)) claimed.add(subscriberId)
  }
  return { versions, claimed }
}

type Claims = { all: Wanted[] } | { corrected: WriterBatch; statusNow: Map<string, DeliveryStatus> }

const next = (slice: SliceLease): SliceLease => ({ ...slice, version: slice.version + 1 })

/** Writes the deliveries in flight and the counters; returns the new version, undefined if the lease was lost. */
async function writeSlice(
  db: Db,
  engine: Engine,
  { slice, results, inFlight }: WriterBatch,
  claims: Claims,
): Promise<number | undefined> {
  const change = new CountChange()
  const list = [...inFlight]
  if ('all' in claims) {
    for (const { status } of results) change.move('sending', status, 1)
    for (const { subscriberId, status } of claims.all) {
      change.move(status, 'sending', 1)
      list.push(subscriberId)
    }
  } else
    for (const { subscriberId, status } of claims.corrected.wanted) {
      const now = claims.statusNow.get(subscriberId)
      change.move('sending', status, 1)
      if (now) {
        change.move(now, 'sending', 1)
        list.push(subscriberId)
      }
    }
  const version = slice.version + 1
  const { changed } = await runPrepared(db, engine, {
    name: 'write slice',
    values: { ...slice, ...change.values, inFlight: JSON.stringify(list), newVersion: version },
    build: (value) => writeSliceQuery(db, value),
  })
  return changed > 0 ? version : undefined
}

function writeSliceQuery(db: Db, value: Placeholder) {
  return db
    .updateTable('slices')
    .set((eb) => ({
      inFlight: value('inFlight'),
      version: sql<number>`${value('newVersion')}`,
      ...(Object.fromEntries(
        statuses.map((status) => [status, eb(status, '+', sql<number>`${value(status)}`)]),
      ) as unknown as DeliveryCounts),
    }))
    .where('editionId', '=', value('editionId'))
    .where('firstId', '=', value('firstId'))
    .where('leaseId', '=', value('leaseId'))
    .where('version', '=', sql<number>`${value('version')}`)
}

/** Whether all of these may be sent now, with the status that they were read with. Counting is cheaper than reading. */
async function areClaimable(
  db: Db,
  engine: Engine,
  { editionId, digest }: Sender,
  wanted: Wanted[],
  now: Instant,
): Promise<boolean> {
  const status = wanted[0]?.status
  if (wanted.some((one) => one.status !== status)) return false
  if (status === undefined) return true
  const ids = padded(wanted.map(({ subscriberId }) => subscriberId))
  const { rows } = await runPrepared(db, engine, {
    name: `count claimable ${ids.length}`,
    values: { editionId, digest, now, ids, status },
    build: (value) =>
      claimableQuery(db, value, ids.length)
        .where('deliveries.status', '=', value('status') as DeliveryStatus)
        .select((eb) => eb.fn.countAll<number>().as('count')),
  })
  return Number(rows[0]?.count) === wanted.length
}

/** The deliveries among these that may be sent now, with their status. */
async function claimable(
  db: Db,
  engine: Engine,
  { editionId, digest }: Sender,
  wanted: Wanted[],
  now: Instant,
): Promise<Map<string, DeliveryStatus>> {
  if (wanted.length === 0) return new Map()
  const ids = padded(wanted.map(({ subscriberId }) => subscriberId))
  const { rows } = await runPrepared(db, engine, {
    name: `claimable ${ids.length}`,
    values: { editionId, digest, now, ids },
    build: (value) => claimableQuery(db, value, ids.length).select(['deliveries.subscriberId', 'deliveries.status']),
  })
  return new Map(rows.map(({ subscriberId, status }) => [subscriberId, status]))
}

function claimableQuery(db: Db, value: Placeholder, count: number) {
  return db
    .selectFrom('deliveries')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriberId')
    .innerJoin('subscriptions', 'subscriptions.subscriberId', 'deliveries.subscriberId')
    .where('deliveries.editionId', '=', value('editionId'))
    .where('deliveries.subscriberId', 'in', listPlaceholders(value, 'ids', count))
    .where('deliveries.status', 'in', ['queued', 'deferred'])
    .where((eb) =>
      eb.or([eb('deliveries.nextAttemptAt', 'is', null), eb('deliveries.nextAttemptAt', '<=', value('now'))]),
    )
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('editions')
          .select('editions.id')
          .where('editions.id', '=', value('editionId'))
          .where('editions.status', '=', 'sending'),
      ),
    )
    .where('subscriptions.digest', '=', value('digest'))
    .where('subscriptions.leftAt', 'is', null)
    .where('subscribers.suppressedAt', 'is', null)
    .where((eb) => eb.not(eb.exists(eb.selectFrom('brakes').select('brakes.id').where('brakes.inForce', '=', 'yes'))))
}

/** Writes results that differ only in person and reply. */
async function recordGroup(
  db: Db,
  engine: Engine,
  { editionId, workerId }: Sender,
  group: DeliveryResult[],
  now: Instant,
): Promise<void> {
  const { status, attempts, nextAttemptAt, cutSince, relay, reason } = group[0] as DeliveryResult
  const rows = padded(group)
  const ids = rows.map((one) => one.subscriberId)
  const replies = rows.map((one) => one.reply)
  const areSame = replies.every((reply) => reply === replies[0])
  const values = { editionId, workerId, now, status, attempts, nextAttemptAt, cutSince, relay, reason, ids, replies }
  const { changed } = await runPrepared(db, engine, {
    name: `record ${ids.length}${areSame ? ', one reply' : ''}`,
    values: { ...values, exception: exceptionOf(status) },
    build: (value) => recordQuery(db, value, ids.length, areSame),
  })
  if (changed !== group.length)
    throw new Error(`${changed} of ${group.length} deliveries were recorded: others were changed while in flight`)
}

function recordQuery(db: Db, value: Placeholder, count: number, isOneReply: boolean) {
  const ids = listPlaceholders(value, 'ids', count)
  const cases = ids.map((id, index) => sql`when ${id} then ${value('replies', index)}`)
  const reply = isOneReply
    ? sql<string>`${value('replies', 0)}`
    : sql<string>`case subscriber_id ${sql.join(cases, sql` `)} end`
  return db
    .updateTable('deliveries')
    .set({
      status: value('status') as DeliveryStatus,
      exception: value('exception') as DeliveryStatus | null,
      attempts: sql<number>`${value('attempts')}`,
      nextAttemptAt: value('nextAttemptAt'),
      cutSince: value('cutSince'),
      relay: value('relay'),
      workerId: value('workerId'),
      reply,
      reason: value('reason') as unknown as DeliveryRow['reason'],
      updatedAt: value('now'),
    })
    .where('editionId', '=', value('editionId'))
    .where('subscriberId', 'in', ids)
    .where('status', 'in', ['queued', 'deferred'])
}

/** The value of `deliveries.exception` for a status. */
export function exceptionOf(status: DeliveryStatus): DeliveryStatus | null {
  return status === 'deferred' || status === 'refused' || status === 'unknown' ? status : null
}

function sameButForReply({ status, attempts, nextAttemptAt, cutSince, relay, reason }: DeliveryResult): string {
  return `${status} ${attempts} ${nextAttemptAt} ${cutSince} ${relay} ${reason}`
}

function listPlaceholders(value: Placeholder, key: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => value(key, index))
}

/** Pads a list to a multiple of four by repeating its last item: each length needs a separate statement. */
function padded<T>(list: T[]): T[] {
  const missing = Math.ceil(list.length / 4) * 4 - list.length
  return [...list, ...Array<T>(missing).fill(list.at(-1) as T)]
}
