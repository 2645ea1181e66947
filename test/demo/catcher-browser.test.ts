import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createTransport } from 'nodemailer'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FeedServer, startFeedServer } from '../../src/demo/feed-server.ts'
import { type MailCatcher, startMailCatcher } from '../../src/demo/mail-catcher.ts'
import { systemClock } from '../../src/time/clock.ts'
import { openBrowser } from '../support/browser.ts'

let browser: Browser
let magazine: FeedServer
let catcher: MailCatcher
let axe: string

beforeAll(async () => {
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  magazine = await startFeedServer({ clock: systemClock })
  catcher = await startMailCatcher()
  browser = await openBrowser()
  const transport = createTransport({ host: catcher.smtp.host, port: catcher.smtp.port, pool: true, maxConnections: 1 })
  for (let index = 0; index < 60; index += 1)
    await transport.sendMail({
      from: 'Civic Ledger <digest@example.org>',
      to: `reader${index}@example.org`,
      subject: 'Northwold publishes every council decision within a day',
      text: `Read it: ${magazine.url}/news/none`,
      html: `<!doctype html><html lang="en"><head><title>Edition</title></head><body><h1>Civic Ledger</h1>
        <img src="${magazine.url}/pictures/town-hall.jpg" alt="" width="300"><script>document.body.innerHTML = 'run'</script>
        <a href="${magazine.url}/focus/heat-networks-grow-up">Heat networks grow up</a></body></html>`,
      attachments: [{ filename: 'agenda.txt', content: 'one question' }],
    })
  transport.close()
})
afterAll(async () => {
  await browser?.close()
  await Promise.all([magazine?.close(), catcher?.close()])
})

const looks = [
  { width: 1200, colorScheme: 'light' },
  { width: 375, colorScheme: 'dark' },
] as const

async function inEachLook(see: (page: Page, context: BrowserContext) => Promise<void>): Promise<void> {
  for (const { width, colorScheme } of looks) {
    const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme })
    await see(await context.newPage(), context)
    await context.close()
  }
}

async function problems(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<{ violations: Violation[] }> } }
    type Violation = { id: string; nodes: { html: string }[] }
    const { violations } = await axe.run({ iframes: false })
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  })
}

async function sticksOut(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
}

const catcherPaths = [
  '/',
  '/?page=2',
  '/?to=nobody',
  '/messages/1',
  '/messages/1/phone',
  '/messages/1/text',
  '/messages/1/headers',
  '/messages/1/source',
  '/none',
]

test.each(catcherPaths)(
  'axe finds nothing on the catcher page %s, and nothing sticks out at either width',
  async (path) => {
    await inEachLook(async (page) => {
      await page.goto(catcher.url + path)
      expect(await problems(page)).toEqual([])
      expect(await sticksOut(page)).toBe(false)
    })
  },
)

const magazinePaths = [
  '/',
  '/news/harbourne-tram-extension-opens-early',
  '/last-word/procurement-is-a-craft',
  '/tv/a-day-on-the-quay',
  '/none',
]

test.each(magazinePaths)(
  'axe finds nothing on the magazine page %s, and nothing sticks out at either width',
  async (path) => {
    await inEachLook(async (page) => {
      await page.goto(magazine.url + path)
      expect(await problems(page)).toEqual([])
      expect(await sticksOut(page)).toBe(false)
    })
  },
)

test('from the list a person reaches a message by keyboard, sees its pictures, and opens its link; its script never runs', async () => {
  await inEachLook(async (page, context) => {
    await page.goto(`${catcher.url}/?to=reader7@`)
    await page.getByRole('link', { name: 'reader7@example.org' }).focus()
    await page.keyboard.press('Enter')
    await page.waitForURL('**/messages/8')
    const mail = page.frameLocator('iframe')
    await expect.poll(() => mail.locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(1200)
    expect(await mail.getByRole('heading', { name: 'Civic Ledger' }).count()).toBe(1)
    const [opened] = await Promise.all([
      context.waitForEvent('page'),
      mail.getByRole('link', { name: 'Heat networks grow up' }).click(),
    ])
    await opened.waitForURL(`${magazine.url}/focus/heat-networks-grow-up`)
    expect(await opened.getByRole('heading', { level: 1 }).textContent()).toBe('Heat networks grow up')
    await opened.waitForLoadState()
    expect(await opened.evaluate(() => getComputedStyle(document.body).fontFamily)).toContain('Georgia')
  })
})
