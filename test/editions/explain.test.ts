import { afterEach, expect, test } from 'vitest'
import type { Digest } from '../../src/editions/digest.ts'
import { explain } from '../../src/editions/explain.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { makeArticle, publishArticles, sealedEdition } from '../support/newsroom.ts'
import { newsFeed, openWorld, opinionFeed } from '../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('explain', (freshUrl) => {
  async function open() {
    const it = await openWorld({ storeUrl: await freshUrl() })
    closing.push(it.close)
    await publishArticles(it, newsFeed, [
      makeArticle('The mayor’s tram: an extension to “Northwold”'),
      makeArticle('Tram drivers want more pay'),
      makeArticle('東京の新しい路面電車'),
    ])
    await sealedEdition(it)
    const other: Digest = { ...it.digest, name: 'other', sections: it.digest.sections.slice(1) }
    const ask = async (what: string, digests = [it.digest, other]) =>
      (await explain(it.app.db, digests, what)).map(({ title, digest, answer }) => ({ title, digest, answer }))
    return { it, other, ask }
  }

  test('finds an article by words of its title, in any order, cut short, with straight quotes or none', async () => {
    const { ask } = await open()
    const wanted = [{ title: 'The mayor’s tram: an extension to “Northwold”', digest: 'weekly' }]
    for (const what of [
      'extension tram',
      "mayor's TRAM",
      '"Northwold" exten',
      'the mayors tram: an extension to northwold',
    ])
      expect(await ask(what), what).toMatchObject(wanted)
    expect(await ask('路面電車')).toMatchObject([{ title: '東京の新しい路面電車' }])
    for (const what of ['tram airport', 'xtension', '“”', 'https://magazine.example/tram'])
      expect(await ask(what), what).toEqual([])
  })

  test('names every article that the words fit, each with its digest and how it stands', async () => {
    const { ask } = await open()
    const answers = await ask('tram')
    expect(answers.map(({ title }) => title).sort()).toEqual([
      'The mayor’s tram: an extension to “Northwold”',
      'Tram drivers want more pay',
    ])
    for (const { digest, answer } of answers) expect(`${digest}: ${answer}`).toContain('weekly: in edition 1 (sealed)')
  })

  test('answers for the digests that have the feed, and once where none has', async () => {
    const { it, other, ask } = await open()
    expect((await ask('drivers')).map(({ digest }) => digest)).toEqual(['weekly'])
    await publishArticles(it, 'https://elsewhere.example/feed', [makeArticle('A piece from elsewhere')])
    expect(await ask('elsewhere')).toEqual([
      {
        title: 'A piece from elsewhere',
        digest: null,
        answer: 'in none: the feed https://elsewhere.example/feed is in no section of any digest',
      },
    ])
    await publishArticles(it, opinionFeed, [makeArticle('An opinion')])
    expect((await ask('opinion', [it.digest, other])).map(({ digest }) => digest)).toEqual(['weekly', 'other'])
  })
})
