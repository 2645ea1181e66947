import { afterEach, beforeEach, expect, test } from 'vitest'
import { day } from '../../src/clock.ts'
import { enrolArticles } from '../../src/editions/enrol.ts'
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
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/studio'])
  expect(await heldFeeds(site.app.db)).toEqual([])
  expect(await (await editor.get('/studio')).text()).not.toContain('Waits for you')
  expect((await editor.post(action, { decision: 'release' })).status).toBe(409)
})
