import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeSignInLink } from '../../src/pipeline/sign-in/sign-in-link.ts'
import { lettersOf } from '../../src/store/letters/letters.ts'
import { hour } from '../../src/time/clock.ts'
import { type Serving, serve } from '../../src/web/server.ts'
import { openBrowser } from '../support/browser.ts'
import { misfits, violations } from './layout-checks.ts'
import { openSite, type Site } from './site.ts'

const web = { url: 'http://127.0.0.1:3000', host: '127.0.0.1', port: 0, secret: 'a secret of at least 32 characters' }
const typed = 'Moved, and nobody was told.\n\nThe baker asks why.'

let browser: Browser
let site: Site
let serving: Serving

beforeAll(async () => {
  site = await openSite({ config: { web } })
  serving = await serve(site.app)
  browser = await openBrowser()
})
afterAll(async () => {
  await browser.close()
  await serving.close()
  await site.close()
})

const letters = () => lettersOf(site.app.db, { state: 'waiting', limit: 9 })

async function signIn(page: Page): Promise<void> {
  await page.goto(serving.url + new URL(await makeSignInLink(site.app, 'mira')).pathname)
  await page.getByRole('button', { name: 'Sign in as mira' }).click()
}

async function typeLetter(context: BrowserContext, headline: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(`${serving.url}/studio/letters`)
  await page.getByLabel('Headline').fill(headline)
  await page.getByRole('textbox', { name: 'Letter' }).fill(typed)
  await page.getByLabel('Name').fill('Ada Byron')
  return page
}

const send = (page: Page) => page.getByRole('main').locator('form.letter-form button[type=submit]').first().click()

test('a letter typed when the session ended is shown after signing in, and is sent only by its button', async () => {
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 375, height: 800 } })
  const first = await context.newPage()
  await signIn(first)
  const page = await typeLetter(context, 'The tram stop')
  site.clock.advance(13 * hour)
  await send(page)
  await page.getByText('We kept what you typed').waitFor()
  await signIn(page)
  await page.getByRole('heading', { name: 'What you typed is still here' }).waitFor()
  expect(await page.getByLabel('Headline').inputValue()).toBe('The tram stop')
  expect(await page.getByLabel('Text', { exact: true }).inputValue()).toBe(typed)
  expect(await page.getByLabel('Name').inputValue()).toBe('Ada Byron')
  expect(await letters()).toEqual([])
  await page.getByRole('button', { name: 'Submit it now' }).click()
  expect(await page.getByRole('status').textContent()).toContain('“The tram stop” is saved')
  expect(await letters()).toHaveLength(1)
  await context.close()
})

test('so is the letter of a tab that was open while another tab signed in; axe finds nothing, and the page fits', async () => {
  const context = await browser.newContext({ viewport: { width: 375, height: 800 } })
  const other = await context.newPage()
  await signIn(other)
  const page = await typeLetter(context, 'The baker')
  site.clock.advance(13 * hour)
  await signIn(other)
  await send(page)
  await page.getByRole('heading', { name: 'What you typed is still here' }).waitFor()
  expect(await page.getByLabel('Headline').inputValue()).toBe('The baker')
  expect([await violations(page), await misfits(page)]).toEqual([[], { tooWide: 0, tooSmall: [] }])
  await page.getByRole('button', { name: 'Discard it' }).click()
  await page.getByText('Nothing is left here').waitFor()
  await context.close()
})
