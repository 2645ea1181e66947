import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBrowser } from '../support/browser.ts'
import { names, readEdition, render } from './editions.ts'

const pixel = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser?.close())

describe('in a browser the digest', () => {
  for (const scheme of ['light', 'dark'] as const) {
    test.each(names)(`leaves axe nothing to find in the %s edition, ${scheme}`, async (name) => {
      const page = await show((await render(readEdition(name))).html, { scheme })
      expect(await findings(page)).toEqual([])
      await page.close()
    })

    test(`is legible in colours that are not, ${scheme}`, async () => {
      const view = readEdition('full')
      const colours = { brand: '#ffffff', accent: '#ffff00', onBrand: '#ffffff', onAccent: '#ffffff' }
      const { html } = await render({ ...view, publication: { ...view.publication, colours } })
      const page = await show(html, { scheme })
      expect(await findings(page)).toEqual([])
      await page.close()
    })
  }

  test.each(names)('never scrolls sideways, on a phone or on a desktop, in the %s edition', async (name) => {
    const { html } = await render(readEdition(name))
    for (const width of [320, 375, 600, 1200]) {
      const page = await show(html, { width })
      expect(await page.evaluate(() => document.documentElement.scrollWidth), `at ${width}`).toBe(width)
      await page.close()
    }
  })

  test('has one h1, and no heading skips a level', async () => {
    for (const name of names) {
      const page = await show((await render(readEdition(name))).html)
      const levels = await page.evaluate(() =>
        [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map((h) => Number(h.tagName[1])),
      )
      expect(levels[0]).toBe(1)
      expect(levels.filter((level) => level === 1)).toHaveLength(1)
      expect(levels.filter((level, at) => level > (levels[at - 1] ?? 0) + 1)).toEqual([])
      await page.close()
    }
  })

  test('leads from the table of contents to every section', async () => {
    const view = readEdition('full')
    const page = await show((await render(view)).html)
    const anchors = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLAnchorElement>('a[href^="#"]')].map(
        (a) => document.querySelector(a.hash)?.textContent,
      ),
    )
    expect(anchors).toEqual(view.sections.map(({ title }) => title))
    await page.close()
  })

  test('shows the lead wide and the others with a small picture beside the text', async () => {
    const { html } = await render(readEdition('full'))
    for (const { width, lead, side } of [
      { width: 600, lead: 536, side: 160 },
      { width: 375, lead: 335, side: 96 },
    ]) {
      const page = await show(html, { width })
      expect((await box(page, '.wide img')).width).toBe(lead)
      const picture = await box(page, '.side img')
      const headline = await box(page, 'tr:has(> .side) h3')
      expect(picture.width).toBe(side)
      expect(headline.x + headline.width).toBeLessThan(picture.x)
      await page.close()
    }
  })

  test('shows the portrait round, beside the quote at 600 and above it at 375', async () => {
    const { html } = await render(readEdition('full'))
    const wide = await show(html, { width: 600 })
    const [face, quote] = [await box(wide, '.face img'), await box(wide, '.quote')]
    expect(face).toMatchObject({ width: 112, height: 112 })
    expect(quote.x).toBeGreaterThan(face.x + face.width)
    await wide.close()
    const narrow = await show(html, { width: 375 })
    const [above, below] = [await box(narrow, '.face img'), await box(narrow, '.quote')]
    expect(above).toMatchObject({ width: 112, height: 112 })
    expect(below.y).toBeGreaterThan(above.y + above.height)
    await narrow.close()
  })

  test('keeps its layout, its badge and what a picture shows when pictures are blocked', async () => {
    const { html } = await render(readEdition('full'))
    const [shown, blocked] = [await show(html, { width: 375 }), await show(html, { width: 375, pictures: false })]
    const heights = await Promise.all([shown, blocked].map((page) => page.evaluate(() => document.body.scrollHeight)))
    expect(heights[1]).toBe(heights[0])
    expect(await blocked.getByRole('link', { name: '▶ Watch · 4:05: Inside the room' }).isVisible()).toBe(true)
    expect(await blocked.getByAltText('A fire engine leaves a village station').first().isVisible()).toBe(true)
    await Promise.all([shown.close(), blocked.close()])
  })

  test('turns dark where the reader wants it dark', async () => {
    const { html } = await render(readEdition('full'))
    const [light, dark] = [await show(html), await show(html, { scheme: 'dark' })]
    const ground = (page: Page) =>
      page
        .locator('.paper > table')
        .first()
        .evaluate((table) => getComputedStyle(table).backgroundColor)
    expect(await ground(light)).toBe('rgb(255, 255, 255)')
    expect(await ground(dark)).toBe('rgb(27, 30, 33)')
    await Promise.all([light.close(), dark.close()])
  })

  test('has links in a text that can be told from it, in light and in dark', async () => {
    const { html } = await render(readEdition('whole'))
    for (const scheme of ['light', 'dark'] as const) {
      const page = await show(html, { scheme })
      const look = (selector: string) =>
        page
          .locator(selector)
          .first()
          .evaluate((node) => [getComputedStyle(node).color, getComputedStyle(node).textDecorationLine])
      const [words, link] = [await look('.body p'), await look('.body p a')]
      expect(link[1]).toBe('underline')
      expect(link[0]).not.toBe(words[0])
      expect(words[0]).toBe(scheme === 'dark' ? 'rgb(240, 238, 233)' : 'rgb(29, 31, 33)')
      await page.close()
    }
  })

  test('keeps the masthead out of the line that an inbox shows', async () => {
    const page = await show((await render(readEdition('full'))).html)
    const words = await page.evaluate(() => document.body.textContent?.replace(/\s+/g, ' ').trim().slice(0, 200))
    expect(words).toMatch(/^Also: digital identity/)
    expect(words).not.toContain('View in browser')
    await page.close()
  })
})

type Viewing = { width?: number; scheme?: 'light' | 'dark'; pictures?: boolean }

async function show(html: string, { width = 600, scheme = 'light', pictures = true }: Viewing = {}): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme })
  await page.route('**/*', (route) =>
    pictures ? route.fulfill({ contentType: 'image/gif', body: pixel }) : route.abort(),
  )
  await page.setContent(html)
  return page
}

async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  return page.evaluate(async () => {
    const { violations } = await (window as unknown as { axe: typeof axe }).axe.run()
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    )
  })
}

async function box(page: Page, selector: string) {
  const found = await page.locator(selector).first().boundingBox()
  if (!found) throw new Error(`${selector} is not to be seen`)
  return found
}
