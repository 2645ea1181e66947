import type { Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { translationsOf } from '../../src/describe/translate.ts'
import { confirmationToken } from '../../src/mail/keys.ts'
import { leave } from '../../src/subscribers/leave.ts'
import { type Serving, serve } from '../../src/web/server.ts'
import { openBrowser } from '../support/browser.ts'
import { misfits, violations } from './layout-checks.ts'
import { openSite, type Site } from './site.ts'

let browser: Browser
let site: Site
let serving: Serving | undefined
beforeAll(async () => {
  browser = await openBrowser()
})
afterEach(async () => {
  await serving?.close()
  serving = undefined
  await site?.close()
})
afterAll(() => browser?.close())

const web = { url: 'http://127.0.0.1:3000', host: '127.0.0.1', port: 0, secret: 'a secret of at least 32 characters' }

/** The paths of the public pages of a reader who left and asked to be subscribed again, and one that does not exist. */
async function publicPaths(): Promise<string[]> {
  const { app, reader, key, edition } = site
  await leave(app, { subscriberId: reader.id, digest: 'weekly', editionId: edition.id, how: 'page' })
  await site.post(`/preferences/${key}`, new URLSearchParams({ action: 'return' }))
  const { id } = await app.db.selectFrom('confirmations').selectAll().executeTakeFirstOrThrow()
  const token = confirmationToken(app.secret, id)
  return ['/', `/leave/${key}`, `/preferences/${key}`, `/confirm/${token}`, '/leave', '/nowhere', '/leave/wrong']
}

const looks: BrowserContextOptions[] = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [1280, 375].map((width) => ({ colorScheme, viewport: { width, height: 800 } })),
)

describe.each([
  ['ar', 'rtl'],
  ['cy', 'ltr'],
  ['de', 'ltr'],
])('in the language %s', (language, direction) => {
  test('public pages have its words and direction, and axe finds nothing', async () => {
    site = await openSite({ config: { web }, job: { language } })
    site.app.config.publication.language = language
    serving = await serve(site.app)
    const paths = await publicPaths()
    for (const look of looks) {
      const page = await (await browser.newContext(look)).newPage()
      for (const path of paths) {
        await page.goto(serving.url + path)
        const root = page.locator('html')
        expect([await root.getAttribute('lang'), await root.getAttribute('dir')], path).toEqual([language, direction])
        expect(await violations(page), path).toEqual([])
        expect((await misfits(page)).tooWide, path).toBe(0)
        expect(englishIn(await page.locator('body').innerText()), path).toEqual([])
      }
      await page.context().close()
    }
  })
})

test('a page of a reader is in the language of their digest, a page for anybody in that of the publication', async () => {
  site = await openSite({ config: { web }, job: { language: 'cy' } })
  expect(await (await site.get(`/leave/${site.key}`)).text()).toContain('<html lang="cy" dir="ltr">')
  expect(await (await site.get('/nowhere')).text()).toContain('<html lang="en-GB" dir="ltr">')
})

test('a page for staff is English, whatever the language of the publication is', async () => {
  site = await openSite({ config: { web }, job: { language: 'ar' } })
  site.app.config.publication.language = 'ar'
  for (const path of ['/sign-in', '/studio', '/studio/editions/none'])
    expect(await (await site.get(path)).text(), path).toContain('<html lang="en-GB" dir="ltr">')
})

/** The texts of English pages without placeholders that the page has. */
function englishIn(text: string): string[] {
  const sources = [...translationsOf('en')].filter(([key]) => key.startsWith('page.'))
  const words = sources.flatMap(([, { before }]) =>
    typeof before[0] === 'string' && before.length === 1 ? [before[0].trim()] : [],
  )
  return words.filter((one) => one.length > 12 && text.includes(one))
}
