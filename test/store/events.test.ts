import { sql } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { describeEvent, describeReason } from '../../src/describe/describe.ts'
import { choicesOf } from '../../src/store/editions/choices.ts'
import { editionById } from '../../src/store/editions/editions.ts'
import { person } from '../../src/store/events/event.ts'
import { addEvent, addFeedEventOnce, editionEvents, feedEvents } from '../../src/store/events/events.ts'
import { allFeeds } from '../../src/store/feeds/feeds.ts'
import { lastRejections } from '../../src/store/feeds/rejections.ts'
import { migrations } from '../../src/store/migrate.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import type { Db } from '../../src/store/schema.ts'
import { addMs } from '../../src/time/clock.ts'
import { fakeClock } from '../support/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'

const clock = fakeClock()
const at = clock.now()
const hostile = 'held: “a\\b” said "c"\n\ttwice \u0001\u001f é 🚋 {"code":"x"}'
let open: Store[] = []

afterEach(async () => {
  for (const store of open) await store.close()
  open = []
})

async function opened(url: string): Promise<Store> {
  const store = await openStore(url, clock)
  open.push(store)
  return store
}

onBothEngines('events', (freshUrl, blankUrl) => {
  test('of an edition are kept in order, with who did what, and read back as they were', async () => {
    const { db } = await opened(await freshUrl())
    const reason = { code: 'by-hand' as const, words: hostile }
    await addEvent(db, { kind: 'edition.sealed', actor: 'system', edition: 'one', data: {} }, at)
    await addEvent(db, { kind: 'edition.held', actor: person('Ada'), edition: 'one', data: { reason } }, at)
    await addEvent(db, { kind: 'edition.sealed', actor: 'system', edition: 'two', data: {} }, at)
    expect(await editionEvents(db, 'one')).toMatchObject([
      { kind: 'edition.sealed', actor: 'system', at, data: {} },
      { kind: 'edition.held', actor: 'person:Ada', at, data: { reason }, feed: null, article: null, subscriber: null },
    ])
  })

  test('of a feed are not repeated, unless something else happened between', async () => {
    const { db } = await opened(await freshUrl())
    const moved = { kind: 'feed.moved' as const, actor: 'system' as const, feed: 'one', data: { from: 'a', to: 'b' } }
    expect(await addFeedEventOnce(db, moved, at)).toBe(true)
    expect(await addFeedEventOnce(db, moved, addMs(at, 1))).toBe(false)
    expect(await addFeedEventOnce(db, { ...moved, feed: 'two' }, addMs(at, 1))).toBe(true)
    expect(await addFeedEventOnce(db, { ...moved, data: { from: 'b', to: 'a' } }, addMs(at, 2))).toBe(true)
    expect(await addFeedEventOnce(db, moved, addMs(at, 3))).toBe(true)
    expect((await feedEvents(db)).map(({ feed }) => feed)).toEqual(['one', 'two', 'one', 'one'])
  })

  test('take the place of the histories and sentences of a store that was made before', async () => {
    const url = await blankUrl()
    await openBefore(url, writeOldRows)
    const { db, migrated } = await opened(url)
    expect(migrated).toContain('0032-events')
    const history = await editionEvents(db, 'e')
    expect(history.map(({ kind, actor }) => [kind, actor])).toEqual([
      ['note', 'system'],
      ['note', 'rule'],
      ['note', 'cli'],
      ['note', 'person:Ada'],
    ])
    expect(history.map(describeEvent)).toEqual(['composed with 1 articles', 'approved', 'approved', hostile])
    expect((await feedEvents(db)).map((event) => [event.feed, describeEvent(event)])).toEqual([['f', hostile]])
    const edition = await editionById(db, 'e')
    expect(edition?.reason && describeReason(edition.reason)).toBe(hostile)
    expect((await editionById(db, 'n'))?.reason).toBeNull()
    expect((await choicesOf(db, 'e')).map(({ reason }) => describeReason(reason))).toEqual([hostile])
    const [feed] = await allFeeds(db)
    expect(feed?.error && describeReason(feed.error)).toBe(hostile)
    expect((await lastRejections(db, 5)).map(({ reason }) => describeReason(reason))).toEqual([hostile])
    const entry = await db.selectFrom('ledger').select(['quarantineReason', 'cutReason']).executeTakeFirst()
    expect(entry?.quarantineReason && describeReason(entry.quarantineReason)).toBe(hostile)
    expect(entry?.cutReason).toBeNull()
    const correction = await db.selectFrom('corrections').select(['evidence', 'undoneWhy']).executeTakeFirstOrThrow()
    expect([describeReason(correction.evidence), correction.undoneWhy]).toEqual([hostile, null])
  })
})

/** Opens the store with the migrations up to 0029 alone. */
async function openBefore(url: string, write: (db: Db) => Promise<void>): Promise<void> {
  const later = migrations.splice(migrations.findIndex(({ name }) => name.startsWith('0029-')) + 1)
  try {
    const store = await openStore(url, clock)
    await write(store.db)
    await store.close()
  } finally {
    migrations.push(...later)
  }
}

/** A row of each table that kept a sentence. */
async function writeOldRows(db: Db): Promise<void> {
  await sql`insert into feeds (id, url, title, created_at, failures, error, rejected)
    values ('f', 'https://a.example/', '', ${at}, 1, ${hostile}, 1)`.execute(db)
  await sql`insert into rejections (feed_id, entry, title, link, guid, reason, first_at, last_at)
    values ('f', 'x', 'x', '', '', ${hostile}, ${at}, ${at})`.execute(db)
  await sql`insert into articles (id, feed_id, identity, url, title, summary, author, categories, seen_at, canonical,
    title_key, shown_at) values ('a', 'f', 'a', 'https://a.example/a', 'A', '', '', '[]', ${at}, 'a', 'a', ${at})`.execute(
    db,
  )
  for (const [id, reason] of [
    ['e', hostile],
    ['n', null],
  ])
    await sql`insert into editions (id, ref, digest, due_at, status, reason, subject, preheader, composed_at, archive)
      values (${id}, ${id}, 'weekly', ${addMs(at, id === 'e' ? 0 : 1)}, 'held', ${reason}, '', '', ${at}, 'on')`.execute(
      db,
    )
  await sql`insert into choices (edition_id, article_id, section, position, reason)
    values ('e', 'a', 'latest', 1, ${hostile})`.execute(db)
  await sql`insert into ledger (digest, article_id, feed_id, enrolled_at, held_at, held_reason)
    values ('weekly', 'a', 'f', ${at}, ${at}, ${hostile})`.execute(db)
  await sql`insert into corrections (id, digest, edition_id, article_id, kind, source, change_key, found, evidence, status,
    proposed_at) values ('c', 'weekly', 'e', 'a', 'note', 'feed', 'x', 'x', ${hostile}, 'proposed', ${at})`.execute(db)
  const lines = [
    ['lastword', 'composed with 1 articles'],
    ['rule: approval auto', 'approved'],
    ['operator, by lastword run', 'approved'],
    ['Ada', hostile],
  ]
  for (const [place, [who, what]] of lines.entries())
    await sql`insert into history (id, edition_id, at, who, what) values (${`h${place}`}, 'e', ${at}, ${who}, ${what})`.execute(
      db,
    )
  await sql`insert into feed_history (id, feed_id, at, what) values ('h', 'f', ${at}, ${hostile})`.execute(db)
}
