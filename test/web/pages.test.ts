import { HtmlValidate } from 'html-validate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { approve } from '../../src/editions/review/approve.ts'
import { withoutKey } from '../../src/messages/message-template.ts'
import { makeSignInLink } from '../../src/pipeline/sign-in/sign-in-link.ts'
import { variantsOf } from '../../src/store/editions/variants.ts'
import { recordFailure } from '../../src/store/feeds/feed-polls.ts'
import { webApp } from '../../src/web/server.ts'
import { type Editor, openSite, type Site } from './site.ts'

const hostile = '"><img src=x onerror=alert(1)> {{title}} </title><script>alert(2)</script>'

let site: Site
let editor: Editor

beforeAll(async () => {
  site = await openSite({ titles: [hostile, `Second ${hostile}`, 'Third'] })
  editor = await site.signIn(hostile)
  await approve(site.app, site.edition.id, hostile)
  const feed = await site.app.db.selectFrom('feeds').selectAll().executeTakeFirstOrThrow()
  await recordFailure(site.app.db, feed.id, { code: 'feed-unreachable', message: hostile }, site.clock.now())
})
afterAll(() => site.close())

const publicPages = () => [
  '/',
  '/health',
  '/style.css',
  `/leave/${site.key}`,
  '/leave/',
  '/leave',
  `/preferences/${site.key}`,
  '/preferences/',
  `/editions/${site.edition.id}`,
]

const staffPages = () => [
  '/studio',
  '/studio?page=2',
  `/studio/editions/${site.edition.id}`,
  `/studio/editions/${site.edition.id}?view=phone`,
  `/studio/editions/${site.edition.id}?view=text`,
  `/studio/editions/${site.edition.id}/preview`,
  `/studio/editions/${site.edition.id}/preview?view=text`,
  `/studio/editions/${site.edition.id}/progress`,
]

const failing = () => ['/nothing', '/leave/forged', '/preferences/forged', '/editions/none', '/sign-in/none', '/studio']

