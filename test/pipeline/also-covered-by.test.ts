import { afterEach, expect, test } from 'vitest'
import { compose } from '../../src/editions/compose/compose.ts'
import { draftOf } from '../../src/editions/compose/draft.ts'
import { articlesIn } from '../../src/editions/edition.ts'
import { day } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { makeArticle, publishArticles } from '../support/newsroom.ts'
import { openWorld, type World } from '../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const feeds = ['first', 'second', 'third', 'fourth', 'fifth'].map((name) => `https://${name}.example/feed`)
const headlines = [
  'Prison sold for a pound',
  'Cheap flats behind old walls',
  'Exercise yard becomes a garden',
  'Trust takes over the gaol',
  'County gets rid of a ruin',
]
const text =
  'The county has sold the old prison to a housing trust for one pound. Sixty flats are planned behind the walls, and the exercise yard becomes a garden that anybody may enter. The trust promises rents below the average of the district for at least thirty years from now.'

onBothEngines('other sources of a story', (freshUrl) => {
  async function world(alsoCoveredBy: boolean): Promise<World> {
    const it = await openWorld({
      storeUrl: await freshUrl(),
      job: {
        thin: '{ minimum: 0, rule: skip }',
        sections: `\n  - { name: all, title: All, layout: latest, feeds: ${JSON.stringify(feeds)}, maximum: 20, alsoCoveredBy: ${alsoCoveredBy} }`,
      },
    })
    closing.push(it.close)
    for (const feed of feeds) await publishArticles(it, feed, [makeArticle(`First sight of ${feed}`)])
    await compose(it.app, it.digest, it.clock.now())
    it.clock.advance(8 * day)
    for (const [index, feed] of feeds.entries())
      await publishArticles(it, feed, [
        makeArticle(headlines[index] ?? '', {
          identity: `p${index}`,
          url: `https://${index}.example/prison`,
          summary: text,
        }),
      ])
    return it
  }
  async function printed(it: World) {
    const edition = await compose(it.app, it.digest, it.clock.now())
    const draft = await draftOf(it.app, edition?.id ?? '', it.digest)
    if (!draft) throw new Error('there is no draft')
    const article = articlesIn(draft.sections).find(({ title }) => title === headlines[0])
    return { draft, article }
  }

  test('are three with links, and a number, in the draft, the HTML and the text', async () => {
    const it = await world(true)
    const { draft, article } = await printed(it)
    expect(article?.alsoIn).toEqual([
      { source: 'second.example', url: 'https://1.example/prison' },
      { source: 'third.example', url: 'https://2.example/prison' },
      { source: 'fourth.example', url: 'https://3.example/prison' },
    ])
    expect(article?.alsoInMore).toBe(1)
    const { html, text: plain } = await it.app.render(draft)
    expect(html).toContain('href="https://2.example/prison"')
    expect(plain.replace(/\s+/g, ' ')).toContain('Also in: second.example, third.example, fourth.example and 1 more')
  })

  test('are not named where the section does not ask for them', async () => {
    const { article } = await printed(await world(false))
    expect(article?.alsoIn).toBeUndefined()
  })
})
