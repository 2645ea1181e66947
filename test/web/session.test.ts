import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { makeSignInLink } from '../../src/pipeline/sign-in/sign-in-link.ts'
import { lettersOf } from '../../src/store/letters/letters.ts'
import { endSessions } from '../../src/store/staff/staff.ts'
import { addMs, day, hour, minute } from '../../src/time/clock.ts'
import { basePath } from '../../src/web/urls.ts'
import { type Editor, editorOf, openSite, type Site } from './site.ts'

const text = 'The tram stop moved.\r\n\r\nNobody told the baker & "her" <customers>.'
const letter = { digest: 'weekly', headline: 'Trams', text, name: 'Ada Byron', place: 'Leeds', received: '' }

let site: Site
let editor: Editor

beforeEach(async () => {
  site = await openSite()
  editor = await site.signIn('mira')
})
afterEach(() => site.close())

const kept = () => site.app.db.selectFrom('keptForms').selectAll().execute()
const letters = () => lettersOf(site.app.db, { state: 'waiting', limit: 9 })
const lastUsed = async () => (await site.app.db.selectFrom('sessions').selectAll().executeTakeFirstOrThrow()).lastUsedAt

/** The same browser, with its cookie, signs in again. Returns the redirect and the new editor. */
async function again(staff = 'mira'): Promise<{ location: string; back: Editor }> {
  const link = await makeSignInLink(site.app, staff)
  let location = ''
  const post: Site['post'] = async (path, body, headers) => {
    const answer = await site.post(path, body, { cookie: editor.cookie, ...headers })
    location = answer.headers.get('location') ?? ''
    return answer
  }
  const back = await editorOf({ get: site.get, post }, link)
  return { location, back: { ...back, post: (path, fields = {}, headers = {}) => postAs(back, path, fields, headers) } }
}

function postAs(
  { cookie, csrf }: Editor,
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string>,
) {
  return site.post(path, new URLSearchParams({ csrf, ...fields }), { cookie, ...headers })
}

/** The ids of the kept forms on the page. */
const idsIn = (html: string) => [...html.matchAll(/name="keptForm" value="([^"]+)"/g)].map(([, id = '']) => id)

