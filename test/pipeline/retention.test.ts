import { afterEach, describe, expect, test } from 'vitest'
import { explain } from '../../src/editions/explain.ts'
import { addArticlesToLedger } from '../../src/editions/ledger.ts'
import { simulate } from '../../src/editions/simulation/simulate.ts'
import { forgetArticles } from '../../src/pipeline/forget-articles.ts'
import type { NewArticle } from '../../src/store/articles/article.ts'
import { feedsWithNewArticles } from '../../src/store/ledger/ledger.ts'
import { quarantinedFeeds } from '../../src/store/ledger/stories.ts'
import { addMs, day, hour } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { feedHistory } from '../support/history.ts'
import { makeArticle, publishArticles, sealedEdition } from '../support/newsroom.ts'
import { newsFeed, openWorld, type World } from '../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const subjects = ['bridge', 'tram', 'school', 'library', 'river', 'museum', 'market', 'station']
const headlines = subjects.map((what) => `The long story of how the ${what} of Northwold came about`)

async function count(it: World, table: 'articles' | 'forgottenArticles' | 'ledger'): Promise<number> {
  const row = await it.app.db
    .selectFrom(table)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** An archive with dates a week apart. */
function archive(it: World): NewArticle[] {
  return headlines.map((title, index) => makeArticle(title, { publishedAt: addMs(it.clock.now(), -index * 7 * day) }))
}

/** A feed whose archive was backlog, and was forgotten more than a year later; the feed goes on. */
async function forgottenWorld(storeUrl: string, changed = (shown: NewArticle) => shown) {
  const it = await openWorld({ storeUrl })
  closing.push(it.close)
  const shown = archive(it).map(changed)
  await publishArticles(it, newsFeed, [
    ...Array.from({ length: 5 }, (_, index) => makeArticle(`First sight ${index}`)),
    ...shown,
  ])
  await addArticlesToLedger(it.app, it.digest)
  await it.app.db
    .updateTable('ledger')
    .set({ backlogAt: it.clock.now() })
    .where('articleId', 'in', (eb) => eb.selectFrom('articles').select('id').where('title', 'in', headlines))
    .execute()
  await sealedEdition(it)
  for (let week = 0; week < 60; week++) {
    it.clock.advance(7 * day)
    await publishArticles(it, newsFeed, [makeArticle(`What happened in week ${week}`)])
    if (week % 20 === 0) await sealedEdition(it)
    await forgetArticles(it.app)
  }
  expect(await count(it, 'forgottenArticles')).toBe(headlines.length)
  return { it, shown }
}

const elsewhere = (title: string) => `https://new.example/${subjects.findIndex((what) => title.includes(what))}`
const undated = (one: NewArticle): NewArticle => ({ ...one, publishedAt: null })

onBothEngines('an archive that was forgotten', (freshUrl) => {
  describe('and that its feed shows again is in no edition', () => {
    test.each<[string, (one: NewArticle) => NewArticle, ((one: NewArticle) => NewArticle)?]>([
      ['with the same guids', (one) => one],
      [
        'with the same guids, and other titles and addresses',
        (one) => ({ ...one, title: `Now: ${one.title}`, url: `${one.url}-2` }),
      ],
      ['with new guids at the same addresses', (one) => ({ ...one, identity: `new ${one.identity}` })],
      [
        'with new guids at the same addresses with another title, without dates',
        (one) => ({ ...undated(one), identity: `new ${one.identity}`, title: `Now: ${one.title}` }),
        undated,
      ],
      [
        'with new guids at new addresses, and the same titles and dates',
        (one) => ({ ...one, identity: elsewhere(one.title), url: elsewhere(one.title) }),
      ],
    ])('%s', async (_, again, before) => {
      const { it, shown } = await forgottenWorld(await freshUrl(), before)
      const stored = await count(it, 'articles')
      await publishArticles(it, newsFeed, [makeArticle('Of today'), ...shown.map(again)])
      it.clock.advance(hour)
      await publishArticles(it, newsFeed, [makeArticle('Of today'), ...shown.map(again)])
      expect(await count(it, 'articles')).toBe(stored + 1)
      const { chosen, reasons } = await sealedEdition(it)
      expect(chosen).toContain('Of today')
      expect(Object.keys(reasons).filter((title) => title.includes('The long story'))).toEqual([])
      expect(await quarantinedFeeds(it.app.db)).toEqual([])
      const notes = (await feedHistory(it.app.db)).map(({ what }) => what)
      expect(notes).toEqual([expect.stringContaining('Lists articles again that were forgotten here')])
      const [answer] = await explain(it.app.db, it.app.digests, headlines[0] ?? '')
      expect(answer?.answer).toMatch(
        /^in none: forgotten on .*its feed showed it again, last on .* it was passed over$/,
      )
    })
  })

  test('waits for an editor under new guids and addresses without dates', async () => {
    const { it, shown } = await forgottenWorld(await freshUrl(), undated)
    const moved = shown.map((one) => ({ ...one, identity: elsewhere(one.title), url: elsewhere(one.title) }))
    await publishArticles(it, newsFeed, [makeArticle('Of today'), ...moved])
    const { chosen } = await sealedEdition(it)
    expect(chosen.filter((title) => headlines.includes(title))).toEqual([])
    expect(await quarantinedFeeds(it.app.db)).toMatchObject([{ url: newsFeed, count: headlines.length }])
  })

  test('does not keep what is new from an edition', async () => {
    const frontPage = 'https://magazine.example/'
    const atFrontPage = (one: NewArticle) => (one.title.includes('tram') ? { ...one, url: frontPage } : one)
    const { it, shown } = await forgottenWorld(await freshUrl(), atFrontPage)
    const [one] = shown
    if (!one) throw new Error('nothing was shown')
    const fresh = [
      makeArticle('Another story', { identity: 'a', url: 'https://magazine.example/another' }),
      makeArticle(one.title, { identity: 'b', url: 'https://magazine.example/b', publishedAt: it.clock.now() }),
      makeArticle('At the front page', { identity: 'c', url: frontPage }),
    ]
    await publishArticles(it, newsFeed, fresh)
    expect((await sealedEdition(it)).chosen).toEqual(expect.arrayContaining(fresh.map(({ title }) => title)))
  })

  test('is explained, and a simulation says how much is missing', async () => {
    const { it, shown } = await forgottenWorld(await freshUrl())
    for (const what of [shown[0]?.url ?? '', shown[0]?.title.toUpperCase() ?? '']) {
      const answers = await explain(it.app.db, it.app.digests, what)
      expect(answers).toMatchObject([{ digest: null, answer: expect.stringMatching(/longer than articles\.keep/) }])
      expect(answers[0]?.answer).not.toContain('again')
    }
    expect((await simulate(it.app.db, it.digest, 100, it.clock.now())).forgotten).toBe(headlines.length)
    expect((await simulate(it.app.db, it.digest, 8, it.clock.now())).forgotten).toBe(0)
  })

  test('leaves the piece that shared its guid as it is', async () => {
    const it = await openWorld({ storeUrl: await freshUrl() })
    closing.push(it.close)
    const { identity } = makeArticle('One')
    const one = makeArticle('One', { identity })
    const two = makeArticle('Two', { identity: `${identity}\u001fhttps://magazine.example/two`, bare: identity })
    await publishArticles(it, newsFeed, [one])
    await sealedEdition(it)
    it.clock.advance(day)
    await publishArticles(it, newsFeed, [two])
    await addArticlesToLedger(it.app, it.digest)
    await it.app.db.updateTable('ledger').set({ backlogAt: it.clock.now() }).where('editionId', 'is', null).execute()
    it.clock.advance(500 * day)
    await publishArticles(it, newsFeed, [makeArticle('Of today')])
    await addArticlesToLedger(it.app, it.digest)
    expect(await forgetArticles(it.app)).toBe(1)
    await publishArticles(it, newsFeed, [makeArticle('Two', { identity })])
    const titles = await it.app.db.selectFrom('articles').select('title').orderBy('id').execute()
    expect(titles.map(({ title }) => title)).toEqual(['One', 'Of today'])
    await publishArticles(it, newsFeed, [makeArticle('Three', { identity })])
    const later = await it.app.db.selectFrom('articles').select('title').orderBy('id').execute()
    expect(later.map(({ title }) => title)).toEqual(['One', 'Of today', 'Three'])
  })
})

onBothEngines('a feed that shows new guids at each visit', (freshUrl) => {
  test('has a bounded store, and of what was forgotten a bounded memory', async () => {
    const it = await openWorld({ storeUrl: await freshUrl() })
    closing.push(it.close)
    const visit = (number: number) =>
      Array.from({ length: 50 }, (_, index) => makeArticle(`Flood ${number} of ${index}`))
    const rule = { maxPerFeed: 120, maxForgottenPerFeed: 300 }
    for (let number = 0; number < 30; number++) {
      await publishArticles(it, newsFeed, visit(number))
      if (number % 10 === 0) await sealedEdition(it)
      else await addArticlesToLedger(it.app, it.digest)
      await it.app.db.updateTable('editions').set({ status: 'sent' }).execute()
      it.clock.advance(day)
      await forgetArticles(it.app, undefined, rule)
      expect(await count(it, 'articles')).toBeLessThanOrEqual(120 + 50 + 5 * 3)
      expect(await count(it, 'ledger')).toBe(await count(it, 'articles'))
      expect(await feedsWithNewArticles(it.app.db, 'weekly', [newsFeed])).toEqual([])
    }
    expect(await count(it, 'forgottenArticles')).toBe(300)
    expect((await feedHistory(it.app.db)).map(({ what }) => what)).toEqual([
      expect.stringContaining('Too many articles'),
    ])
    const [answer] = await explain(it.app.db, it.app.digests, 'Flood 25 of 3')
    expect(answer?.answer).toMatch(/^in none: forgotten on .* thousands of newer articles/)
    await publishArticles(it, newsFeed, visit(25))
    expect((await sealedEdition(it)).reasons).not.toHaveProperty('Flood 25 of 3')
  })

  test('keeps what it has shown within two days, however much that is', async () => {
    const it = await openWorld({ storeUrl: await freshUrl() })
    closing.push(it.close)
    for (const name of ['Morning', 'Evening']) {
      await publishArticles(
        it,
        newsFeed,
        Array.from({ length: 200 }, (_, index) => makeArticle(`${name} ${index}`)),
      )
      it.clock.advance(hour)
    }
    await addArticlesToLedger(it.app, it.digest)
    expect(await forgetArticles(it.app, undefined, { maxPerFeed: 120 })).toBe(0)
    it.clock.advance(2 * day)
    expect(await forgetArticles(it.app, undefined, { maxPerFeed: 120 })).toBe(200) // the others it still shows
  })
})
