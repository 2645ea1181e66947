import { afterEach, beforeEach, expect, test } from 'vitest'
import { addArticlesToLedger } from '../../../../src/editions/ledger.ts'
import type { Reason } from '../../../../src/store/events/reason.ts'
import { feedByUrl } from '../../../../src/store/feeds/feeds.ts'
import { toJson } from '../../../../src/store/json.ts'
import { quarantinedFeeds } from '../../../../src/store/ledger/stories.ts'
import { day } from '../../../../src/time/clock.ts'
import { feedHistory } from '../../../support/history.ts'
import { newsFeed, publishTitles } from '../../../support/world.ts'
import { openSite, type Site } from '../../site.ts'

let site: Site

beforeEach(async () => {
  site = await openSite()
  site.clock.advance(10 * day)
  await publishTitles(
    site,
    newsFeed,
    Array.from({ length: 20 }, (_, index) => `All at once ${index}`),
  )
  await addArticlesToLedger(site.app, site.digest)
})
afterEach(() => site.close())

test('the studio asks about a quarantined feed, and an editor decides only by POST', async () => {
  const editor = await site.signIn()
  const page = await (await editor.get('/studio')).text()
  expect(page).toContain('20 new articles at once, where 1 are usual')
  expect(page).toContain('20 articles waiting. They are not sent until someone decides.')
  const action = /action="(\/studio\/feeds\/[^"]+)"/.exec(page)?.[1] ?? ''
  expect((await editor.get(action)).status).toBe(404)
  expect((await editor.post(action, { decision: 'perhaps' })).status).toBe(400)
  expect((await editor.post(action, { decision: 'ignore', csrf: 'guessed' })).status).toBe(403)
  expect((await site.post(action, 'decision=ignore')).status).toBe(401)
  expect(await quarantinedFeeds(site.app.db)).toHaveLength(1)
  const seen = await editor.seen('/studio', action)
  const answer = await editor.post(action, { decision: 'ignore', seen })
  const feed = (await feedByUrl(site.app.db, newsFeed))?.id ?? ''
  expect([answer.status, answer.headers.get('location')]).toEqual([303, `/studio?decided=${feed}`])
  const words = '20 articles that waited are old, and never mailed'
  const history = await feedHistory(site.app.db)
  expect(history.map((event) => [event.feed, event.who, event.what])).toEqual([[feed, 'mira', words]])
  const shown = await (await editor.get(`/studio?decided=${feed}`)).text()
  expect(shown).toContain(`role="status">${words} (mira).</p>`)
  expect(shown).toContain(`: ${words} (mira)</li>`)
  expect(await quarantinedFeeds(site.app.db)).toEqual([])
  expect(await (await editor.get('/studio')).text()).toContain('Nothing is waiting for you.')
  expect((await editor.post(action, { decision: 'ignore', seen })).status).toBe(303) // a second press
  expect((await editor.post(action, { decision: 'release', seen })).status).toBe(409)
})

test('the same decision about new articles is recorded again', async () => {
  const editor = await site.signIn()
  const feed = (await feedByUrl(site.app.db, newsFeed))?.id ?? ''
  const ids = await site.app.db.selectFrom('ledger').select('articleId').where('feedId', '=', feed).limit(2).execute()
  for (const { articleId } of ids) {
    const held = {
      quarantinedAt: site.clock.now(),
      quarantineReason: toJson<Reason>({ code: 'known-articles', count: 1 }),
    }
    await site.app.db.updateTable('ledger').set({ quarantinedAt: null, quarantineReason: null }).execute()
    await site.app.db.updateTable('ledger').set(held).where('articleId', '=', articleId).execute()
    const action = `/studio/feeds/${feed}/decision`
    await editor.post(action, { decision: 'ignore', seen: await editor.seen('/studio', action) })
  }
  const words = '1 article that waited is old, and never mailed'
  expect((await feedHistory(site.app.db)).map(({ what }) => what)).toEqual([words, words])
})

test('an article quarantined in two digests counts once, on the page and in the history', async () => {
  const { db } = site.app
  const held = await db.selectFrom('ledger').selectAll().where('quarantinedAt', 'is not', null).execute()
  await db
    .insertInto('ledger')
    .values(held.map((row) => ({ ...row, digest: 'daily' })))
    .execute()
  const editor = await site.signIn()
  const html = await (await editor.get('/studio')).text()
  expect(html).toContain('20 articles waiting.')
  const action = /action="(\/studio\/feeds\/[^"]+)"/.exec(html)?.[1] ?? ''
  const answer = await editor.post(action, { decision: 'ignore', seen: await editor.seen('/studio', action) })
  expect(await (await editor.get(answer.headers.get('location') ?? '')).text()).toContain(
    '20 articles that waited are old, and never mailed (mira)',
  )
  expect(await quarantinedFeeds(db)).toEqual([])
})

test('a decision covers only the articles that the page showed', async () => {
  const editor = await site.signIn()
  const [row] = await site.app.db.selectFrom('ledger').selectAll().where('quarantinedAt', 'is not', null).execute()
  const release = { quarantinedAt: null, quarantineReason: null }
  await site.app.db
    .updateTable('ledger')
    .set(release)
    .where('articleId', '=', row?.articleId ?? '')
    .execute()
  const action = `/studio/feeds/${row?.feedId}/decision`
  const seen = await editor.seen('/studio', action)
  await site.app.db
    .updateTable('ledger')
    .set({ quarantinedAt: site.clock.now(), quarantineReason: toJson<Reason>({ code: 'known-articles', count: 1 }) })
    .where('articleId', '=', row?.articleId ?? '')
    .execute()
  const late = await editor.post(action, { decision: 'ignore', seen })
  expect([late.status, await late.text()]).toEqual([409, expect.stringContaining('that you looked at: 20 now.')])
  expect(await quarantinedFeeds(site.app.db)).toMatchObject([{ count: 20 }])
  const fresh = await editor.seen('/studio', action)
  expect((await editor.post(action, { decision: 'ignore', seen: fresh })).status).toBe(303)
})