describe('a session', () => {
  test('lasts while it is used, and ends twelve hours after its last use', async () => {
    for (let round = 0; round < 4; round++) {
      site.clock.advance(11 * hour)
      expect((await editor.get('/studio')).status).toBe(200)
      await vi.waitFor(async () => expect(await lastUsed()).toBe(site.clock.now()))
    }
    site.clock.advance(12 * hour)
    expect((await editor.get('/studio')).status).toBe(401)
  })

  test('ends thirty days after it began, however much it is used', async () => {
    const end = addMs(site.clock.now(), 30 * day)
    while (site.clock.now() < addMs(end, -11 * hour)) {
      site.clock.advance(11 * hour)
      expect((await editor.get('/studio')).status).toBe(200)
      await vi.waitFor(async () => expect(await lastUsed()).toBe(site.clock.now()))
    }
    site.clock.set(end)
    expect((await editor.get('/studio')).status).toBe(401)
  })

  test('is not written down again within five minutes', async () => {
    const began = await lastUsed()
    site.clock.advance(4 * minute)
    await editor.get('/studio')
    expect(await lastUsed()).toBe(began)
  })

  test('that is ended elsewhere answers the sign-in page at once', async () => {
    const other = await site.signIn('omar')
    await endSessions(site.app.db, { staff: 'mira', endedBy: 'operator', now: site.clock.now() })
    const answer = await editor.get('/studio')
    expect([answer.status, await answer.text()]).toEqual([401, expect.stringContaining('Your session has ended')])
    expect((await other.get('/studio')).status).toBe(200)
  })

  test('ends with all others and the unused links of its editor by one button, and the log says so', async () => {
    const elsewhere = await site.signIn('mira')
    const other = await site.signIn('omar')
    const link = new URL(await makeSignInLink(site.app, 'mira')).pathname
    const answer = await elsewhere.post('/sign-out-everywhere')
    expect(await answer.text()).toContain('2 sessions and 1 unused sign-in link of mira ended.')
    for (const ended of [editor, elsewhere]) expect((await ended.get('/studio')).status).toBe(401)
    expect((await site.post(link)).status).toBe(404)
    expect((await other.get('/studio')).status).toBe(200)
    expect(await site.app.db.selectFrom('sessionEnds').selectAll().execute()).toMatchObject([
      { staff: 'mira', endedBy: 'mira', at: site.clock.now(), sessions: 2, links: 1 },
    ])
  })

  test('is not ended with all others by a form without its token or from another site', async () => {
    expect((await editor.post('/sign-out-everywhere', { csrf: '' })).status).toBe(403)
    expect((await editor.post('/sign-out-everywhere', {}, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403)
    expect((await editor.get('/studio')).status).toBe(200)
  })

  test('ends when its browser signs in again', async () => {
    const { back } = await again()
    expect((await back.get('/studio')).status).toBe(200)
    expect((await editor.get('/studio')).status).toBe(401)
  })
})

describe('a form that is sent after its session has ended', () => {
  beforeEach(() => void site.clock.advance(13 * hour))

  test('changes nothing, and is shown with its text after signing in', async () => {
    const refused = await editor.post('/studio/letters', letter)
    expect([refused.status, await refused.text()]).toEqual([401, expect.stringContaining('We kept what you typed')])
    const { location, back } = await again()
    expect(location).toBe('/studio/kept-forms')
    expect(await letters()).toEqual([])
    const page = await (await back.get(location)).text()
    expect(page).toContain('action="/studio/letters"')
    expect(page).toContain(
      '>\nThe tram stop moved.\r\n\r\nNobody told the baker &amp; &quot;her&quot; &lt;customers&gt;.</textarea>',
    )
    for (const value of ['Trams', 'Ada Byron', 'Leeds', 'weekly']) expect(page).toContain(`value="${value}"`)
    expect(await letters()).toEqual([])
    const [keptForm = ''] = idsIn(page)
    expect((await back.post('/studio/letters', { ...letter, keptForm })).status).toBe(303)
    expect(await letters()).toMatchObject([{ name: 'Ada Byron', place: 'Leeds', enteredBy: 'mira' }])
    expect(await kept()).toEqual([])
  })

  test('of any other kind is kept too, and its box has to be ticked again', async () => {
    const { id } = site.edition
    const refused = await editor.post(`/studio/editions/${id}/cancellation`, {
      reason: 'a "wrong" list',
      confirm: 'yes',
    })
    expect(refused.status).toBe(401)
    const { location, back } = await again()
    const page = await (await back.get(location)).text()
    expect(page).toContain(`action="/studio/editions/${id}/cancellation"`)
    expect(page).toContain('value="a &quot;wrong&quot; list"')
    expect(page).toMatch(/type="checkbox" name="confirm" value="yes">/)
    expect((await site.app.db.selectFrom('editions').select('status').executeTakeFirstOrThrow()).status).toBe('sealed')
  })

  test('of an unknown kind is kept too: typed values are shown, values from the page are sent along', async () => {
    const fields = { introduction: 'Welcome', seen: 'sealed-3a9f', count: '120', decision: 'accept' }
    await editor.post('/studio/something-new', fields)
    const { back } = await again()
    const page = await (await back.get('/studio/kept-forms')).text()
    expect(page).toMatch(/<label for="[^"]+">Introduction<\/label>\n<input [^>]*type="text"[^>]* value="Welcome">/)
    for (const name of ['seen', 'count', 'decision'])
      expect(page).toMatch(new RegExp(`<input type="hidden" name="${name}" value="[^"]+">`))
    expect(page).toContain('A form: accept')
  })

  test('with nothing typed in it is not kept: the button is on its page', async () => {
    const refused = await editor.post(`/studio/editions/${site.edition.id}/approval`, { seal: 'a'.repeat(64) })
    expect([refused.status, await refused.text()]).toEqual([401, expect.not.stringContaining('We kept')])
    expect((await again()).location).toBe('/studio')
  })

  test('stays kept when it is sent again and refused', async () => {
    await editor.post('/studio/letters', letter)
    const { location, back } = await again()
    const [keptForm = ''] = idsIn(await (await back.get(location)).text())
    expect((await back.post('/studio/letters', { ...letter, headline: '', keptForm })).status).toBe(400)
    expect(idsIn(await (await back.get(location)).text())).toEqual([keptForm])
  })

  test('is kept without the CSRF token of its session', async () => {
    await editor.post('/studio/letters', letter)
    const [form] = await kept()
    expect(JSON.parse(form?.fields ?? '')).toEqual(letter)
  })

  test('is not kept for strangers or from another site', async () => {
    const body = (csrf: string) => new URLSearchParams({ ...letter, csrf })
    const { cookie, csrf } = editor
    const foreign: [string, Record<string, string>][] = [
      [csrf, {}],
      ['', { cookie }],
      ['guessed', { cookie }],
      [csrf, { cookie: `${cookie}x` }],
      [csrf, { cookie, 'Sec-Fetch-Site': 'same-site' }],
      [csrf, { cookie, 'Sec-Fetch-Site': 'cross-site' }],
      [csrf, { cookie, Origin: 'https://evil.example' }],
    ]
    for (const [token, headers] of foreign)
      expect((await site.post('/studio/letters', body(token), headers)).status).toBe(401)
    expect(await kept()).toEqual([])
  })

  test('is shown only in the browser that sent it, for a day', async () => {
    await editor.post('/studio/letters', letter)
    const stranger = await site.signIn('mira')
    expect(await (await stranger.get('/studio/kept-forms')).text()).not.toContain('Ada Byron')
    const { back } = await again()
    expect(await (await back.get('/studio/kept-forms')).text()).toContain('Ada Byron')
    expect((await stranger.post(`/studio/kept-forms/${(await kept())[0]?.id}/removal`)).status).toBe(303)
    expect(await kept()).toHaveLength(1)
    for (let passed = 0; passed < 2; passed++) {
      site.clock.advance(11 * hour)
      await back.get('/studio')
      await vi.waitFor(async () => expect((await newest()).lastUsedAt).toBe(site.clock.now()))
    }
    site.clock.advance(2 * hour)
    expect(await (await back.get('/studio/kept-forms')).text()).not.toContain('Ada Byron')
  })

  test('is neither shown to another editor in that browser, nor can they discard it', async () => {
    await editor.post('/studio/letters', letter)
    const { location, back } = await again('noor')
    expect(location).toBe('/studio')
    expect(await (await back.get('/studio/kept-forms')).text()).not.toContain('baker')
    const [{ id = '' } = {}] = await kept()
    await back.post(`/studio/kept-forms/${id}/removal`)
    expect(await kept()).toMatchObject([{ id, staff: 'mira' }])
  })

  test('of a session that was ended for its editor is not shown to the next one either', async () => {
    const { back: ended } = await again('mira')
    await endSessions(site.app.db, { staff: 'mira', endedBy: 'noor', now: site.clock.now() })
    expect((await ended.post('/studio/letters', letter)).status).toBe(401)
    editor = { ...editor, cookie: ended.cookie }
    const { location, back } = await again('noor')
    expect(location).toBe('/studio')
    expect(await (await back.get('/studio/kept-forms')).text()).not.toContain('baker')
    expect(await kept()).toMatchObject([{ staff: 'mira' }])
  })

  test('is replaced by newer ones of the same browser, and can be discarded', async () => {
    for (let number = 1; number <= 7; number++)
      await editor.post('/studio/letters', { ...letter, headline: `No ${number}.` })
    const { back } = await again()
    const page = await (await back.get('/studio/kept-forms')).text()
    expect([...page.matchAll(/No (\d)\./g)].map(([, number]) => number)).toEqual(['7', '6', '5', '4', '3'])
    await back.post(`/studio/kept-forms/${idsIn(page)[0]}/removal`)
    expect(await (await back.get('/studio/kept-forms')).text()).not.toContain('No 7.')
    expect(await kept()).toHaveLength(4)
  })

  const newest = () =>
    site.app.db
      .selectFrom('sessions')
      .selectAll()
      .orderBy('createdAt', 'desc')
      .orderBy('lastUsedAt', 'desc')
      .executeTakeFirstOrThrow()
})

test('a form of the earlier session is shown again when another tab has signed in since', async () => {
  const { back } = await again()
  const stale = { ...letter, csrf: editor.csrf }
  const answer = await back.post('/studio/letters', stale, { 'Sec-Fetch-Site': 'same-origin' })
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/studio/kept-forms'])
  expect(await (await back.get('/studio/kept-forms')).text()).toContain('Nobody told the baker')
  expect(await letters()).toEqual([])
  expect((await back.post('/studio/letters', stale)).status).toBe(403)
  expect((await back.post('/studio/letters', stale, { 'Sec-Fetch-Site': 'same-site' })).status).toBe(403)
})

test('a form that one editor opened and another sends is refused, and kept for the first', async () => {
  const { back } = await again('noor')
  const stale = { ...letter, csrf: editor.csrf }
  const answer = await back.post('/studio/letters', stale, { 'Sec-Fetch-Site': 'same-origin' })
  expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('mira opened this form')])
  expect(await letters()).toEqual([])
  expect(await (await back.get('/studio/kept-forms')).text()).not.toContain('baker')
  editor = back
  const { location, back: writer } = await again('mira')
  expect(location).toBe('/studio/kept-forms')
  expect(await (await writer.get(location)).text()).toContain('Nobody told the baker')
})

