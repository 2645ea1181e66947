import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isolatesAsElements } from '../../src/messages/language/isolate-view.ts'
import { isolate, withoutOuterIsolate } from '../../src/text/direction.ts'
import { openBrowser } from '../support/browser.ts'
import { violations } from '../web/layout-checks.ts'
import { render } from './editions.ts'
import { languageEdition, languageNames } from './language-editions.ts'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser?.close())

describe('an isolate', () => {
  test('encloses a text with characters of the other direction, once', () => {
    expect([isolate('שלום', 'ltr'), isolate('Ada', 'rtl')]).toEqual(['\u2068שלום\u2069', '\u2068Ada\u2069'])
    expect([isolate('Ada', 'ltr'), isolate('12:30', 'rtl'), isolate('سلام', 'rtl')]).toEqual(['Ada', '12:30', 'سلام'])
    expect(isolate(isolate('Ada', 'rtl'), 'rtl')).toBe('\u2068Ada\u2069')
    expect(isolate('The word שלום', 'ltr')).toBe('\u2068The word שלום\u2069')
  })

  test('is left out where it would enclose everything', () => {
    expect(withoutOuterIsolate('\u2068שלום\u2069')).toBe('שלום')
    expect(withoutOuterIsolate('\u2068ש\u2069 · \u2068ל\u2069')).toBe('\u2068ש\u2069 · \u2068ל\u2069')
  })

  test('is an element between tags, and a character where no element can be', () => {
    const html =
      '<title>\u2068a\u2069</title><style>/*\u2068*/</style><!--\u2068a\u2069--><p title="\u2068a\u2069">\u2068a\u2069</p>'
    expect(isolatesAsElements(html)).toBe(html.replace('>\u2068a\u2069</p>', '><span dir="auto">a</span></p>'))
    expect(isolatesAsElements('<p dir="auto" style="">\u2068a\u2069</p>')).toBe('<p dir="auto" style="">a</p>')
  })
})

describe('an edition of one direction with texts of the other', () => {
  test('has them isolated in subject, HTML and text, and no others', async () => {
    const { subject, html, text } = await render(languageEdition('en'))
    expect(subject).toBe('Weekly Lamp 31: \u2068הרכבת הקלה חוזרת לנמל (2026)\u2069')
    expect(text).toContain('\u2068נעמי לוי\u2069 · \u2068העיתון\u2069 · ')
    expect(text).toContain('\u2068The word שלום on every door\u2069\n')
    expect(text).toContain('We wrote: “\u2068בית החולים נסגר\u2069”')
    expect(text).not.toContain('\u2068A library')
    expect(html).toContain('<span dir="auto">נעמי לוי</span> · <span dir="auto">העיתון</span> · ')
    expect(html.replace(/<title>.*<\/title>/, '')).not.toMatch(/>[^<]*[\u2066-\u2069]/)
  })

  test('has no isolate where the whole subject is one text', async () => {
    expect((await render(languageEdition('en', { subject: '{lead}' }))).subject).toBe('הרכבת הקלה חוזרת לנמל (2026)')
  })

  test('shows a byline in its order: the date follows the author', async () => {
    const page = await show((await render(languageEdition('en'))).html, 600)
    const [author = 0, date = 0] = await leftEdges(page, ['נעמי לוי', '24'])
    expect(author).toBeLessThan(date)
    await page.close()
  })

  test('keeps a bracket and a full stop with the text that they belong to', async () => {
    const page = await show((await render(languageEdition('en'))).html, 600)
    const [bracket = 0, word = 0] = await leftEdges(page, [')', 'הרכבת'], 'h3')
    expect(bracket).toBeLessThan(word)
    await page.close()
  })
})

describe('the edition', () => {
  for (const scheme of ['light', 'dark'] as const)
    test.each(languageNames)(`%s leaves axe nothing to find and never scrolls sideways, ${scheme}`, async (name) => {
      const { html } = await render(languageEdition(name))
      for (const width of [375, 600]) {
        const page = await show(html, width, scheme)
        expect(await violations(page)).toEqual([])
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
        await page.close()
      }
    })
})

async function show(html: string, width: number, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
  await page.route('**/*', (route) => route.abort())
  await page.setContent(html)
  return page
}

/** The left edge of the first text in `selector` that contains each of the parts, all in the element of the first one. */
function leftEdges(page: Page, parts: string[], selector = 'p'): Promise<number[]> {
  return page.evaluate(
    ({ parts, selector }) => {
      const element = [...document.querySelectorAll(selector)].find((one) =>
        parts.every((part) => one.textContent?.includes(part)),
      )
      const texts = document.createTreeWalker(element ?? document.body, NodeFilter.SHOW_TEXT)
      const edges = new Map<string, number>()
      while (texts.nextNode()) {
        for (const part of parts) {
          const at = texts.currentNode.textContent?.indexOf(part) ?? -1
          if (at < 0 || edges.has(part)) continue
          const range = document.createRange()
          range.setStart(texts.currentNode, at)
          range.setEnd(texts.currentNode, at + part.length)
          edges.set(part, range.getBoundingClientRect().left)
        }
      }
      return parts.map((part) => edges.get(part) ?? Number.NaN)
    },
    { parts, selector },
  )
}
