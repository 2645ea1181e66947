import { CompiledQuery, type KyselyPlugin } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { markAbandoned, markOrphaned, repeatUnknown, unknownsInARow } from '../../../src/store/deliveries/unknown.ts'
import type { Db } from '../../../src/store/schema.ts'
import { addMs, minute } from '../../../src/time/clock.ts'
import { onBothEngines, sqliteUrl } from '../../support/databases/engines.ts'
import { frozenEdition, newsFeed, openWorld, publishTitles, subscribe } from '../../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** An edition that is being sent, with one delivery in the hands of each of the workers named. */
async function inTheHandsOf(storeUrl: string, ...workers: string[]) {
  const it = await openWorld({ storeUrl })
  closing.push(it.close)
  await publishTitles(it, newsFeed, ['One', 'Two'])
  await subscribe(it, workers.length)
  const id = await frozenEdition(it)
  const { db } = it.app
  const rows = () => db.selectFrom('deliveries').selectAll().orderBy('subscriberId').execute()
  for (const [index, { subscriberId }] of (await rows()).entries())
    await db
      .updateTable('deliveries')
      .set({ status: 'sending', workerId: workers[index] ?? null })
      .where('subscriberId', '=', subscriberId)
      .execute()
  return { id, db, rows, now: it.clock.now() }
}

onBothEngines('what a dead sender had in its hands', (freshUrl) => {
  test('is unknown, whatever has become of its edition; what others have is theirs', async () => {
    const { id, db, rows, now } = await inTheHandsOf(await freshUrl(), 'dead', 'alive', 'dead')
    await db.updateTable('editions').set({ status: 'sent' }).where('id', '=', id).execute()
    expect(await markAbandoned(db, 'dead', now)).toBe(2)
    expect((await rows()).map(({ status, workerId }) => [status, workerId])).toEqual([
      ['unknown', null],
      ['sending', 'alive'],
      ['unknown', null],
    ])
    expect(await markOrphaned(db, now)).toBe(1) // no worker of that name is registered
    expect((await rows()).map(({ status }) => status)).toEqual(['unknown', 'unknown', 'unknown'])
  })
})

onBothEngines('copies of which nobody knows whether they are out', (freshUrl) => {
  test('are repeated when their time has come, those that a crash cut off at once, none more often than allowed', async () => {
    const { id, db, rows, now } = await inTheHandsOf(await freshUrl(), 'a', 'b', 'c', 'd')
    const [crashed, due, early, tried] = (await rows()).map(({ subscriberId }) => subscriberId)
    const cutOff = [
      { subscriberId: crashed, attempts: 1, nextAttemptAt: null },
      { subscriberId: due, attempts: 1, nextAttemptAt: now },
      { subscriberId: early, attempts: 1, nextAttemptAt: addMs(now, 1) },
      { subscriberId: tried, attempts: 4, nextAttemptAt: null },
    ]
    for (const { subscriberId = '', ...row } of cutOff)
      await db
        .updateTable('deliveries')
        .set({ status: 'unknown', ...row })
        .where('subscriberId', '=', subscriberId)
        .execute()
    expect(await repeatUnknown(db, id, 4, now)).toBe(2)
    expect((await rows()).map(({ status }) => status)).toEqual(['queued', 'queued', 'unknown', 'unknown'])
  })

  test('count as in a row by the tries that the relay cut off since it accepted one, not by what our crash cut off', async () => {
    const { id, db, rows, now } = await inTheHandsOf(await freshUrl(), 'dead', 'alive', 'alive', 'alive')
    const [, accepted, before, since] = (await rows()).map(({ subscriberId }) => subscriberId)
    const put = (subscriberId: string | undefined, status: 'accepted' | 'unknown', minutes: number) =>
      db
        .updateTable('deliveries')
        .set({ status, attempts: 3, updatedAt: addMs(now, minutes * minute) })
        .where('subscriberId', '=', subscriberId ?? '')
        .execute()
    await put(before, 'unknown', 1)
    await put(since, 'unknown', 3)
    await markAbandoned(db, 'dead', addMs(now, 3 * minute))
    await db.updateTable('deliveries').set({ attempts: 3 }).execute()
    expect(await unknownsInARow(db, id)).toBe(6)
    await put(accepted, 'accepted', 2)
    expect(await unknownsInARow(db, id)).toBe(3)
  })
})

test('it is found without reading years of other editions', async () => {
  const { url, remove } = sqliteUrl()
  closing.push(remove)
  const { db, now } = await inTheHandsOf(url, 'dead')
  for (const mark of [(on: Db) => markAbandoned(on, 'dead', now), (on: Db) => markOrphaned(on, now)]) {
    const plan = await planOf(db, mark)
    expect(plan).toContainEqual(expect.stringMatching(/^SEARCH deliveries USING .*\(edition_id=\? AND status=\?\)/))
    expect(plan).not.toContainEqual(expect.stringContaining('SCAN deliveries'))
  }
})

/** How SQLite does what is asked of it. */
async function planOf(db: Db, work: (on: Db) => Promise<unknown>): Promise<string[]> {
  const queries: CompiledQuery[] = []
  const listening: KyselyPlugin = {
    transformQuery({ node, queryId }) {
      queries.push(db.getExecutor().compileQuery(node, queryId))
      return node
    },
    transformResult: ({ result }) => Promise.resolve(result),
  }
  await work(db.withPlugin(listening) as Db)
  const plans = queries.map(({ sql, parameters }) =>
    db.executeQuery<{ detail: string }>(CompiledQuery.raw(`explain query plan ${sql}`, [...parameters])),
  )
  return (await Promise.all(plans)).flatMap(({ rows }) => rows.map(({ detail }) => detail))
}
