import chromium from '@sparticuz/chromium'
import { type Browser, chromium as playwright } from 'playwright-core'

const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run']

/** A real Chromium without a window. Tests may run as root, where its sandbox cannot start. */
export async function openBrowser(): Promise<Browser> {
  return playwright.launch({
    executablePath: await chromium.executablePath(),
    headless: true,
    args: ['--no-sandbox', ...quiet],
  })
}
