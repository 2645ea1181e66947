import { CompiledQuery, type KyselyPlugin } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { inFlightOf } from '../../../src/store/deliveries/counts.ts'
import { countDeliveries } from '../../../src/store/deliveries/deliveries.ts'
import { slicesOf } from '../../../src/store/deliveries/slices.ts'
import {
  markAbandoned,
  markOrphaned,
  releaseSlice,
  repeatUnknown,
  unknownsInARow,
} from '../../../src/store/deliveries/unknown.ts'
import type { Db } from '../../../src/store/schema.ts'
import { addMs, minute } from '../../../src/time/clock.ts'
import { onBothEngines, sqliteUrl } from '../../support/databases/engines.ts'
import { workerOn } from '../../support/ledger.ts'
import { frozenEdition, newsFeed, openWorld, publishTitles, subscribe } from '../../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** An edition that is being sent to so many people. */
async function sending(storeUrl: string, people: number) {
  const it = await openWorld({ storeUrl })
  closing.push(it.close)
  await publishTitles(it, newsFeed, ['One', 'Two'])
  await subscribe(it, people)
  const id = await frozenEdition(it)
  const { db } = it.app
  const rows = () => db.selectFrom('deliveries').selectAll().orderBy('subscriberId').execute()
  return { it, id, db, rows, now: it.clock.now() }
}

onBothEngines('what a dead sender had in flight', (freshUrl) => {
  test('is unknown, whatever has become of its edition; what others have is theirs, and the rest can be leased', async () => {
    const { it, id, db, rows, now } = await sending(await freshUrl(), 120)
    const dead = await workerOn(it, id, 'dead')
    await db
      .updateTable('slices')
      .set({ workerId: 'alive' })
      .where('firstId', '=', dead.due[50]?.subscriberId ?? '')
      .execute()
    const [first, second, ...rest] = dead.due.slice(0, 50).map(({ subscriberId }) => subscriberId)
    const others = dead.due[50]?.subscriberId ?? ''
    for (const one of [first, second, others]) expect(await dead.claim(one ?? '')).toBe(true)
    await db.updateTable('editions').set({ status: 'sent' }).where('id', '=', id).execute()
    expect(await markAbandoned(db, 'dead', now)).toBe(2)
    expect(await inFlightOf(db, id)).toEqual([others])
    const unknown = (await rows()).filter(({ status }) => status === 'unknown')
    expect(unknown.map(({ subscriberId, attempts, workerId }) => [subscriberId, attempts, workerId])).toEqual([
      [first, 1, null],
      [second, 1, null],
    ])
    expect(await countDeliveries(db, id)).toMatchObject({ unknown: 2, sending: 1, queued: 117 })
    expect(await markOrphaned(db, now)).toBe(1) // no worker of that name is registered
    const { due } = await workerOn(it, id, 'next')
    expect(due.map(({ subscriberId }) => subscriberId)).toEqual(expect.arrayContaining(rest))
    expect(due).toHaveLength(117)
  })

  test('is released once, though two processes find it, and one of them is killed half way', async () => {
    const { it, id, db, now } = await sending(await freshUrl(), 120)
    const dead = await workerOn(it, id, 'dead')
    for (const { subscriberId } of dead.due) await dead.claim(subscriberId)
    const [slice] = await slicesOf(db, 'dead')
    if (!slice) throw new Error('no slice')
    const killed = db.transaction().execute(async (trx) => {
      await releaseSlice(trx, slice, now)
      throw new Error('killed')
    })
    await expect(killed).rejects.toThrow('killed')
    expect(await countDeliveries(db, id)).toMatchObject({ sending: 120, unknown: 0 })
    const released = await Promise.all([markAbandoned(db, 'dead', now), markAbandoned(db, 'dead', now)])
    expect(released[0] + released[1]).toBe(120)
    expect(await countDeliveries(db, id)).toMatchObject({ sending: 0, unknown: 120, queued: 0 })
  })
})

onBothEngines('copies of which nobody knows whether they are out', (freshUrl) => {
  test('are repeated when their time has come, those that a crash cut off at once, none more often than allowed', async () => {
    const { id, db, rows, now } = await sending(await freshUrl(), 4)
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
        .set({ status: 'unknown', exception: 'unknown', ...row })
        .where('subscriberId', '=', subscriberId)
        .execute()
    expect(await repeatUnknown(db, id, 4, now)).toBe(2)
    expect((await rows()).map(({ status }) => status)).toEqual(['queued', 'queued', 'unknown', 'unknown'])
  })

  test('count as in a row by the tries that the relay cut off since it accepted one, not by what our crash cut off', async () => {
    const { it, id, db, rows, now } = await sending(await freshUrl(), 4)
    const [cutOff = '', accepted, before, since] = (await rows()).map(({ subscriberId }) => subscriberId)
    await (await workerOn(it, id, 'dead')).claim(cutOff)
    const put = (subscriberId: string | undefined, status: 'accepted' | 'unknown', minutes: number) =>
      db
        .updateTable('deliveries')
        .set({
          status,
          exception: status === 'unknown' ? status : null,
          workerId: 'alive',
          attempts: 3,
          updatedAt: addMs(now, minutes * minute),
        })
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
  const { it, id, db, now } = await sending(url, 1)
  const { due, claim } = await workerOn(it, id, 'dead')
  await claim(due[0]?.subscriberId ?? '')
  for (const mark of [(on: Db) => markAbandoned(on, 'dead', now), (on: Db) => markOrphaned(on, now)]) {
    const plan = await planOf(db, mark)
    expect(plan).toContainEqual(expect.stringMatching(/^(SCAN|SEARCH) slices USING INDEX slices_leased/))
    expect(plan).not.toContainEqual(expect.stringMatching(/^SCAN (deliveries|slices$)/))
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
