import { afterEach, expect, test } from 'vitest'
import { forecastEdition } from '../../src/pipeline/forecast.ts'
import { latestEditions } from '../../src/store/editions/editions.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { makeDueEditions } from '../support/pipeline.ts'
import { newsFeed, openWorld, opinionFeed, publishTitles } from '../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('a forecast', (freshUrl) => {
  test('tells when the next edition is due, what it would have, and which sections are short', async () => {
    const sections = `
  - { name: latest, title: Latest news, layout: latest, feeds: [${newsFeed}], maximum: 5 }
  - { name: last-word, title: Last word, layout: last-word, feeds: [${opinionFeed}], minimum: 1, maximum: 2 }`
    const schedule = '{ cron: "0 7 * * FRI", skip: [2026-11-27] }'
    const it = await openWorld({ storeUrl: await freshUrl(), job: { schedule, sections } })
    closing.push(it.close)
    it.clock.set('2026-11-26T12:00:00.000Z')
    await makeDueEditions(it.app)
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three'])
    expect(await forecastEdition(it.app, it.digest)).toMatchObject({
      digest: 'weekly',
      dueAt: '2026-12-04T07:00:00.000Z',
      sections: [
        { name: 'latest', chosen: 3, minimum: 0, maximum: 5, isShort: false },
        { name: 'last-word', chosen: 0, minimum: 1, maximum: 2, isShort: true },
      ],
      feeds: [],
    })
    expect(await latestEditions(it.app.db, { limit: 5 })).toEqual([])
  })
})
