import { createHash } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { parseFeed } from '../../../src/feeds/parse/parse-feed.ts'
import type { NewArticle } from '../../../src/store/articles/article.ts'
import { saveArticles } from '../../../src/store/articles/articles.ts'
import { pageAt, savePage } from '../../../src/store/articles/pages.ts'
import type { Reason } from '../../../src/store/events/reason.ts'
import { ensureFeeds } from '../../../src/store/feeds/feeds.ts'
import { fromJson, toJson } from '../../../src/store/json.ts'
import { openStore, type Store } from '../../../src/store/open.ts'
import { addSubscribers } from '../../../src/store/subscribers/subscribers.ts'
import { fakeClock } from '../../support/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { makeDatedArticle } from '../../support/world.ts'

const clock = fakeClock()

type Item = { guid: string; link: string; title: string }

async function parsed(items: Item[]): Promise<NewArticle[]> {
  const text = JSON.stringify({
    version: 'https://jsonfeed.org/version/1.1',
    title: 'The Magazine',
    items: items.map(({ guid, link, title }) => ({ id: guid, url: link, title, content_text: `${title}: a text` })),
  })
  const feed = await parseFeed(Buffer.from(text), {
    url: 'https://magazine.example/feed.json',
    contentType: 'application/json',
  })
  if ('failed' in feed) throw new Error(feed.failed)
  return feed.articles
}

/** Text that no compression makes shorter than an index can hold. */
function noise(seed: string, length: number): string {
  let text = ''
  for (let round = 0; text.length < length; round++)
    text += createHash('sha512').update(`${seed} ${round}`).digest('base64url')
  return text.slice(0, length)
}

const at = (path: string) => `https://magazine.example/${path}`

onBothEngines('what a feed shows', (freshUrl) => {
  let store: Store
  let feedId: string
  afterEach(() => store.close())

  async function opened() {
    store = await openStore(await freshUrl(), clock)
    feedId = (await ensureFeeds(store.db, [at('feed.json')], clock.now()))[0]?.id ?? ''
  }
  const keep = (articles: NewArticle[]) =>
    store.db.transaction().execute((trx) => saveArticles(trx, feedId, articles, clock.now()))
  const titles = async () =>
    (await store.db.selectFrom('articles').select('title').orderBy('title').execute()).map(({ title }) => title)

  describe('is kept and known again, whatever its guids are:', () => {
    test.each<[string, Item[]]>([
      [
        'one guid is another with an address behind it, which two pieces share',
        [
          { guid: 'x', link: at('a'), title: 'A' },
          { guid: 'x', link: at('b'), title: 'B' },
          { guid: `x ${at('a')}`, link: at('c'), title: 'C' },
        ],
      ],
      [
        'the separator of ours stands in a guid',
        [
          { guid: 'x', link: at('a'), title: 'A' },
          { guid: 'x', link: at('b'), title: 'B' },
          { guid: `x\u001f${at('a')}`, link: at('c'), title: 'C' },
        ],
      ],
      [
        'guids are the same but for what cannot be stored',
        [
          { guid: 'x', link: at('a'), title: 'A' },
          { guid: 'x\u0000', link: at('b'), title: 'B' },
          { guid: 'y\ud800', link: at('c'), title: 'C' },
          { guid: 'y\udfff', link: at('d'), title: 'D' },
        ],
      ],
      [
        'they are longer than an index can hold, one alone and one of two pieces',
        [
          { guid: noise('one', 9000), link: at('a'), title: 'A' },
          { guid: noise('two', 9000), link: at('b'), title: 'B' },
          { guid: noise('two', 9000), link: at('c'), title: 'C' },
        ],
      ],
      [
        'there are none, and the links are longer than is kept in an index as they are',
        [
          { guid: '', link: at(noise('one', 1900)), title: 'A' },
          { guid: '', link: at(noise('two', 1900)), title: 'B' },
        ],
      ],
    ])('%s', async (_, items) => {
      await opened()
      const names = items.map(({ title }) => title)
      expect(await keep(await parsed(items))).toBe(items.length)
      expect(await titles()).toEqual(names)
      expect(await keep(await parsed(items.toReversed()))).toBe(0)
      expect(await titles()).toEqual(names)
      const reworded = items.map((item) => ({ ...item, title: `${item.title}, reworded` }))
      await keep(await parsed(reworded))
      expect(await titles()).toEqual(names.map((name) => `${name}, reworded`))
    })
  })

  test('is told apart when two pieces come with one identity, and kept once when they are the same piece', async () => {
    await opened()
    const [one, other] = [makeDatedArticle('One', new Date(0)), makeDatedArticle('Other', new Date(0))].map(
      (piece) => ({
        ...piece,
        identity: 'the same',
      }),
    ) as [NewArticle, NewArticle]
    expect(await keep([one, other, one])).toBe(2)
    expect(await keep([one, other])).toBe(0)
    expect(await titles()).toEqual(['One', 'Other'])
  })

  test.each([
    ['two pieces under one guid', ['x', 'x'], (link: string) => `x ${link}`],
    ['a guid that is long', [noise('one', 1500), noise('two', 1500)], (_: string, guid: string) => guid],
  ])('is known by the identity that an earlier version stored: %s', async (_, guids, stored) => {
    await opened()
    const items = guids.map((guid, index) => ({ guid, link: at(`${index}`), title: `Piece ${index}` }))
    await keep(await parsed(items))
    for (const { guid, link, title } of items)
      await store.db
        .updateTable('articles')
        .set({ identity: stored(link, guid) })
        .where('title', '=', title)
        .execute()
    expect(await keep(await parsed(items))).toBe(0)
    expect(await keep(await parsed(items.map((item) => ({ ...item, title: `${item.title} again` }))))).toBe(0)
    expect(await titles()).toEqual(['Piece 0 again', 'Piece 1 again'])
  })

  test('and a title of any length is stored and found by its words', async () => {
    await opened()
    const title = `\ufdfa${noise('title', 4000)}`.slice(0, 500).replace(/[\d_-]/g, '\ufdfa ')
    expect(await keep([{ ...makeDatedArticle('Short', new Date(0)), title }])).toBe(1)
    expect(await keep([{ ...makeDatedArticle('Short', new Date(0)), title }])).toBe(0)
  })
})

