import { sql } from 'kysely'
import { simpleParser } from 'mailparser'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeReason } from '../../src/describe/describe.ts'
import { compose } from '../../src/editions/compose/compose.ts'
import { acceptCorrection } from '../../src/editions/corrections/decide.ts'
import { detectInFeeds } from '../../src/editions/corrections/detect.ts'
import { createLetter } from '../../src/editions/letters/letters.ts'
import { approve } from '../../src/editions/review/approve.ts'
import { seal } from '../../src/editions/seal.ts'
import type { RefreshResult } from '../../src/feeds/refresh.ts'
import { compileMessage, rawMessage } from '../../src/mail/mime.ts'
import { toMessageTemplate } from '../../src/messages/message-template.ts'
import { refreshNow } from '../../src/pipeline/refresh-feeds.ts'
import { makeSignInLink } from '../../src/pipeline/sign-in/sign-in-link.ts'
import { correctionsIn, waitingCorrections } from '../../src/store/corrections/corrections.ts'
import { choicesOf } from '../../src/store/editions/choices.ts'
import { variantsOf } from '../../src/store/editions/variants.ts'
import type { EditionRow, VariantRow } from '../../src/store/schema.ts'
import { day } from '../../src/time/clock.ts'
import { webApp } from '../../src/web/server.ts'
import { openBrowser } from '../support/browser.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { guids, startHostileFeeds, tricks } from '../support/hostile/feeds.ts'
import { sameKeys } from '../support/keys.ts'
import { openWorld, type World } from '../support/world.ts'
import { editorOf } from '../web/site.ts'

const good = ['/tricks.rss', '/tricks.atom', '/tricks.json', '/links.rss', '/bomb', '/entity', '/guids.json']
const bad = ['/nested', '/metadata', '/inside', '/login', '/silence', '/large', '/drip']
/** What the studio says of those that are too much, and of entries that are no articles. */
const turnedDown = [
  '195000 more entries than the 5000 that are read at once',
  'more than 20000000 bytes',
  'gave no complete answer within 2 s',
  '(javascript:alert("ran")): its link is not an address of the web',
]
const closing: (() => Promise<unknown> | unknown)[] = []
let feeds: Awaited<ReturnType<typeof startHostileFeeds>>
let world: World
let report: RefreshResult[]
let edition: EditionRow
let variant: VariantRow
/** The next edition, with a correction of every article that edition one has. */
let next: EditionRow
let corrected: VariantRow
let browser: Browser

