import { createServer } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { describeReason } from '../../../src/describe/describe.ts'
import { itemOf } from '../../../src/editions/choice/choice.ts'
import { composeDryRun } from '../../../src/editions/compose/compose.ts'
import { explain } from '../../../src/editions/explain.ts'
import { addArticlesToLedger } from '../../../src/editions/ledger.ts'
import { cancel } from '../../../src/editions/review/cancel.ts'
import { simulate } from '../../../src/editions/simulation/simulate.ts'
import { ignoreFeed, releaseFeed } from '../../../src/editions/stories/flood-decision.ts'
import { quarantinedFeeds } from '../../../src/store/ledger/stories.ts'
import { day, hour } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { editionHistory, feedHistory } from '../../support/history.ts'
import { makeArticle, publishArticles, sealedEdition } from '../../support/newsroom.ts'
import { newsFeed, openWorld, opinionFeed, type World, type WorldOptions } from '../../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const headlines = ['bridge', 'tram', 'school', 'library', 'river', 'museum', 'market', 'station'].map(
  (what) => `The long story of how the ${what} of Northwold came about`,
)

onBothEngines('a story', (freshUrl) => {
  async function world(options: Omit<WorldOptions, 'storeUrl'> = {}): Promise<World> {
    const it = await openWorld({ storeUrl: await freshUrl(), ...options })
    closing.push(it.close)
    await publishArticles(it, newsFeed, [makeArticle('First sight of this feed')]) // whatever comes later is news
    await publishArticles(it, opinionFeed, [makeArticle('First sight of that feed')])
    await addArticlesToLedger(it.app, it.digest)
    it.clock.advance(8 * day)
    return it
  }

  test('in two feeds is told once, by the feed listed first, and the other is remembered', async () => {
    const it = await world()
    await publishArticles(it, opinionFeed, [
      makeArticle('A bridge', { url: 'https://magazine.example/bridge?utm_source=x', identity: 'o' }),
    ])
    await publishArticles(it, newsFeed, [makeArticle('The bridge opens', { url: 'https://magazine.example/bridge/' })])
    const told = await sealedEdition(it)
    expect(told.chosen).toContain('The bridge opens')
    expect(told.chosen).not.toContain('A bridge')
    expect(told.reasons['A bridge']).toBe(`the same story as “The bridge opens”, from ${newsFeed}`)
    expect(told.reasons['The bridge opens']).toContain(`; also in ${opinionFeed}`)
    const answers = await explain(it.app.db, it.app.digests, 'https://magazine.example/bridge?utm_source=x')
    expect(answers.map((one) => one.answer)).toContainEqual(
      expect.stringMatching(/the same story as “The bridge opens”.*edition 1$/),
    )
  })

  test('is not told again by another feed after the edition, and is when that edition is cancelled', async () => {
    const it = await world()
    await publishArticles(it, opinionFeed, [
      makeArticle('A bridge', { identity: 'o', url: 'https://magazine.example/bridge' }),
    ])
    const first = await sealedEdition(it)
    it.clock.advance(7 * day)
    await publishArticles(it, newsFeed, [
      makeArticle('The bridge opens', { url: 'https://magazine.example/bridge' }),
      makeArticle('Other news'),
    ])
    expect((await sealedEdition(it)).chosen).toEqual(['Other news'])
    await cancel(it.app, first.id, 'Ada', 'wrong')
    it.clock.advance(7 * day)
    expect((await sealedEdition(it)).chosen).toEqual(expect.arrayContaining(['The bridge opens']))
  })

  test('under a new guid stays the same, and its newest wording is used until the seal', async () => {
    const it = await world()
    await publishArticles(it, newsFeed, [
      makeArticle('The bridge opens', { identity: 'bridge#0', url: 'https://magazine.example/bridge' }),
    ])
    await addArticlesToLedger(it.app, it.digest)
    it.clock.advance(hour)
    await publishArticles(it, newsFeed, [
      makeArticle('The bridge has opened', { identity: 'bridge#1', url: 'https://magazine.example/bridge' }),
    ])
    expect((await sealedEdition(it)).chosen).toContain('The bridge has opened')
    it.clock.advance(7 * day)
    await publishArticles(it, newsFeed, [
      makeArticle('The bridge is open', { identity: 'bridge#2', url: 'https://magazine.example/bridge' }),
    ])
    expect((await sealedEdition(it)).chosen).toEqual([])
  })

  test('does not come again when the site moves: an editor is asked, and nothing of that feed goes out meanwhile', async () => {
    const it = await moved(await world())
    const meanwhile = await sealedEdition(it)
    expect(meanwhile.chosen).toEqual([])
    expect(meanwhile.reasons['Really new']).toMatch(/^its feed waits for an editor: 8 new articles at once whose/)
    const { thin } = await composeDryRun(it.app, it.digest)
    expect(thin && describeReason(thin)).toContain(
      `; 8 articles of ${newsFeed} wait for an editor: 8 new articles at once whose address or title`,
    )
    expect(await quarantinedFeeds(it.app.db)).toMatchObject([{ url: newsFeed, digest: 'weekly', count: 8 }])
    const [answer] = await explain(it.app.db, it.app.digests, 'https://new.example/0')
    expect(answer?.answer).toMatch(/^quarantined since .* 8 new articles at once/)
    const decidedAt = it.clock.now()
    expect(await ignoreFeed(it.app, newsFeed, 'mira')).toBe(8)
    it.clock.advance(day)
    expect((await sealedEdition(it)).chosen).toEqual(['Really new'])
    await expect(ignoreFeed(it.app, newsFeed, 'omar')).rejects.toThrow('wait for an editor')
    expect(await feedHistory(it.app.db)).toMatchObject([
      { at: decidedAt, who: 'mira', what: '8 articles that waited are old, and never mailed' },
    ])
    await expect(releaseFeed(it.app, 'https://nowhere.example/', 'mira')).rejects.toThrow('there is no feed')
  })

  test('counts as new in a simulation, where nobody is asked', async () => {
    const it = await world()
    for (const titles of [['One'], ['Two'], Array.from({ length: 40 }, (_, index) => `Archive of ${1900 + index}`)]) {
      await publishArticles(
        it,
        newsFeed,
        titles.map((title) => makeArticle(title)),
      )
      await addArticlesToLedger(it.app, it.digest)
      it.clock.advance(7 * day)
    }
    expect(await quarantinedFeeds(it.app.db)).toMatchObject([{ count: 40 }])
    const { editions } = await simulate(it.app.db, it.digest, 2, it.clock.now())
    const chosen = editions.flatMap(({ choices }) => choices.filter(({ position }) => position !== null))
    expect(chosen.filter((choice) => itemOf(choice).title.startsWith('Archive'))).not.toEqual([])
  })

  test('goes out after all when the editor says that it is new', async () => {
    const it = await moved(await world())
    expect(await releaseFeed(it.app, newsFeed, 'omar')).toBe(8)
    expect((await feedHistory(it.app.db)).map(({ what }) => what)).toEqual([
      '8 articles that waited are new, and may be chosen',
    ])
    expect((await sealedEdition(it)).chosen).toHaveLength(5) // as many as the section holds
    expect(await quarantinedFeeds(it.app.db)).toEqual([])
  })

  test('whose page is gone just before the seal is cut, the next moves up, and a changed page is marked', async () => {
    const pages: Record<string, [number, string]> = {
      '/gone': [410, ''],
      '/closed': [451, ''],
      '/broken': [500, ''],
      '/renamed': [
        200,
        '<meta property="og:title" content="Quite another headline"><link rel="canonical" href="/renamed-2">',
      ],
      '/same': [200, '<meta property="og:title" content="Same &#8211; The Magazine">'],
    }
    const server = createServer((request, response) => {
      const [status, body] = pages[request.url ?? ''] ?? [404, '']
      response.writeHead(status, { 'content-type': 'text/html' }).end(body)
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    closing.push(() => new Promise((done) => server.close(done)))
    const host = `127.0.0.1:${(server.address() as { port: number }).port}`
    const it = await world({ config: { feeds: { allow: [host], timeout: 5, maximumBytes: 1e6, alertAfter: '24h' } } })
    const at = (title: string) => makeArticle(title, { url: `http://${host}/${title.toLowerCase()}`, identity: title })
    await publishArticles(it, newsFeed, ['Gone', 'Same', 'Closed', 'Broken', 'Renamed', 'Lost', 'Nowhere'].map(at))
    const told = await sealedEdition(it, { ...it.digest, lateCheck: true })
    expect(told.chosen.toSorted()).toEqual(['Broken', 'Renamed', 'Same'])
    expect(told.reasons.Gone).toMatch(/^left out because its page is gone: .* answered 410/)
    expect(told.reasons.Same).not.toContain('headed')
    expect(told.reasons.Renamed).toContain(
      `; its page is headed “Quite another headline” now; its page is at http://${host}/renamed-2 now`,
    )
    expect((await editionHistory(it.app.db, told.id)).map((entry) => entry.what)).toContainEqual(
      expect.stringContaining('“Gone”: left out because its page is gone'),
    )
    pages['/gone'] = [200, 'it was a mistake']
    it.clock.advance(7 * day)
    expect(
      (await sealedEdition(it, { ...it.digest, lateCheck: true, thin: { ...it.digest.thin, minimum: 1 } })).chosen,
    ).toEqual(['Gone'])
  })

  test('that comes again in another feed is in one simulated edition', async () => {
    const it = await world()
    const title = 'The council votes to reopen the harbour railway'
    await publishArticles(it, newsFeed, [makeArticle('News of week one'), makeArticle(title)])
    it.clock.advance(7 * day)
    const copy = { identity: 'copy', url: 'https://opinion.example/railway' }
    await publishArticles(it, opinionFeed, [makeArticle(title, copy), makeArticle('Other views')])
    await publishArticles(it, newsFeed, [makeArticle('News of week two')])
    it.clock.advance(7 * day)
    const { editions } = await simulate(it.app.db, it.digest, 3, it.clock.now())
    const holding = editions.flatMap(({ number, choices }) =>
      choices.filter((one) => itemOf(one).title === title).map(({ position }) => [number, position]),
    )
    expect(holding.filter(([, position]) => position !== null)).toEqual([[1, expect.any(Number)]])
  })

  test('is in the simulated edition of its week and in no other, and a simulation writes nothing', async () => {
    const it = await world()
    for (const week of ['one', 'two', 'three']) {
      await publishArticles(it, newsFeed, [makeArticle(`News of week ${week}`), makeArticle(`More of week ${week}`)])
      it.clock.advance(7 * day)
    }
    const before = await it.app.db.selectFrom('ledger').selectAll().execute()
    const { editions } = await simulate(it.app.db, it.digest, 4, it.clock.now())
    const held = editions.map(({ status, choices }) => [
      status,
      choices
        .filter((one) => one.position !== null)
        .map((one) => itemOf(one).title)
        .sort(),
    ])
    expect(held.filter(([status]) => status === 'sent').map(([, titles]) => titles)).toEqual([
      ['More of week one', 'News of week one'],
      ['More of week two', 'News of week two'],
      ['More of week three', 'News of week three'],
    ])
    expect(
      editions.filter((one) => one.status === 'skipped').every((one) => one.reason?.code === 'too-few-articles'),
    ).toBe(true)
    expect(await it.app.db.selectFrom('ledger').selectAll().execute()).toEqual(before)
  })
})

/** Eight pieces went out; then the site has a new address, and the feed new guids for all that it lists. */
async function moved(it: World): Promise<World> {
  const publishedAt = it.clock.now() // a site that moves keeps its dates
  await publishArticles(
    it,
    newsFeed,
    headlines.map((title, index) => makeArticle(title, { identity: `old-${index}`, publishedAt })),
  )
  await sealedEdition(it)
  it.clock.advance(7 * day)
  await sealedEdition(it)
  it.clock.advance(7 * day)
  const again = headlines.map((title, index) =>
    makeArticle(title, { identity: `new-${index}`, url: `https://new.example/${index}`, publishedAt }),
  )
  await publishArticles(it, newsFeed, [...again, makeArticle('Really new')])
  await addArticlesToLedger(it.app, it.digest)
  return it
}