describe('every page', () => {
  test('changes nothing when it is looked at, by GET or by HEAD', async () => {
    const link = new URL(await makeSignInLink(site.app, 'mira')).pathname
    const before = await site.rows()
    for (const path of [...publicPages(), ...failing(), link]) {
      await site.get(path)
      await webApp(site.app).request(path, { method: 'HEAD' })
    }
    for (const path of staffPages()) expect((await editor.get(path)).status, path).toBe(200)
    for (const act of ['stop', 'hold', 'cancellation'])
      expect((await editor.get(`/studio/editions/${site.edition.id}/${act}`)).status).toBe(404)
    expect((await editor.get('/sign-out')).status).toBe(404)
    expect(await site.rows()).toBe(before)
  })

  test('answers HEAD as GET, without a body', async () => {
    for (const path of publicPages()) {
      const head = await webApp(site.app).request(path, { method: 'HEAD' })
      expect([path, head.status, await head.text()]).toEqual([path, 200, ''])
    }
  })

  test('carries a policy without scripts, nosniff and no referrer', async () => {
    const answers = [
      ...(await Promise.all([...publicPages(), ...failing()].map((path) => site.get(path)))),
      ...(await Promise.all(staffPages().map((path) => editor.get(path)))),
      await site.post(`/leave/${site.key}x`),
      await editor.post(`/studio/editions/${site.edition.id}/approval`, { csrf: 'wrong' }),
    ]
    for (const answer of answers) {
      const policy = answer.headers.get('Content-Security-Policy') ?? ''
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("base-uri 'none'")
      expect(policy).toMatch(/frame-ancestors '(none|self)'/)
      expect(policy).not.toMatch(/script-src|'unsafe-eval'/)
      expect(answer.headers.get('X-Content-Type-Options')).toBe('nosniff')
      expect(answer.headers.get('Referrer-Policy')).toBe('no-referrer')
    }
  })

  test('may load pictures and send forms only by our own address; an email may load pictures from anywhere', async () => {
    const policyOf = async (answer: Promise<Response>) => (await answer).headers.get('Content-Security-Policy')
    const own =
      "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-src 'self'; base-uri 'none'"
    const email =
      "default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
    const edition = `/studio/editions/${site.edition.id}`
    for (const path of ['/', `/leave/${site.key}`, '/nothing', '/studio', edition])
      expect([path, await policyOf(editor.get(path))]).toEqual([path, `${own}; frame-ancestors 'none'`])
    expect(await policyOf(editor.get(`${edition}/progress`))).toBe(`${own}; frame-ancestors 'self'`)
    expect(await policyOf(site.get(`/editions/${site.edition.id}`))).toBe(`${email}; frame-ancestors 'none'`)
    for (const view of ['', '?view=text'])
      expect(await policyOf(editor.get(`${edition}/preview${view}`))).toBe(`${email}; frame-ancestors 'self'`)
  })

  test('has neither scripts nor inline styles, and escapes the text of strangers', async () => {
    const pages = [
      ...['/', `/leave/${site.key}`, `/preferences/${site.key}`].map((path) => site.get(path)),
      ...['/studio', `/studio/editions/${site.edition.id}`].map((path) => editor.get(path)),
    ]
    for (const answer of await Promise.all(pages)) {
      const html = await answer.text()
      expect(html).not.toMatch(/<script|<style|\sstyle=|<img|\son\w+="/i)
    }
    expect(await (await editor.get('/studio')).text()).toContain(
      '&lt;img src&#x3D;x onerror&#x3D;alert(1)&gt; {{title}}',
    )
  })

  test('is valid HTML, in a language and with a title', async () => {
    const rules = new HtmlValidate({ extends: ['html-validate:standard', 'html-validate:a11y'] })
    const own = (path: string) => !/health|style|preview|\/editions\/[^/]+$/.test(path) || path.startsWith('/studio/')
    for (const path of [
      ...publicPages().filter(own),
      ...failing(),
      ...staffPages().filter((one) => !/preview/.test(one)),
    ]) {
      const report = await rules.validateString(await (await editor.get(path)).text())
      expect([
        path,
        report.results.flatMap((result) => result.messages.map((it) => `${it.line}: ${it.message}`)),
      ]).toEqual([path, []])
    }
  })

  test('is not found at an unknown address, with a page that says so', async () => {
    const answer = await site.get('/wp-login.php')
    expect(answer.status).toBe(404)
    expect(await answer.text()).toContain('There is no page at this address')
  })
})

describe('an edition in the archive', () => {
  test('is the sealed bytes without a key, sandboxed, and its links work', async () => {
    const [variant] = await variantsOf(site.app.db, site.edition.id)
    const answer = await site.get(`/editions/${site.edition.id}`)
    expect(await answer.text()).toBe(withoutKey(variant?.html ?? '', variant?.slot ?? ''))
    const policy = answer.headers.get('Content-Security-Policy')
    expect(policy).toContain(
      'sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation',
    )
    expect(policy).not.toContain('allow-scripts')
  })

  test('has the same bytes in the preview, as HTML and as text', async () => {
    const [variant] = await variantsOf(site.app.db, site.edition.id)
    const html = await editor.get(`/studio/editions/${site.edition.id}/preview`)
    expect(await html.text()).toBe(withoutKey(variant?.html ?? '', variant?.slot ?? ''))
    const text = await editor.get(`/studio/editions/${site.edition.id}/preview?view=text`)
    expect(text.headers.get('Content-Type')).toMatch(/^text\/plain/)
    expect(await text.text()).toBe(withoutKey(variant?.text ?? '', variant?.slot ?? ''))
  })

  test.each(['composed', 'sealed', 'held', 'paused', 'skipped', 'cancelled'] as const)(
    'is not public while it is %s',
    async (status) => {
      const { db } = site.app
      await db.updateTable('editions').set({ status }).execute()
      expect((await site.get(`/editions/${site.edition.id}`)).status).toBe(404)
      await db.updateTable('editions').set({ status: 'approved' }).execute()
      expect((await site.get(`/editions/${site.edition.id}`)).status).toBe(200)
    },
  )

  test('is on the front page when it is sent, and not before', async () => {
    expect(await (await site.get('/')).text()).not.toContain(site.edition.id)
    await site.app.db.updateTable('editions').set({ status: 'sent' }).execute()
    expect(await (await site.get('/')).text()).toContain(`href="/editions/${site.edition.id}"`)
    await site.app.db.updateTable('editions').set({ status: 'approved' }).execute()
  })
})

describe('health', () => {
  test('is ok while the store answers, and 503 when it does not', async () => {
    const other = await openSite()
    const own = await other.signIn()
    const ok = await other.get('/health')
    expect([ok.status, await ok.json()]).toEqual([200, { status: 'ok' }])
    expect(await (await own.get('/health')).json()).toEqual({
      status: 'ok',
      sending: 'allowed',
      store: 'SQLite',
      version: '0.1.0',
    })
    await other.app.db.destroy()
    for (const broken of [await other.get('/health'), await own.get('/health')])
      expect([broken.status, await broken.json()]).toEqual([503, { status: 'not ok' }])
    const broken = await other.get(`/leave/${other.key}`)
    expect(broken.status).toBe(500)
    const page = await broken.text()
    expect(page).toMatch(/the reference [0-9a-f]{8}/)
    expect(page).not.toMatch(/driver|destroy|Error:/i)
  })
})
