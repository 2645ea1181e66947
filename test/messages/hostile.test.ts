import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EditionView } from '../../src/messages/view.ts'
import { openBrowser } from '../support/browser.ts'
import { readEdition, render } from './editions.ts'

/** `fixtures/editions/hostile.json` has a trick in every text that a stranger can write. */
describe('of an edition full of tricks', () => {
  let browser: Browser
  let page: Page
  const ran: string[] = []
  const asked: string[] = []
  const view = readEdition('hostile')

  beforeAll(async () => {
    const { html } = await render(view)
    browser = await openBrowser()
    page = await browser.newPage()
    page.on('dialog', (dialog) => {
      ran.push(dialog.message())
      void dialog.dismiss()
    })
    await page.route('**/*', (route) => {
      asked.push(route.request().url())
      return route.abort()
    })
    await page.setContent(html)
  })
  afterAll(() => browser?.close())

  test('nothing runs and no handler, script, form or frame comes in', async () => {
    const strange = await page.evaluate(() => {
      const handlers = [...document.querySelectorAll('*')].flatMap((node) =>
        node.getAttributeNames().filter((name) => name.startsWith('on')),
      )
      const elements = [...document.querySelectorAll('script,iframe,form,object,embed,svg,mj-raw,mj-include,b,i')]
      return [...handlers, ...elements.map((node) => node.outerHTML)]
    })
    expect(strange).toEqual([])
    expect(ran).toEqual([])
  })

  test('every title is read exactly as it was written', async () => {
    const titles = await page.evaluate(() => [...document.querySelectorAll('a.title')].map((link) => link.textContent))
    const latest = view.sections[0]
    const written = [latest?.lead, ...(latest?.more ?? [])].map((article) => visible(article?.title ?? ''))
    expect(titles.slice(0, written.length)).toEqual(written)
  })

  test('a letter is read exactly as it was written, in HTML and in text', async () => {
    const letters = view.sections.at(-1)?.letters
    const written = letters ? [letters.first, ...letters.more] : []
    const words = written.flatMap(({ headline, paragraphs, name }) => [headline, ...paragraphs, name].map(visible))
    const shown = await page.evaluate(() =>
      [...document.querySelectorAll('[dir=auto]')].map((node) => node.textContent),
    )
    expect(shown.filter((one) => words.includes(one ?? ''))).toEqual(words)
    const text = (await render(view)).text.replace(/\s+/g, ' ')
    for (const one of words) expect(text).toContain(one)
  })

  test('alternative texts, addresses, title, preview and label keep their quotes to themselves', async () => {
    const images = await page.evaluate(() =>
      [...document.querySelectorAll('.side img')].map((img) => img.getAttribute('alt')),
    )
    const alts = view.sections[0]?.more.flatMap(({ image }) =>
      image?.url.startsWith('http') ? [visible(image.alt)] : [],
    )
    expect(images.slice(0, alts?.length)).toEqual(alts)
    const lead = await page.evaluate(() => document.querySelector('h3 a')?.getAttribute('href'))
    expect(lead).toBe(view.sections[0]?.lead?.url.replaceAll(' ', '%20'))
    expect(await page.title()).toBe(visible(view.subject))
    const label = await page.evaluate(() => document.querySelector('[role=main]')?.getAttribute('aria-label'))
    expect(label).toBe(visible(view.subject))
    const preview = await page.evaluate(() => document.body.firstElementChild?.textContent)
    expect(preview).toContain(visible(view.preheader))
  })

  test('only the elements of the template are there: as many as in the same edition with harmless words', async () => {
    const { html } = await render(harmless(view))
    const other = await browser.newPage()
    await other.setContent(html)
    const count = (one: Page) => one.evaluate(() => document.querySelectorAll('body *').length)
    expect(await count(page)).toBe(await count(other))
    await other.close()
  })

  test('no link leads anywhere but to http, https, mailto or an anchor, and no file is fetched', async () => {
    const links = await page.evaluate(() =>
      [...document.querySelectorAll('[href],[src]')].map(
        (node) => node.getAttribute('href') ?? node.getAttribute('src'),
      ),
    )
    expect(links.filter((link) => !/^(https?:\/\/|mailto:|#)/.test(link ?? ''))).toEqual([])
    expect(asked.filter((url) => !/^https:\/\/(evil\.example|images\.civicpost\.example)\//.test(url))).toEqual([])
  })

  test('no control character reaches HTML, text or subject, and the subject is one line', async () => {
    const { html, text, subject } = await render(view)
    const controls = /[^\P{Cc}\n]|\u202e|\p{Surrogate}/u
    expect(html).not.toMatch(controls)
    expect(text).not.toMatch(controls)
    expect(subject).not.toMatch(/[\r\n]/)
  })
})

/** What a browser shows of it: our own cleaning, and white space as one space. */
function visible(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\P{Cc}\s]|\u202e/gu, '')
    .replace(/\s+/g, ' ')
    .trim()
}

function harmless(view: EditionView): EditionView {
  return JSON.parse(JSON.stringify(view), (key, value) => {
    if (
      typeof value !== 'string' ||
      ['name', 'layout', 'anchor', 'language', 'brand', 'accent', 'onBrand', 'onAccent'].includes(key)
    )
      return value
    if (/^(https?|javascript|file|mailto):/.test(value))
      return value.startsWith('file') ? value : 'https://www.example.org/'
    return value && 'words'
  }) as EditionView
}
