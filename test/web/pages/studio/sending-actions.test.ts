import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { currentSendingStop } from '../../../../src/store/deliveries/sending-stop.ts'
import { choicesOf } from '../../../../src/store/editions/choices.ts'
import { editionById } from '../../../../src/store/editions/editions.ts'
import type { EditionStatus } from '../../../../src/store/schema.ts'
import { subscriptionsOf } from '../../../../src/store/subscribers/subscribers.ts'
import { suppress } from '../../../../src/subscribers/suppress.ts'
import { editionHistory, inWords } from '../../../support/history.ts'
import { type Editor, openSite, type Site } from '../../site.ts'

let site: Site
let editor: Editor

beforeEach(async () => {
  site = await openSite()
  editor = await site.signIn('mira')
})
afterEach(() => site.close())

const page = () => `/studio/editions/${site.edition.id}`
const edition = async () => {
  const found = await editionById(site.app.db, site.edition.id)
  if (!found) throw new Error('no edition')
  return found
}
const become = (status: EditionStatus) =>
  site.app.db
    .updateTable('editions')
    .set({ status, approvedAt: site.clock.now(), audienceAt: site.clock.now() })
    .execute()
const textOf = (html: string) => html.replace(/<[^>]*>/g, '').replace(/&#x27;/g, "'")
/** Follows the redirect of an answer, and returns the words of the page it leads to. */
const followed = async (answer: Response) => {
  expect(answer.status).toBe(303)
  return textOf(await (await editor.get(answer.headers.get('location') ?? '')).text())
}
/** Presses the button of the page as it is now. */
const resume = async (fields = {}) =>
  editor.post(`${page()}/resumption`, { seen: await editor.seen(page(), `${page()}/resumption`), ...fields })
const lead = async () => (await choicesOf(site.app.db, site.edition.id))[0]

describe('an edition that is being sent', () => {
  test('is paused with a reason and resumed; the history and the next page say so', async () => {
    await become('sending')
    expect(await (await editor.get(page())).text()).toContain('Stop sending')
    const silent = await editor.post(`${page()}/stop`, { reason: ' ' })
    expect([silent.status, (await edition()).status]).toEqual([400, 'sending'])
    expect(await followed(await editor.post(`${page()}/stop`, { reason: 'a wrong name' }))).toContain(
      'You stopped the sending: “a wrong name”. Paused before the first email was sent.',
    )
    expect(inWords(await edition())).toMatchObject({ status: 'paused', reason: 'a wrong name' })
    const html = await (await editor.get(page())).text()
    expect(html).toContain('Resume sending')
    expect(html).not.toContain('Approve and send')
    expect(textOf(await (await editor.get('/studio')).text())).toMatch(
      /Waiting for your decision.*A wrong name.*Paused before/s,
    )
    expect(await followed(await resume())).toContain('You resumed the sending.')
    expect((await edition()).status).toBe('sending')
    const record = (await editionHistory(site.app.db, site.edition.id)).slice(-2)
    expect(record.map(({ who, what }) => [who, what])).toEqual([
      ['mira', 'Paused: a wrong name'],
      ['mira', 'Sending resumed'],
    ])
  })

  test('is not resumed in the wrong status, nor by a form without a revision', async () => {
    expect((await resume()).status).toBe(409)
    await become('sending')
    expect((await resume()).status).toBe(409)
    await editor.post(`${page()}/stop`, { reason: 'no' })
    const old = await editor.post(`${page()}/resumption`)
    expect([old.status, await old.text()]).toEqual([409, expect.stringContaining('Your page was out of date.')])
    expect((await edition()).status).toBe('paused')
  })

  test('stops when one of its articles is retracted, and resumes after restoring it or ticking the box', async () => {
    await become('sending')
    const article = (await lead())?.articleId ?? ''
    const before = await editor.post(`${page()}/retraction`, { article, reason: '' })
    const kept = await before.text()
    expect([before.status, (await edition()).status]).toEqual([400, 'sending'])
    expect(kept).toMatch(/<details class="small" open>/)
    const words = await followed(await editor.post(`${page()}/retraction`, { article, reason: 'it is not true' }))
    expect(words).toContain('You removed “Council opens its books”: it is not true; sending is paused.')
    expect(words).toContain('Removed by mira: it is not true')
    expect(words).toContain('It includes “Council opens its books”, which was removed from all editions.')
    const refused = await resume()
    expect([refused.status, (await edition()).status]).toEqual([409, 'paused'])
    expect(await followed(await resume({ anyway: 'yes' }))).toContain(
      'You resumed the sending with “Council opens its books” in it, which was removed.',
    )
    await editor.post(`${page()}/stop`, { reason: 'no' })
    expect(await followed(await editor.post(`${page()}/restoration`, { article }))).toContain(
      'You put “Council opens its books” back.',
    )
    expect((await resume()).status).toBe(303)
  })

  test('is not approved from a page with another revision', async () => {
    const seen = await editor.seen(page(), `${page()}/approval`)
    const stale = await editor.post(`${page()}/approval`, {
      seen: seen.replace(/\.[0-9a-f]{64}/, `.${'0'.repeat(64)}`),
      confirm: 'yes',
    })
    expect([stale.status, (await edition()).status]).toEqual([409, 'sealed'])
    expect((await editor.post(`${page()}/approval`, { seen, confirm: 'yes' })).status).toBe(303)
  })
})

describe('stopping all sending', () => {
  test('needs a reason and a ticked box, is shown on every studio page and in /health, and can be undone', async () => {
    expect((await editor.post('/studio/sending-stop', { reason: 'the wrong list' })).status).toBe(400)
    expect((await editor.post('/studio/sending-stop', { confirm: 'yes' })).status).toBe(400)
    expect(await currentSendingStop(site.app.db)).toBeUndefined()
    const on = await followed(await editor.post('/studio/sending-stop', { reason: 'the wrong list', confirm: 'yes' }))
    expect(on).toContain('You stopped all sending.')
    expect(on).not.toContain('Stop all sending…')
    for (const path of ['/studio', page()]) {
      const words = textOf(await (await editor.get(path)).text())
      expect(words).toContain('All sending is stopped.')
      expect(words).toContain('Since Fri, 27 Nov 2026, 07:00 UTC, by mira: the wrong list')
    }
    const health = await editor.get('/health')
    const facts = await health.text()
    expect(await (await site.get('/health')).json()).toEqual({ status: 'ok' })
    expect([health.status, JSON.parse(facts).sending]).toEqual([200, 'stopped'])
    expect(facts + (await (await site.get('/')).text())).not.toContain('the wrong list')
    expect((await editor.post('/studio/sending-stop', { reason: 'again', confirm: 'yes' })).status).toBe(409)
    expect((await editor.post('/studio/sending-resumption')).status).toBe(409) // it does not say which stop it showed
    expect(await currentSendingStop(site.app.db)).toBeDefined()
    const seen = await editor.seen('/studio', '/studio/sending-resumption')
    expect(await followed(await editor.post('/studio/sending-resumption', { seen }))).toContain(
      'You resumed all sending. Editions continue where they stopped.',
    )
    expect((await editor.post('/studio/sending-resumption', { seen })).status).toBe(303) // a second press
    expect((await (await site.signIn('omar')).post('/studio/sending-resumption')).status).toBe(409)
    expect(await currentSendingStop(site.app.db)).toBeUndefined()
  })
})

test('a new stop of all sending is not ended from a page that showed the earlier one', async () => {
  const ben = await site.signIn('Ben')
  const stop = (who: Editor, reason: string) => who.post('/studio/sending-stop', { reason, confirm: 'yes' })
  await stop(editor, 'the wrong list')
  const seen = await editor.seen('/studio', '/studio/sending-resumption')
  await ben.post('/studio/sending-resumption', { seen })
  await stop(ben, 'still the wrong list')
  const late = await editor.post('/studio/sending-resumption', { seen })
  expect([late.status, textOf(await late.text())]).toEqual([
    409,
    expect.stringContaining('Ben stopped all sending again since: still the wrong list.'),
  ])
  expect(await currentSendingStop(site.app.db)).toBeDefined()
})

const changes = () => [
  '/studio/sending-stop',
  '/studio/sending-resumption',
  ...['stop', 'hold', 'pause', 'resumption', 'retraction', 'restoration'].map((act) => `${page()}/${act}`),
]

test('none of these works from another site, without the token, or without a session', async () => {
  await become('sending')
  const article = (await lead())?.articleId ?? ''
  const rows = async () => [
    await site.rows(),
    await currentSendingStop(site.app.db),
    await site.app.db.selectFrom('pulls').selectAll().execute(),
  ]
  const before = JSON.stringify(await rows())
  const fields = { reason: 'x', confirm: 'yes', anyway: 'yes', article }
  for (const path of changes()) {
    expect([path, (await site.post(path, new URLSearchParams(fields))).status]).toEqual([path, 401])
    expect([path, (await editor.post(path, { ...fields, csrf: 'wrong' })).status]).toEqual([path, 403])
    expect((await editor.post(path, fields, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403)
    expect((await editor.get(path)).status).toBe(404)
  }
  expect(JSON.stringify(await rows())).toBe(before)
})

test('an unknown article cannot be retracted', async () => {
  for (const article of ['', '019335c0-0000-7000-8000-000000000000', "'; drop table articles"])
    expect((await editor.post(`${page()}/retraction`, { article, reason: 'x' })).status).toBe(404)
})

test('a reader whose address is suppressed cannot subscribe again, and the page says why', async () => {
  await suppress(
    site.app.db,
    { subscriberId: site.reader.id, editionId: null, reason: { code: 'text', text: 'no such mailbox' } },
    site.clock.now(),
  )
  await site.post(`/leave/${site.key}`)
  const answer = textOf(await (await site.post(`/preferences/${site.key}`, 'action=return')).text())
  expect(answer).toContain('Nothing changed: we can’t send to your address. See below.')
  expect(answer).toContain('You can’t subscribe again here: our emails to you came back')
  expect((await subscriptionsOf(site.app.db, site.reader.id))[0]?.leftAt).not.toBeNull()
  expect(await site.app.db.selectFrom('confirmations').selectAll().execute()).toEqual([])
})
