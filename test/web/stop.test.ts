import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { brakeNow } from '../../src/store/brake.ts'
import { choicesOf, editionById, historyOf } from '../../src/store/editions.ts'
import type { EditionStatus } from '../../src/store/schema.ts'
import { subscriptionsOf } from '../../src/store/subscribers.ts'
import { suppress } from '../../src/subscribers/suppress.ts'
import { type Editor, openSite, type Site } from './site.ts'

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
const lead = async () => (await choicesOf(site.app.db, site.edition.id))[0]

describe('an edition that is being sent', () => {
  test('is paused with a reason, and resumed, each on record and said after', async () => {
    await become('sending')
    expect(await (await editor.get(page())).text()).toContain('Pause the sending')
    const silent = await editor.post(`${page()}/pause`, { reason: ' ' })
    expect([silent.status, (await edition()).status]).toEqual([400, 'sending'])
    expect(await followed(await editor.post(`${page()}/pause`, { reason: 'a wrong name' }))).toContain(
      'You paused it: a wrong name It stopped in the middle of its sending.',
    )
    expect(await edition()).toMatchObject({ status: 'held', reason: 'a wrong name' })
    const html = await (await editor.get(page())).text()
    expect(html).toContain('Resume the sending')
    expect(html).not.toContain('Approve it')
    expect(textOf(await (await editor.get('/studio')).text())).toContain(
      'The Weekly 1 stopped in the middle of its sending. a wrong name',
    )
    expect(await followed(await editor.post(`${page()}/resumption`))).toContain('You resumed the sending.')
    expect((await edition()).status).toBe('sending')
    const record = (await historyOf(site.app.db, site.edition.id)).slice(-2)
    expect(record.map(({ who, what }) => [who, what])).toEqual([
      ['mira', 'paused: a wrong name'],
      ['mira', 'resumed'],
    ])
  })

  test('is neither paused nor resumed in the wrong state, and what was typed is not lost', async () => {
    const early = await editor.post(`${page()}/pause`, { reason: 'too early' })
    expect([early.status, await early.text()]).toEqual([409, expect.stringContaining('Nothing was changed.')])
    expect((await editor.post(`${page()}/resumption`)).status).toBe(409)
    await become('sending')
    expect((await editor.post(`${page()}/resumption`)).status).toBe(409)
    expect((await edition()).status).toBe('sending')
  })

  test('stops when one of its articles is pulled, and is resumed by who restores it, or ticks the box', async () => {
    await become('sending')
    const article = (await lead())?.articleId ?? ''
    const before = await editor.post(`${page()}/pull`, { article, reason: '' })
    const kept = await before.text()
    expect([before.status, (await edition()).status]).toEqual([400, 'sending'])
    expect(kept).toMatch(/<details class="small" open>/)
    const words = await followed(await editor.post(`${page()}/pull`, { article, reason: 'it is not true' }))
    expect(words).toContain('You pulled “Council opens its books”: it is not true; the sending has stopped.')
    expect(words).toContain('Pulled by mira: it is not true')
    expect(words).toContain('It holds “Council opens its books”, which was pulled.')
    const refused = await editor.post(`${page()}/resumption`)
    expect([refused.status, (await edition()).status]).toEqual([409, 'held'])
    expect(await followed(await editor.post(`${page()}/resumption`, { anyway: 'yes' }))).toContain(
      'You resumed the sending with “Council opens its books” in it, which was pulled.',
    )
    await editor.post(`${page()}/pause`, { reason: 'no' })
    expect(await followed(await editor.post(`${page()}/restoration`, { article }))).toContain(
      'You restored “Council opens its books”.',
    )
    expect((await editor.post(`${page()}/resumption`)).status).toBe(303)
  })

  test('is not approved by a page that shows another seal', async () => {
    const html = await (await editor.get(page())).text()
    const seal = /name="seal" value="([0-9a-f]{64})"/.exec(html)?.[1] ?? ''
    const stale = await editor.post(`${page()}/approval`, {
      seal: seal.replace(/^./, (first) => (first === '0' ? '1' : '0')),
    })
    expect([stale.status, (await edition()).status]).toEqual([409, 'sealed'])
    expect((await editor.post(`${page()}/approval`, { seal })).status).toBe(303)
  })
})

describe('the brake', () => {
  test('goes on with a reason and a ticked box, is seen on every page of the studio and in /health, and comes off', async () => {
    expect((await editor.post('/studio/brake', { reason: 'the wrong list' })).status).toBe(400)
    expect((await editor.post('/studio/brake', { confirm: 'yes' })).status).toBe(400)
    expect(await brakeNow(site.app.db)).toBeUndefined()
    const on = await followed(await editor.post('/studio/brake', { reason: 'the wrong list', confirm: 'yes' }))
    expect(on).toContain('You put the brake on.')
    expect(on).not.toContain('Put the brake on…')
    for (const path of ['/studio', page()]) {
      const words = textOf(await (await editor.get(path)).text())
      expect(words).toContain('The brake is on: no edition goes out.')
      expect(words).toContain('Since Fri, 27 Nov 2026, 07:00 UTC, by mira: the wrong list')
    }
    const health = await editor.get('/health')
    const facts = await health.text()
    expect(await (await site.get('/health')).json()).toEqual({ status: 'ok' })
    expect([health.status, JSON.parse(facts).brake]).toEqual([200, 'on'])
    expect(facts + (await (await site.get('/')).text())).not.toContain('the wrong list')
    expect((await editor.post('/studio/brake', { reason: 'again', confirm: 'yes' })).status).toBe(409)
    expect(await followed(await editor.post('/studio/brake/release'))).toContain(
      'You released the brake. Editions go on where they stopped.',
    )
    expect((await editor.post('/studio/brake/release')).status).toBe(409)
    expect(await brakeNow(site.app.db)).toBeUndefined()
  })
})

const changes = () => [
  '/studio/brake',
  '/studio/brake/release',
  ...['pause', 'resumption', 'pull', 'restoration'].map((act) => `${page()}/${act}`),
]

test('none of these can be done from another site, without the token, or by somebody who is not signed in', async () => {
  await become('sending')
  const article = (await lead())?.articleId ?? ''
  const rows = async () => [
    await site.rows(),
    await brakeNow(site.app.db),
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

test('an article that is not there cannot be pulled', async () => {
  for (const article of ['', '019335c0-0000-7000-8000-000000000000', "'; drop table articles"])
    expect((await editor.post(`${page()}/pull`, { article, reason: 'x' })).status).toBe(404)
})

test('a reader whose address is suppressed cannot subscribe again, and is told why', async () => {
  await suppress(
    site.app.db,
    { subscriberId: site.reader.id, editionId: null, reason: 'no such mailbox' },
    site.clock.now(),
  )
  await site.post(`/leave/${site.key}`)
  const answer = textOf(await (await site.post(`/preferences/${site.key}`, 'action=return')).text())
  expect(answer).toContain('Nothing changed: we cannot send to your address. See below.')
  expect(answer).toContain('You cannot subscribe again here: messages to your address came back')
  expect((await subscriptionsOf(site.app.db, site.reader.id))[0]?.leftAt).not.toBeNull()
  expect(await site.app.db.selectFrom('confirmations').selectAll().execute()).toEqual([])
})
