import { expect, test } from 'vitest'
import { articlesByUrl } from '../../../src/store/articles/articles.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { makeArticle, publishArticles } from '../../support/newsroom.ts'
import { newsFeed, openWorld } from '../../support/world.ts'

const picture = { url: 'https://magazine.example/pier.jpg', width: 640, height: 400, alt: 'The pier' }
const portrait = { url: 'https://people.example/mira.jpg', width: 96, height: 96, alt: '' }

onBothEngines('the picture of an article and the portrait of its author', (freshUrl) => {
  test('are kept apart, and neither stands for the other', async () => {
    const it = await openWorld({ storeUrl: await freshUrl() })
    try {
      const cases = [{ image: picture, portrait }, { image: null, portrait }, { image: picture }, { image: null }]
      const articles = cases.map((pictures, index) => makeArticle(`Piece ${index}`, pictures))
      await publishArticles(it, newsFeed, articles)
      for (const [index, { image, portrait }] of cases.entries()) {
        const [article] = await articlesByUrl(it.app.db, articles[index]?.url ?? '')
        expect({ image: article?.image, portrait: article?.portrait }).toEqual({ image, portrait })
      }
    } finally {
      await it.close()
    }
  })
})
