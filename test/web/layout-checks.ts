import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

/** What axe finds wrong with the page, in words. Letters in frames have a test of their own. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))
  return page.evaluate(async () => {
    type Violation = { id: string; nodes: { html: string; failureSummary: string }[] }
    const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<{ violations: Violation[] }> } }
    const found = await axe.run({ iframes: false })
    return found.violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html + node.failureSummary).join(' ')}`,
    )
  })
}

/** How many pixels the page is wider than the window; and the controls that a thumb would miss (WCAG 2.2, 2.5.8). */
export function misfits(page: Page): Promise<{ tooWide: number; tooSmall: string[] }> {
  return page.evaluate(() => {
    const controls = [
      ...document.querySelectorAll('button, input:not([type=hidden], [type=checkbox]), summary, .tabs a'),
    ]
    const seen = controls.filter((control) => control.checkVisibility())
    return {
      tooWide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      tooSmall: seen.filter((one) => one.getBoundingClientRect().height < 44).map((one) => one.outerHTML),
    }
  })
}