onBothEngines('feeds', (freshUrl) => {
  /** Real feeds over real HTTP, the real renderer, a sealed edition: what a stranger can do he does here. */
  beforeAll(async () => {
    feeds = await startHostileFeeds()
    closing.push(feeds.close)
    const storeUrl = await freshUrl()
    const list = [...good, ...bad].map((path) => feeds.url + path).join(', ')
    const sections = `\n  - { name: latest, title: Latest, layout: latest, feeds: [${list}], maximum: 100, body: full }
  - { name: many, title: Many, layout: latest, feeds: [${feeds.url}/many], maximum: 1 }
  - { name: say, title: Have your say, layout: have-your-say, maximum: 100 }`
    const limits = { allow: ['127.0.0.1'], timeout: 2, maximumBytes: 20_000_000, alertAfter: '24h' }
    world = await openWorld({ storeUrl, job: { sections, subject: '"{lead}"' }, config: { feeds: limits } })
    closing.push(world.close)
    const { app, digest, clock } = world
    report = await refreshNow(
      app,
      digest.sections.flatMap(({ feeds: urls }) => urls),
    )
    for (const [word, trick] of tricks) {
      const part = (size: number) => `${word}-letter ${trick}`.slice(0, size)
      const text = `${part(4000)}\n\n👩🏽‍🚀 ${part(3000)}`
      const letter = { headline: part(150), text, name: part(100), place: part(100), received: '' }
      expect(await createLetter(app, digest, letter, part(100))).toEqual({ id: expect.any(String) })
    }
    const composed = await compose(app, digest, clock.now())
    if (!composed) throw new Error('nothing composed')
    edition = await seal(app, composed.id, digest)
    await approve(app, edition.id, 'Ada')
    variant = (await variantsOf(app.db, edition.id))[0] as VariantRow
    await correctEverything()
    browser = await openBrowser()
    closing.push(() => browser.close())
  }, 120_000)

  afterAll(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })

  describe('of feeds that mean harm', () => {
    test('those that are none are turned down, each with its reason', () => {
      const reasons = Object.fromEntries(
        report.flatMap((feed) =>
          feed.kind === 'failed' ? [[feed.url.replace(feeds.url, ''), describeReason(feed.reason)]] : [],
        ),
      )
      expect(Object.keys(reasons).sort()).toEqual(bad.toSorted())
      expect(reasons['/nested']).toContain('nested more than 100 deep')
      expect(reasons['/metadata']).toContain('169.254.169.254')
      expect(reasons['/inside']).toContain('this machine itself')
      expect(reasons['/login']).toContain('web page')
      expect(reasons['/silence']).toMatch(/no complete answer within 2 s|did not answer in time/) // whichever clock is first
      expect(reasons['/drip']).toContain('no complete answer within 2 s')
      expect(reasons['/large']).toContain('more than 20000000 bytes')
      expect(feeds.asked).not.toContain('/secret')
    })

    test('the others are read: every trick is in the edition, and what it stands beside is there as text', async () => {
      const choices = (await choicesOf(world.app.db, edition.id)).filter(({ kind }) => kind === 'article')
      const titles = choices.map(({ title }) => title)
      for (const [word] of tricks) expect(titles.filter((title) => title.includes(word))).toHaveLength(3)
      expect(titles.filter((title) => title.startsWith('Guid ')).sort()).toEqual(
        guids.map((_, index) => `Guid ${index}`),
      )
      expect(titles).toContain('Bomb &l9;')
      expect(titles).toContain('Willow 0 {{> footer}}') // the first of 200,000
      expect(titles.filter((title) => title.startsWith('Entity '))).toEqual(['Entity &x;'])
      expect(titles.filter((title) => title.startsWith('Address ')).sort()).toEqual(
        [12, 13, 5, 6].map((index) => `Address ${index}`),
      )
      expect(variant.html + variant.text).not.toMatch(/root:|lollol/)
    })
  })

  describe('what anybody gets to see of them', () => {
    test('the email, as its reader opens it', async () => {
      const copy = {
        email: 'mira@readers.example',
        name: 'Mira',
        keys: sameKeys('k'.repeat(20)),
        date: world.clock.now(),
      }
      const raw = rawMessage(compileMessage(toMessageTemplate('secret', edition, variant))(copy))
      const mail = await simpleParser(raw)
      expect(mail.headerLines.filter(({ key }) => key === 'subject')).toHaveLength(1)
      const page = await openHarmlessly(async () => new Response(String(mail.html), html))
      await page.view('https://reader.example/')
      const shown = await page.tab.locator('body').textContent()
      for (const [word] of tricks) {
        expect(shown).toContain(word)
        expect(shown?.split(`${word}-letter `).length).toBeGreaterThanOrEqual(1 + 5) // headline, two paragraphs, name and place
      }
      expect(shown).toContain('{{constructor.constructor "alert(1)"}}')
      expect(shown).toContain('<mj-include path="/etc/passwd" />')
      expect(shown).toContain('Willow 0 {{> footer}}')
      expect(String(mail.text)).toContain('{{> footer}}')
      for (const [word] of tricks) {
        for (const part of [shown, String(mail.text)]) expect(part).toMatch(new RegExp(`${word}(bark|stone)`)) // one of those that tell one story
      }
      const links = await page.tab.getByRole('link', { name: 'Unsubscribe' }).count()
      expect([links, await page.tab.locator('.body:not(td *)').count()]).toEqual([1, 0])
      await expectHarmless(page)
    })

    test('the email with their corrections', async () => {
      const prints = await correctionsIn(world.app.db, next.id)
      expect(prints.length).toBeGreaterThan(10)
      const copy = {
        email: 'mira@readers.example',
        name: 'Mira',
        keys: sameKeys('k'.repeat(20)),
        date: world.clock.now(),
      }
      const mail = await simpleParser(rawMessage(compileMessage(toMessageTemplate('secret', next, corrected))(copy)))
      const page = await openHarmlessly(async () => new Response(String(mail.html), html))
      await page.view('https://reader.example/')
      expect(await page.tab.getByText('We wrote: “').count()).toBe(prints.length)
      await expectHarmless(page)
    })

    test('the page of the archive', async () => {
      const page = await openHarmlessly((path) => webApp(world.app).request(path))
      await page.view(`https://letters.example/editions/${edition.id}`)
      const shown = await page.tab.locator('body').textContent()
      for (const words of ['Alder', 'Willow 0 {{> footer}}']) expect(shown).toContain(words)
      expect(await page.tab.getByText('We wrote: “').count()).toBeGreaterThan(10)
      await expectHarmless(page)
    })

    test.each([
      ['/studio', ['The Weekly', ...turnedDown]],
      ['/studio/editions/:id', ['Larch', 'Willow 0 {{> footer}}']],
      ['/studio?page=1', ['The headline now reads']],
      ['/studio/letters', ['Larch-letter']],
      ['/studio/editions/:id', ['Larch-letter']],
      ['/studio/editions/:id/preview', ['Larch']],
    ])('%s', async (path, words) => {
      const web = webApp(world.app)
      const get = async (address: string, headers = {}) => web.request(address, { headers })
      const post = async (address: string, body: BodyInit = '', headers = {}) =>
        web.request(address, { method: 'POST', body, headers } as RequestInit)
      const editor = await editorOf({ get, post }, await makeSignInLink(world.app, 'mira'))
      const page = await openHarmlessly(editor.get)
      await page.view(`https://letters.example${path.replace(':id', edition.id)}`)
      const shown = await page.tab.locator('body').textContent()
      for (const one of words) expect(shown).toContain(one)
      await expectHarmless(page)
    })
  })
})

