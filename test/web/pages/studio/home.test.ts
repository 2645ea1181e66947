import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compose } from '../../../../src/editions/compose/compose.ts'
import { seal } from '../../../../src/editions/seal.ts'
import { makeSignInLink } from '../../../../src/pipeline/sign-in/sign-in-link.ts'
import { editionById } from '../../../../src/store/editions/editions.ts'
import type { Reason } from '../../../../src/store/events/reason.ts'
import { recordFailure, recordSuccess } from '../../../../src/store/feeds/feed-polls.ts'
import { allFeeds } from '../../../../src/store/feeds/feeds.ts'
import { saveRejections } from '../../../../src/store/feeds/rejections.ts'
import { toJson } from '../../../../src/store/json.ts'
import { addMails, dueMails, recordAttempt } from '../../../../src/store/outbox/outbox.ts'
import { saveJobReader } from '../../../../src/store/system/job-readers.ts'
import { day, hour, minute } from '../../../../src/time/clock.ts'
import { webApp } from '../../../../src/web/server.ts'
import { inWords } from '../../../support/history.ts'
import { newsFeed, plainRender, publishTitles } from '../../../support/world.ts'
import { openSite, type Site } from '../../site.ts'

let site: Site

beforeEach(async () => {
  site = await openSite()
})
afterEach(() => site.close())

