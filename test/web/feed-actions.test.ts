import { afterEach, beforeEach, expect, test } from 'vitest'
import { day } from '../../src/clock.ts'
import { enrolArticles } from '../../src/editions/enrol.ts'
import { feedByUrl, feedHistory } from '../../src/store/feeds.ts'
import { heldFeeds } from '../../src/store/stories.ts'
import { newsFeed, show } from '../support/world.ts'
import { openSite, type Site } from './site.ts'

let site: Site

beforeEach(async () => {
  site = await openSite()
  site.clock.advance(10 * day)
  await show(
    site,
    newsFeed,
    Array.from({ length: 20 }, (_, index) => `All at once ${index}`),
  )
  await enrolArticles(site.app, site.digest)
})
afterEach(() => site.close())

test('the studio asks about a feed that showed much at once, and an editor answers by POST alone', async () => {
  const editor = await site.signIn()
  const page = await (await editor.get('/studio')).text()
  expect(page).toContain('20 new articles at once, where 1 are usual')
  expect(page).toContain('Nothing of this feed goes out until somebody decides.')
  const action = /action="(\/studio\/feeds\/[^"]+)"/.exec(page)?.[1] ?? ''
  expect((await editor.get(action)).status).toBe(404)
  expect((await editor.post(action, { decision: 'perhaps' })).status).toBe(400)
  expect((await editor.post(action, { decision: 'ignore', csrf: 'guessed' })).status).toBe(403)
  expect((await site.post(action, 'decision=ignore')).status).toBe(401)
  expect(await heldFeeds(site.app.db)).toHaveLength(1)
  const answer = await editor.post(action, { decision: 'ignore' })
  const feed = (await feedByUrl(site.app.db, newsFeed))?.id ?? ''
  expect([answer.status, answer.headers.get('location')]).toEqual([303, `/studio?decided=${feed}`])
  const words = 'mira decided: 20 articles that waited are old, and never mailed'
  expect((await feedHistory(site.app.db)).map(({ feedId, what }) => [feedId, what])).toEqual([[feed, words]])
  const shown = await (await editor.get(`/studio?decided=${feed}`)).text()
  expect(shown).toContain(`role="status">${words}.</p>`)
  expect(shown).toContain(`: ${words}</li>`)
  expect(await heldFeeds(site.app.db)).toEqual([])
  expect(await (await editor.get('/studio')).text()).not.toContain('Waits for you')
  expect((await editor.post(action, { decision: 'release' })).status).toBe(409)
})

test('the same decision a second time stands on record a second time', async () => {
  const editor = await site.signIn()
  const feed = (await feedByUrl(site.app.db, newsFeed))?.id ?? ''
  const ids = await site.app.db.selectFrom('ledger').select('articleId').where('feedId', '=', feed).limit(2).execute()
  for (const { articleId } of ids) {
    const held = { heldAt: site.clock.now(), heldReason: 'once more' }
    await site.app.db.updateTable('ledger').set({ heldAt: null, heldReason: null }).execute()
    await site.app.db.updateTable('ledger').set(held).where('articleId', '=', articleId).execute()
    await editor.post(`/studio/feeds/${feed}/decision`, { decision: 'ignore' })
  }
  const words = 'mira decided: 1 article that waited is old, and never mailed'
  expect((await feedHistory(site.app.db)).map(({ what }) => what)).toEqual([words, words])
})
