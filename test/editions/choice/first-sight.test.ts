import { afterEach, expect, test } from 'vitest'
import { pendingArticles } from '../../../src/store/articles/articles.ts'
import { day } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { makeArticle, publishArticles, sealedEdition } from '../../support/newsroom.ts'
import { newsFeed, openWorld, type World } from '../../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('the first sight of a feed', (freshUrl) => {
  async function world(sections: string, rest: Record<string, string> = {}): Promise<World> {
    const job = { thin: '{ minimum: 0 }', sections, ...rest }
    const it = await openWorld({ storeUrl: await freshUrl(), job })
    closing.push(it.close)
    return it
  }

  /** The newest first, an hour apart; `Title: Category/Author`. */
  async function showsFirst(it: World, ...given: string[]): Promise<void> {
    const articles = given.map((text, index) => {
      const [title = '', kind = ''] = text.split(': ')
      const [category = '', author = ''] = kind.split('/')
      const publishedAt = new Date(Date.parse(it.clock.now()) - index * 3_600_000).toISOString()
      return makeArticle(title, { publishedAt, categories: category ? [category] : [], author })
    })
    await publishArticles(it, newsFeed, articles)
  }

  const placed = async (it: World) => (await sealedEdition(it, it.digest)).placed.sort()

  const feeds = `feeds: [${newsFeed}]`

  test('counts the rooms of all sections that list it, each after its filters', async () => {
    const it = await world(`
  - { name: news, title: News, layout: latest, ${feeds}, maximum: 2, exclude: { categories: [Racing] } }
  - { name: racing, title: Racing, layout: latest, ${feeds}, maximum: 3, minimum: 2, include: { categories: [Racing] }, thin: ask }
`)
    await showsFirst(it, 'N1', 'N2', 'N3', 'N4', 'R1: Racing', 'R2: Racing')
    expect(await placed(it)).toEqual(['news: N1', 'news: N2', 'racing: R1', 'racing: R2'])
    expect(await pendingArticles(it.app.db, it.digest.name)).toEqual([]) // N3 and N4 are backlog
  })

  test('gives a second section without filters what the first has no room for', async () => {
    const it = await world(`
  - { name: a, title: A, layout: latest, ${feeds}, maximum: 2 }
  - { name: b, title: B, layout: latest, ${feeds}, maximum: 3 }
`)
    await showsFirst(it, 'N1', 'N2', 'N3', 'N4', 'N5', 'N6')
    expect(await placed(it)).toEqual(['a: N1', 'a: N2'])
    it.clock.advance(day)
    expect(await placed(it)).toEqual(['a: N3', 'a: N4'])
    it.clock.advance(day)
    expect(await placed(it)).toEqual(['a: N5'])
  })

  test('keeps the older piece that a rule wants, in a section or in the whole edition', async () => {
    const it = await world(
      `
  - { name: a, title: A, layout: latest, ${feeds}, maximum: 3, atLeast: [{ count: 1, categories: [Harbour] }] }
`,
      { atLeast: '[{ count: 1, authors: [Cy] }]' },
    )
    await showsFirst(it, 'N1', 'N2', 'N3', 'N4', 'N5: Harbour/Ann', 'N6: Culture/Cy', 'N7: Harbour/Cy')
    expect(await placed(it)).toContain('a: N5')
    expect((await pendingArticles(it.app.db, it.digest.name)).map(({ title }) => title)).not.toContain('N4')
  })

  test('counts no more of one feed than its section may hold, and looks behind one author for others', async () => {
    const it = await world(`
  - { name: a, title: A, layout: latest, ${feeds}, maximum: 5, perFeed: 2 }
`)
    await showsFirst(it, 'N1', 'N2', 'N3', 'N4')
    expect(await placed(it)).toEqual(['a: N1', 'a: N2'])
    expect(await pendingArticles(it.app.db, it.digest.name)).toEqual([])

    const authors = await world(`
  - { name: a, title: A, layout: latest, ${feeds}, maximum: 3, perAuthor: 1 }
`)
    await showsFirst(authors, 'N1: X/Ann', 'N2: X/Ann', 'N3: X/Ann', 'N4: X/Bob', 'N5: X/Cy')
    expect(await placed(authors)).toEqual(['a: N1', 'a: N4', 'a: N5'])
  })

  test('counts a feed that only fills up as before', async () => {
    const it = await world(`
  - { name: a, title: A, layout: latest, feeds: [https://magazine.example/none.xml], backfill: "${newsFeed}", thin: backfill, minimum: 1, maximum: 2 }
`)
    await showsFirst(it, 'N1', 'N2', 'N3')
    expect(await placed(it)).toEqual(['a: N1'])
    expect((await pendingArticles(it.app.db, it.digest.name)).map(({ title }) => title)).toEqual(['N2'])
  })
})