onBothEngines('text that PostgreSQL would refuse', (freshUrl) => {
  test('is stored without NUL and well-formed, alone, in a list and inside JSON', async () => {
    const { db, close } = await openStore(await freshUrl(), clock)
    const bad = 'a\u0000b\ud800c'
    const good = 'ab\ufffdc'
    const [feed] = await ensureFeeds(db, [at(bad)], clock.now())
    expect(feed?.url).toBe(at(good))
    await saveArticles(
      db,
      feed?.id ?? '',
      [{ ...makeDatedArticle('One', new Date(0)), title: bad, author: bad, categories: [bad], identity: bad }],
      clock.now(),
    )
    const row = await db.selectFrom('articles').selectAll().executeTakeFirstOrThrow()
    expect([row.title, row.author, row.identity, JSON.parse(row.categories)]).toEqual([good, good, good, [good]])
    const person = {
      email: 'mira@a.example',
      emailKey: 'mira@a.example',
      name: bad,
      attributes: { [bad]: bad },
      proof: bad,
    }
    await addSubscribers(db, 'weekly', [person], clock.now())
    const subscriber = await db.selectFrom('subscribers').selectAll().executeTakeFirstOrThrow()
    expect([subscriber.name, JSON.parse(subscriber.attributes)]).toEqual([good, { [good]: good }])
    await db
      .insertInto('outcomes')
      .values({
        id: '1',
        subscriberId: subscriber.id,
        editionId: null,
        kind: 'bounce',
        at: clock.now(),
        detail: toJson<Reason>({ code: 'text', text: bad }),
      })
      .execute()
    const outcome = await db.selectFrom('outcomes').select('detail').executeTakeFirstOrThrow()
    expect(fromJson(outcome.detail)).toEqual({ code: 'text', text: good })
    const url = at(noise('page', 9000))
    const found = { summary: bad, author: '', image: null, canonical: null }
    await savePage(db, { url, fetchedAt: clock.now(), found, error: null })
    expect(await pageAt(db, url)).toMatchObject({ url, found: { summary: good } })
    expect(await db.selectFrom('articles').select('id').where('title', 'in', [bad, 'none']).execute()).toHaveLength(1)
    await close()
  })
})