/** Every headline and note is hostile; half of them an editor accepts as they are. */
async function correctEverything(): Promise<void> {
  const { app, digest, clock } = world
  await app.db
    .updateTable('articles')
    .set((eb) => ({ title: sql<string>`${eb.ref('title')} || ', or not'` }))
    .execute()
  await detectInFeeds(app, app.digests)
  const proposed = await waitingCorrections(app.db)
  for (const { id } of proposed.slice(0, proposed.length / 2)) await acceptCorrection(app, id, 'Ada')
  clock.advance(7 * day)
  const minimal = { ...digest, thin: { ...digest.thin, minimum: 0 } }
  const composed = await compose(app, minimal, clock.now())
  next = await seal(app, composed?.id ?? '', minimal)
  corrected = (await variantsOf(app.db, next.id))[0] as VariantRow
}

const html = { headers: { 'content-type': 'text/html; charset=utf-8' } }

type Watched = { tab: Page; ran: string[]; asked: string[]; view(url: string): Promise<void> }

/** A browser that runs whatever it is given, without the policies that would stop it: the page alone must be harmless. */
async function openHarmlessly(answer: (path: string) => Promise<Response> | Response): Promise<Watched> {
  const tab = await browser.newPage()
  const [ran, asked]: string[][] = [[], []] as [string[], string[]]
  tab.on('dialog', (dialog) => {
    ran?.push(dialog.message())
    void dialog.dismiss()
  })
  let own = ''
  await tab.route('**/*', async (route) => {
    const url = new URL(route.request().url())
    if (url.origin !== own) {
      asked?.push(`${route.request().resourceType()} ${url.href}`)
      return route.abort()
    }
    const response = await answer(url.pathname + url.search)
    const contentType = response.headers.get('content-type') ?? ''
    return route.fulfill({ status: response.status, contentType, body: await response.text() })
  })
  return {
    tab,
    ran: ran ?? [],
    asked: asked ?? [],
    async view(url) {
      own = new URL(url).origin
      await tab.goto(url, { waitUntil: 'load' })
    },
  }
}

async function expectHarmless({ tab, ran, asked }: Watched): Promise<void> {
  for (const frame of tab.frames()) {
    const strange = await frame.evaluate(() => {
      const found: string[] = []
      for (const node of document.querySelectorAll('*')) {
        if (/^(script|object|embed|base|svg|applet|mj-.*|animate)$/i.test(node.tagName)) {
          if (!(node.tagName === 'SCRIPT' && node.getAttribute('src')?.startsWith('/'))) found.push(node.outerHTML)
        }
        if (node.matches('meta[http-equiv=refresh i]')) found.push(node.outerHTML)
        for (const { name, value } of node.attributes) {
          const address = ['href', 'src', 'action', 'formaction', 'background', 'data', 'srcset'].includes(name)
          const plain = [...value].filter((character) => character > ' ').join('')
          if (name.startsWith('on') || name === 'srcdoc') found.push(`${name}=${value}`)
          if (address && /^(javascript|vbscript|data:.|file|blob|view-source):?/i.test(plain) && plain !== 'data:,')
            found.push(`${name}=${value}`)
        }
      }
      return found
    })
    expect(strange).toEqual([])
  }
  expect(ran).toEqual([])
  expect(asked.filter((request) => !/^image https?:\/\/(evil\.example|127\.0\.0\.1:\d+)\//.test(request))).toEqual([])
  await tab.close()
}
