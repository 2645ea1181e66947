import { CompiledQuery, type KyselyPlugin } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import type { Db } from '../../src/store/schema.ts'
import { markAbandoned, markOrphaned } from '../../src/store/unknown.ts'
import { onBothEngines, sqliteUrl } from '../support/engines.ts'
import { frozenEdition, newsFeed, openWorld, show, subscribe } from '../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** An edition that is being sent, with one delivery in the hands of each of the workers named. */
async function inTheHandsOf(storeUrl: string, ...workers: string[]) {
  const it = await openWorld({ storeUrl })
  closing.push(it.close)
  await show(it, newsFeed, ['One', 'Two'])
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