describe('the session cookie', () => {
  const cookieOf = async (url: string) => {
    const other = await openSite({ config: { web: { ...site.app.config.web, url } } })
    const link = new URL(await makeSignInLink(other.app, 'mira')).pathname
    const cookie = (await other.post(link)).headers.get('set-cookie') ?? ''
    const path = basePath(url)
    expect((await other.get(`${path}/studio`, { cookie: cookie.split(';')[0] ?? '' })).status).toBe(200)
    await other.close()
    return cookie.replace(/=[\w-]{43};/, ';')
  }
  const rest = 'HttpOnly; Secure; SameSite=Lax'

  test('has the path of the pages, and over http a name with the port', async () => {
    expect(await cookieOf('https://news.example')).toBe(`__Host-lastword; Max-Age=2678400; Path=/; ${rest}`)
    expect(await cookieOf('https://news.example/weekly')).toBe(
      `__Secure-lastword; Max-Age=2678400; Path=/weekly; ${rest}`,
    )
    expect(await cookieOf('http://localhost:3000')).toMatch(/^lastword-3000; .*Path=\/; HttpOnly; SameSite=Lax$/)
    expect(await cookieOf('http://localhost/weekly')).toMatch(/^lastword-80; .*Path=\/weekly; HttpOnly; SameSite=Lax$/)
  })
})
