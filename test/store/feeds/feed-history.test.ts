import { CompiledQuery, type KyselyPlugin } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { describeEvent } from '../../../src/describe/describe.ts'
import { addEvent, feedEvents, newestFeedEvents, pruneFeedEvents } from '../../../src/store/events/events.ts'
import { ensureFeeds } from '../../../src/store/feeds/feeds.ts'
import { openStore, type Store } from '../../../src/store/open.ts'
import type { Db } from '../../../src/store/schema.ts'
import { addMs, day } from '../../../src/time/clock.ts'
import { fakeClock } from '../../support/clock.ts'
import { onBothEngines, sqliteUrl } from '../../support/databases/engines.ts'

const clock = fakeClock()
const open: Store[] = []

afterEach(async () => {
  for (const store of open.splice(0)) await store.close()
})

/** Feeds with so many entries each, a day apart, the last of them of today. */
async function withHistory(url: string, ...entries: number[]) {
  const store = await openStore(url, clock)
  open.push(store)
  const urls = entries.map((_, index) => `https://feeds.example/${index}`)
  const feeds = await ensureFeeds(store.db, urls, clock.now())
  for (const [index, { id }] of feeds.entries())
    for (let entry = entries[index] ?? 0; entry > 0; entry--)
      await addEvent(
        store.db,
        { kind: 'note', actor: 'system', feed: id, data: { text: `${index}: ${entry} before the end` } },
        addMs(clock.now(), (1 - entry) * day),
      )
  return { db: store.db, ids: feeds.map(({ id }) => id) }
}

onBothEngines('the history of feeds', (freshUrl) => {
  test('gives the newest entries of each feed that is asked for, the newest first', async () => {
    const { db, ids } = await withHistory(await freshUrl(), 12, 2, 0, 5)
    const rows = await newestFeedEvents(db, ids.slice(0, 3), 3)
    const words = (feed: string | undefined) => rows.filter((row) => row.feed === feed).map(describeEvent)
    expect(ids.map(words)).toEqual([
      ['0: 1 before the end', '0: 2 before the end', '0: 3 before the end'],
      ['1: 1 before the end', '1: 2 before the end'],
      [],
      [],
    ])
  })

  test('is forgotten beyond a number of entries of each feed, and beyond an age but for the last few', async () => {
    const { db, ids } = await withHistory(await freshUrl(), 12, 2, 7)
    await pruneFeedEvents(db, { maxEvents: 5, minEvents: 1, before: addMs(clock.now(), -2.5 * day) })
    const rows = await feedEvents(db)
    expect(ids.map((id) => rows.filter(({ feed }) => feed === id).length)).toEqual([3, 2, 3])
    await pruneFeedEvents(db, { maxEvents: 2, minEvents: 1, before: addMs(clock.now(), -900 * day) })
    const left = await feedEvents(db)
    expect(left).toHaveLength(6)
    expect(left.map(describeEvent)).toContain('0: 1 before the end')
    await pruneFeedEvents(db, { maxEvents: 2, minEvents: 1, before: addMs(clock.now(), day) })
    expect(await feedEvents(db)).toHaveLength(3)
  })
})

test('only the entries that are shown are read', async () => {
  const { url, remove } = sqliteUrl()
  const { db, ids } = await withHistory(url, 5)
  const queries: CompiledQuery[] = []
  const listening: KyselyPlugin = {
    transformQuery({ node, queryId }) {
      queries.push(db.getExecutor().compileQuery(node, queryId))
      return node
    },
    transformResult: ({ result }) => Promise.resolve(result),
  }
  await newestFeedEvents(db.withPlugin(listening) as Db, ids, 3)
  const [query] = queries
  const plan = await db.executeQuery<{ detail: string }>(
    CompiledQuery.raw(`explain query plan ${query?.sql}`, [...(query?.parameters ?? [])]),
  )
  const details = plan.rows.map(({ detail }) => detail)
  expect(details.filter((one) => /SCAN/.test(one))).toEqual([])
  expect(details).toContainEqual(expect.stringMatching(/^SEARCH entry USING .*\(feed=\?\)/))
  remove()
})