const status = async () => (await editionById(site.app.db, site.edition.id))?.status
const textOf = (html: string) => html.replace(/<[^>]*>/g, '').replace(/&#x3D;/g, '=')
const page = () => `/studio/editions/${site.edition.id}`

describe('a sign-in link', () => {
  test('signs in once, and only by POST', async () => {
    const link = await makeSignInLink(site.app, 'mira')
    expect(link).toMatch(/^https:\/\/letters\.magazine\.example\/sign-in\/[\w-]{43}$/)
    const path = new URL(link).pathname
    expect(await (await site.get(path)).text()).toContain('Sign in as mira')
    const first = await site.post(path)
    expect([first.status, first.headers.get('location')]).toEqual([303, '/studio'])
    expect(first.headers.get('set-cookie')).toMatch(
      /^__Host-lastword=[\w-]{43}; Max-Age=2678400; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
    for (const again of [await site.post(path), await site.get(path)]) {
      expect([again.status, again.headers.get('set-cookie')]).toEqual([404, null])
      expect(await again.text()).toContain('Email me a sign-in link')
    }
  })

  test('does not work after 30 minutes, nor does an invented one', async () => {
    const path = new URL(await makeSignInLink(site.app, 'mira')).pathname
    site.clock.advance(30 * minute)
    expect((await site.get(path)).status).toBe(404)
    expect((await site.post(path)).status).toBe(404)
    expect((await site.post('/sign-in/guess')).status).toBe(404)
    expect(await site.app.db.selectFrom('sessions').selectAll().execute()).toEqual([])
  })

  test('and its session are stored only as hashes', async () => {
    const path = new URL(await makeSignInLink(site.app, 'mira')).pathname
    const cookie = (await site.post(path)).headers.get('set-cookie')?.split(/[=;]/)[1] ?? ''
    const rows = await site.rows()
    expect(rows).not.toContain(path.split('/').at(-1))
    expect(rows).not.toContain(cookie)
  })

  test('cannot be used from another site', async () => {
    const path = new URL(await makeSignInLink(site.app, 'mira')).pathname
    for (const from of ['cross-site', 'same-site'])
      expect((await site.post(path, '', { 'Sec-Fetch-Site': from })).status).toBe(403)
    expect((await site.post(path, '', { 'Sec-Fetch-Site': 'same-origin' })).status).toBe(303)
  })
})

describe('the studio', () => {
  test('needs a session for every address and method', async () => {
    const before = await site.rows()
    for (const path of ['/studio', page(), `${page()}/preview`, `${page()}/progress`]) {
      for (const headers of [{}, { cookie: '__Host-lastword=guess' }]) {
        const answer = await site.get(path, headers)
        expect([path, answer.status]).toEqual([path, 401])
        expect(await answer.text()).toContain('Email me a sign-in link')
      }
    }
    for (const act of ['approval', 'hold', 'cancellation'])
      expect((await site.post(`${page()}/${act}`, 'reason=x&confirm=yes')).status).toBe(401)
    expect((await site.post('/sign-out')).status).toBe(401)
    expect(await site.rows()).toBe(before)
  })

  test('signs out after twelve hours without use, and by its button', async () => {
    const editor = await site.signIn()
    site.clock.advance(12 * hour)
    expect((await editor.get('/studio')).status).toBe(401)
    const again = await site.signIn()
    expect(await (await again.post('/sign-out')).text()).toContain('You are signed out')
    expect((await again.get('/studio')).status).toBe(401)
  })

  test('shows the editions, what is due next and the articles with their reasons', async () => {
    const editor = await site.signIn()
    const studio = await (await editor.get('/studio')).text()
    for (const words of ['The Weekly 1', 'Ready', '5 articles', 'Fri, 4 Dec 2026, 07:00 GMT', 'feeds are working.'])
      expect(studio).toContain(words)
    const edition = await (await editor.get(page())).text()
    for (const words of ['Council opens its books', 'Newest of 3 new articles', 'The section is full', 'SHA-256'])
      expect(edition).toContain(words)
  })

  test('says which job file is rejected, since when, and which version its digest uses', async () => {
    const file = 'jobs/weekly.yml'
    const problem = {
      file,
      message: `${file}:2: schedule: <b>`,
      since: site.clock.now(),
      runsBy: '2026-11-01T07:00:00.000Z',
    }
    const editor = await site.signIn()
    expect(await (await editor.get('/studio')).text()).not.toContain('has an error')
    await saveJobReader(site.app.db, { id: 'one', folder: '/jobs', rejected: [problem] }, site.clock.now())
    const page = await (await editor.get('/studio')).text()
    expect(page).toMatch(
      /jobs\/weekly.yml has had an error since .*2026.*\. The newsletter still uses the version of .*1 Nov 2026/,
    )
    expect(page).toContain('schedule: &lt;b&gt;')
  })

  test('names the emails that could not be sent in the last two weeks, with the answer', async () => {
    const facts = { edition: site.edition.id, at: site.clock.now(), reason: '' }
    const { db } = site.app
    for (const reason of ['one', 'two'])
      await addMails(db, [{ kind: 'edition-paused', about: [reason], facts }], site.clock.now())
    const [one] = await dueMails(db, site.clock.now(), { except: [], limit: 1 })
    const attempt = {
      recipient: 'desk@magazine.example',
      subject: 'weekly <1> is paused',
      reply: '550 5.1.1 nobody',
      reason: null,
    }
    await recordAttempt(db, one?.id ?? '', attempt, { failedAt: site.clock.now() })
    const editor = await site.signIn()
    const page = await (await editor.get('/studio')).text()
    expect(page).toMatch(/The email “weekly &lt;1&gt; is paused” to desk@magazine.example could not be sent/)
    expect(page).toContain('The mail server answered: 550 5.1.1 nobody')
    expect(page).not.toContain('An email could not be sent')
    const reason = toJson<Reason>({ code: 'no-connection', host: 'mail.example', port: 25, message: 'refused' })
    const now = site.clock.now()
    await recordAttempt(db, one?.id ?? '', { ...attempt, reply: '', reason }, { failedAt: now })
    expect(await (await editor.get('/studio')).text()).toContain(
      'The mail server did not take it: mail.example:25: refused.',
    )
    const lost = toJson<Reason>({ code: 'connection-lost', message: 'it went away' })
    const attempted = { ...attempt, reply: '', reason: lost }
    await recordAttempt(db, one?.id ?? '', attempted, { sentAt: now, failedAt: now })
    expect(await (await editor.get('/studio')).text()).toMatch(
      /to desk@magazine.example may not have arrived \(.*\): no mail server confirmed that it took it \(it went away\)/,
    )
    site.clock.advance(7 * day)
    expect(await (await (await site.signIn()).get('/studio')).text()).toContain('An email could not be sent')
    site.clock.advance(15 * day)
    expect(await (await (await site.signIn()).get('/studio')).text()).not.toContain('could not be sent')
  })

  test('shows the state of each feed: failing and since when, moved, working', async () => {
    const [failing, moved] = await allFeeds(site.app.db)
    if (!failing || !moved) throw new Error('no feeds')
    const error = { code: 'feed-status' as const, status: 503, message: 'magazine.example answered 503' }
    await recordFailure(site.app.db, failing.id, error, site.clock.now())
    const success = { etag: null, lastModified: null, address: 'https://elsewhere.example/feed', weekly: 3.5 }
    await recordSuccess(site.app.db, moved.id, success, site.clock.now())
    site.clock.advance(3 * hour)
    const editor = await site.signIn()
    const studio = textOf(await (await editor.get('/studio')).text())
    expect(studio).toContain('Has failed for 3 h (once): magazine.example answered 503')
    expect(studio).toContain('1 feed')
    expect(studio).toContain('moved to https://elsewhere.example/feed')
    expect(studio).toContain('Works; 3.5 articles a week')
  })

  test('lists the rejected entries of each feed, with the reason', async () => {
    const [feed] = await allFeeds(site.app.db)
    const rejected = {
      title: '<b>Evil</b>',
      link: 'javascript:alert(1)',
      reason: { code: 'link-not-web' as const },
    }
    await saveRejections(site.app.db, feed?.id ?? '', [rejected], site.clock.now())
    const html = await (await (await site.signIn()).get('/studio')).text()
    expect(html).not.toContain('<b>Evil')
    expect(textOf(html)).toMatch(
      /Entries we could not use.*Evil.*\(javascript:alert\(1\)\): its link is not an address/s,
    )
  })

  test('shows 20 editions, and a link to older ones', async () => {
    const editor = await site.signIn()
    const { edition } = site
    const copies = Array.from({ length: 20 }, (_, index) => ({
      ...edition,
      id: `019335c0-0000-7000-8000-0000000000${10 + index}`,
      ref: `000000${10 + index}`,
      number: 100 + index,
      dueAt: `2027-01-${10 + index}T07:00:00.000Z`,
    }))
    await site.app.db.insertInto('editions').values(copies).execute()
    const first = await (await editor.get('/studio')).text()
    expect(first).toContain('href="/studio?page=2"'.replace('=2', '&#x3D;2'))
    expect(first).not.toContain('>The Weekly 1<')
    expect(await (await editor.get('/studio?page=2')).text()).toContain('>The Weekly 1<')
  })
})

describe('a decision', () => {
  test('approves, and the next page says so', async () => {
    const editor = await site.signIn('mira')
    const answer = await editor.approve(page())
    expect(answer.status).toBe(303)
    expect(await status()).toBe('approved')
    const shown = await (await editor.get(answer.headers.get('location') ?? '')).text()
    expect(shown).toContain('You approved it.')
    const colleague = await site.signIn('omar')
    expect(await (await colleague.get(answer.headers.get('location') ?? '')).text()).toContain('mira approved it.')
    expect(await (await editor.get(`${page()}?done=made-up`)).text()).not.toContain('approved it.')
  })

  test('holds with its reason, and approves a held edition', async () => {
    const editor = await site.signIn()
    await editor.post(`${page()}/hold`, { reason: 'the lead is wrong' })
    expect(inWords(await editionById(site.app.db, site.edition.id))).toMatchObject({
      status: 'held',
      reason: 'the lead is wrong',
    })
    expect((await editor.approve(page())).status).toBe(303)
    expect(await status()).toBe('approved')
  })

  test('holds an edition that is being prepared', async () => {
    site.clock.advance(1000)
    await publishTitles(site, newsFeed, ['A tram', 'A ferry'])
    const id = (await compose(site.app, site.digest, site.clock.now()))?.id ?? ''
    const editor = await site.signIn('mira')
    const own = async () => await (await editor.get(`/studio/editions/${id}`)).text()
    expect(await own()).toContain('Put on hold…')
    expect((await editor.post(`/studio/editions/${id}/hold`, { reason: 'the lead is wrong' })).status).toBe(303)
    expect(await own()).toContain('The lead is wrong')
    await seal({ ...site.app, render: plainRender }, id, site.digest)
    expect(await editionById(site.app.db, id)).toMatchObject({ status: 'held', heldBy: 'mira' })
  })

  test('cancels only with a reason and a ticked box, and loses nothing typed', async () => {
    const editor = await site.signIn()
    const before = await site.rows()
    const unticked = await editor.post(`${page()}/cancellation`, { reason: 'a "typed" reason' })
    expect([unticked.status, await site.rows()]).toEqual([400, before])
    expect(await unticked.text()).toContain('value="a &quot;typed&quot; reason"')
    const silent = await editor.post(`${page()}/cancellation`, { reason: ' ', confirm: 'yes' })
    expect([silent.status, await site.rows()]).toEqual([400, before])
    expect(await silent.text()).toMatch(/name="confirm" value="yes" required checked/)
    await editor.post(`${page()}/cancellation`, {
      reason: 'too late',
      confirm: 'yes',
      seen: await editor.seen(page(), `${page()}/cancellation`),
    })
    expect(await status()).toBe('cancelled')
    const free = await site.app.db.selectFrom('ledger').selectAll().where('editionId', 'is not', null).execute()
    expect(free).toEqual([])
  })

  test('that comes too late is a conflict, changes nothing and keeps the typed text', async () => {
    const editor = await site.signIn()
    const seen = await editor.seen(page(), `${page()}/approval`)
    await site.app.db.updateTable('editions').set({ status: 'sending' }).execute()
    const before = await site.rows()
    for (const act of ['approval', 'cancellation']) {
      const answer = await editor.post(`${page()}/${act}`, { reason: 'wait a "moment"', confirm: 'yes', seen })
      expect([act, answer.status]).toEqual([act, 409])
      const html = await answer.text()
      expect(html).toContain('Nothing was changed')
      expect(html).toContain('It is sending now.')
      expect(html.includes('value="wait a &quot;moment&quot;"')).toBe(act === 'cancellation')
    }
    expect(await site.rows()).toBe(before)
  })

  test.each(['approval', 'hold', 'cancellation'])(
    '%s without the token of the form is refused and changes nothing',
    async (act) => {
      const editor = await site.signIn()
      const other = await site.signIn('omar')
      const before = await site.rows()
      const fields = { reason: 'x', confirm: 'yes' }
      for (const csrf of ['', 'wrong', other.csrf]) {
        expect((await editor.post(`${page()}/${act}`, { ...fields, csrf })).status).toBe(403)
      }
      for (const headers of [
        { 'Sec-Fetch-Site': 'cross-site' },
        { 'Sec-Fetch-Site': 'same-site' },
        { Origin: 'https://evil.example' },
      ] as Record<string, string>[]) {
        expect((await editor.post(`${page()}/${act}`, fields, headers)).status).toBe(403)
      }
      expect(await site.rows()).toBe(before)
    },
  )

  test('from our own page is accepted, with any headers that browsers send', async () => {
    const editor = await site.signIn()
    const own: Record<string, string>[] = [
      { 'Sec-Fetch-Site': 'same-origin', Origin: 'null' },
      { Origin: 'https://letters.magazine.example' },
      { Origin: 'null' },
      {},
    ]
    for (const headers of own) {
      expect((await editor.post(`${page()}/hold`, { reason: 'x' }, headers)).status).toBe(303)
      expect((await editor.approve(page(), headers)).status).toBe(303)
    }
  })

  test('about an unknown edition says so', async () => {
    const editor = await site.signIn()
    const missing = '/studio/editions/019335c0-0000-7000-8000-000000000000'
    expect((await editor.get(missing)).status).toBe(404)
    expect((await editor.post(`${missing}/approval`)).status).toBe(404)
    expect((await editor.get('/studio/editions/%00')).status).toBe(404)
  })
})

describe('the progress', () => {
  test('updates during sending, can be paused, and is still afterwards', async () => {
    const editor = await site.signIn()
    const path = `${page()}/progress`
    expect((await editor.get(path)).headers.get('Refresh')).toBeNull()
    await editor.approve(page())
    expect((await editor.get(path)).headers.get('Refresh')).toBe('2')
    expect((await editor.get(`${path}?live=no`)).headers.get('Refresh')).toBeNull()
    expect(await (await editor.get(page())).text()).not.toContain('http-equiv')
  })
})

test('the progress says what an edition is waiting for', async () => {
  const waiting = await openSite({ job: { window: '{ from: "08:00", to: "20:00" }' } })
  const editor = await waiting.signIn()
  const path = `/studio/editions/${waiting.edition.id}`
  expect(await (await editor.get(`${path}/progress`)).text()).not.toContain('Waiting for</h2>')
  await editor.approve(path)
  const response = await editor.get(`${path}/progress`)
  expect(await response.text()).toContain('The send window opens on Friday 27 November 2026 at 08:00 in Europe/London')
  expect(response.headers.get('Refresh')).toBe('30')
  await waiting.close()
})

test('pages below a path link to that path', async () => {
  const other = await openSite({
    config: { web: { ...site.app.config.web, url: 'https://magazine.example/letters' } },
  })
  const web = webApp(other.app)
  for (const path of ['/', '/letters/', '/letters']) {
    const answer = await web.request(path)
    const html = await answer.text()
    expect([path, answer.status]).toEqual([path, 200])
    expect(html).toContain('href="/letters/style.css"')
  }
  expect((await web.request('/letters/style.css')).status).toBe(200)
  const link = new URL(await makeSignInLink(other.app, 'mira')).pathname
  expect((await web.request(link, { method: 'POST' })).headers.get('location')).toBe('/letters/studio')
  expect((await web.request('/letters/studio')).status).toBe(401)
  await other.close()
})
