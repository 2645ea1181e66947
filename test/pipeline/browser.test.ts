import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ParsedMail, simpleParser } from 'mailparser'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type App, openApp } from '../../src/app.ts'
import { configSchema } from '../../src/config/config.ts'
import { startFeedServer } from '../../src/demo/feed-server.ts'
import { freePort } from '../../src/demo/listen.ts'
import { madeUpSubscribers } from '../../src/demo/made-up-subscribers.ts'
import { startMailCatcher } from '../../src/demo/mail-catcher.ts'
import { compose } from '../../src/editions/compose/compose.ts'
import { feedUrlsOf } from '../../src/editions/digest.ts'
import { seal } from '../../src/editions/seal.ts'
import { silentLog } from '../../src/log.ts'
import { refreshNow } from '../../src/pipeline/refresh-feeds.ts'
import { startSchedule } from '../../src/pipeline/schedule.ts'
import { openSender } from '../../src/pipeline/sending/sender.ts'
import { makeSignInLink } from '../../src/pipeline/sign-in/sign-in-link.ts'
import type { EditionRow } from '../../src/store/schema.ts'
import { outcomesOf } from '../../src/store/subscribers/outcomes.ts'
import { addSubscribers, subscriberByEmail, subscriptionsOf } from '../../src/store/subscribers/subscribers.ts'
import { systemClock } from '../../src/time/clock.ts'
import { serve } from '../../src/web/server.ts'
import { openBrowser } from '../support/browser.ts'
import { violations } from '../web/layout-checks.ts'

const closing: (() => Promise<unknown> | unknown)[] = []
let app: App
let browser: Browser
let edition: EditionRow
let mailDir: string
const people = madeUpSubscribers(12)

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lastword-browser-'))
  closing.push(() => rmSync(folder, { recursive: true, force: true }))
  mailDir = join(folder, 'mail')
  const magazine = await startFeedServer({ clock: systemClock })
  closing.push(magazine.close)
  const catcher = await startMailCatcher({ mailDir })
  closing.push(catcher.close)
  app = await openApp({ config: await configOf(folder, magazine.url, catcher.smtp), log: silentLog })
  closing.push(app.close)
  const serving = await serve(app)
  closing.push(serving.close)
  edition = await sealedEdition()
  const sender = await openSender(app)
  closing.push(sender.close)
  const schedule = startSchedule({ app, sender, signal: new AbortController().signal })
  closing.push(schedule.stop)
  browser = await openBrowser()
  closing.push(() => browser.close())
})

afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

describe('one edition, from the editor to the reader', () => {
  let letters: ParsedMail[] = []

  test('the editor signs in, looks at both widths and the plain text, approves, and sees it go out', async () => {
    const page = await browser.newPage()
    await page.goto(await makeSignInLink(app, 'Ada'))
    await page.getByRole('button', { name: /sign in/i }).click()
    await page
      .getByRole('link', { name: /civic ledger weekly/i })
      .first()
      .click()
    for (const [view, width] of [
      ['Desktop', 700],
      ['Phone', 375],
    ] as const) {
      await page.getByRole('link', { name: view, exact: true }).click()
      const frame = page.frameLocator('iframe').first()
      await frame.getByRole('heading', { level: 1 }).waitFor()
      const shown = await page
        .locator('iframe')
        .first()
        .evaluate((element) => element.clientWidth)
      expect(Math.abs(shown - width)).toBeLessThanOrEqual(2)
      expect(
        await frame
          .locator('body')
          .evaluate((body) => body.scrollWidth <= body.ownerDocument.documentElement.clientWidth),
      ).toBe(true)
    }
    await page.getByRole('link', { name: 'Plain text' }).click()
    await page.getByRole('button', { name: /approve and send to 12 people…/i }).click()
    await page.getByRole('button', { name: 'Approve and send to 12 people', exact: true }).click()
    expect(await page.getByRole('status').first().textContent()).toMatch(/approved/i)
    await page.frameLocator('iframe.progress').getByText('Sent to 12 people.').waitFor()
    await page.reload()
    expect(await page.locator('main').textContent()).toContain('12 accepted')
    expect(await violations(page)).toEqual([])
    letters = (await mails()).filter(({ headers }) => !headers.has('auto-submitted')) // without the notice to the editors
    expect(letters.map(addressOf).sort()).toEqual(people.map((person) => person.email).sort())
  }, 60_000)

  test('every link of the email that a reader got leads to something that works', async () => {
    const html = String(letters[0]?.html)
    const links = [
      ...new Set([...html.matchAll(/\shref="([^"]+)"/g)].map(([, href = '']) => href.replaceAll('&amp;', '&'))),
    ]
    const anchors = links.filter((link) => link.startsWith('#'))
    for (const anchor of anchors) expect(html).toContain(`id="${anchor.slice(1)}"`)
    const pages = links.filter((link) => link.startsWith('http'))
    expect(pages.length).toBeGreaterThan(25)
    for (const link of pages) expect([link, (await fetch(link)).status]).toEqual([link, 200])
    expect(links.filter((link) => !/^(#|https?:|mailto:letters@)/.test(link))).toEqual([])
    const pictures = [...html.matchAll(/\ssrc="([^"]+)"/g)].map(([, src = '']) => src)
    for (const picture of new Set(pictures)) expect([picture, (await fetch(picture)).status]).toEqual([picture, 200])
  })

  test('the email passes axe as it was received, and so do the pages that it leads to', async () => {
    const page = await browser.newPage({ viewport: { width: 375, height: 800 } })
    await page.setContent(String(letters[0]?.html))
    expect(await violations(page)).toEqual([])
    for (const name of ['leave', 'preferences']) {
      await page.goto(linkOf(letters[0], name))
      expect([name, await violations(page)]).toEqual([name, []])
    }
  })

  test('a reader leaves by the page: looking changes nothing, the button does', async () => {
    const page = await browser.newPage()
    await page.goto(linkOf(letters[1], 'leave'))
    expect(await leftAt(letters[1])).toBeNull()
    await page.getByRole('button', { name: 'Unsubscribe' }).click()
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toMatch(/You are unsubscribed/)
    expect(await leftAt(letters[1])).not.toBeNull()
  })

  test('a reader who left by mistake asks for an email on the page, and confirms by the link in it', async () => {
    const page = await browser.newPage()
    await page.goto(linkOf(letters[1], 'leave'))
    await page.getByRole('button', { name: /again/i }).click()
    await page.getByText('We are sending an email').waitFor()
    expect(await leftAt(letters[1])).not.toBeNull()
    let confirmation: ParsedMail | undefined
    const arrived = async () => {
      confirmation = (await mails()).find(({ text }) => text?.includes('/confirm/'))
      return addressOf(confirmation)
    }
    await expect.poll(arrived, { timeout: 30_000 }).toBe(addressOf(letters[1]))
    await page.goto(/http\S+\/confirm\/\S+/.exec(confirmation?.text ?? '')?.[0] ?? '')
    expect(await leftAt(letters[1])).not.toBeNull()
    await page.getByRole('button', { name: 'Subscribe again' }).click()
    await page.getByRole('heading', { name: /^Welcome back/ }).waitFor()
    expect(await leftAt(letters[1])).toBeNull()
  }, 60_000)

  test('a reader leaves by the one click of a mail program, as the headers of the message say it', async () => {
    const header = String(letters[2]?.headerLines.find((line) => line.key === 'list-unsubscribe')?.line)
    expect(letters[2]?.headerLines.find((line) => line.key === 'list-unsubscribe-post')?.line).toBe(
      'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
    )
    const [, url = ''] = /<(http[^>]+)>/.exec(header) ?? []
    const answer = await fetch(url, {
      method: 'POST',
      redirect: 'error',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'List-Unsubscribe=One-Click',
    })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('set-cookie')).toBeNull()
    expect(await leftAt(letters[2])).not.toBeNull()
    const person = await subscriberByEmail(app.db, addressOf(letters[2]))
    expect(await outcomesOf(app.db, person?.id ?? '')).toMatchObject([{ kind: 'leave', editionId: edition.id }])
  })

  function mails(): Promise<ParsedMail[]> {
    return Promise.all(readdirSync(mailDir).map((file) => simpleParser(readFileSync(join(mailDir, file)))))
  }

  async function leftAt(letter: ParsedMail | undefined) {
    const person = await subscriberByEmail(app.db, addressOf(letter))
    const [subscription] = await subscriptionsOf(app.db, person?.id ?? '')
    return subscription?.leftAt
  }
})

function addressOf(letter: ParsedMail | undefined): string {
  const to = letter?.to
  return (Array.isArray(to) ? to[0] : to)?.value[0]?.address ?? ''
}

function linkOf(letter: ParsedMail | undefined, name: string): string {
  return new RegExp(`href="(http[^"]+/${name}/[^"]+)"`).exec(String(letter?.html))?.[1] ?? ''
}

async function sealedEdition(): Promise<EditionRow> {
  const [digest] = app.digests
  if (!digest) throw new Error('no digest')
  const rows = people.map((person) => ({ ...person, emailKey: person.email.toLowerCase(), proof: 'test' }))
  await addSubscribers(app.db, digest.name, rows, app.clock.now())
  await refreshNow(app, feedUrlsOf(digest))
  const composed = await compose(app, digest, app.clock.now())
  return await seal(app, composed?.id ?? '', digest)
}

async function configOf(folder: string, magazine: string, smtp: { host: string; port: number }) {
  const job = readFileSync('fixtures/demo/jobs/civic-ledger-weekly.yml', 'utf8')
  mkdirSync(join(folder, 'jobs'))
  writeFileSync(
    join(folder, 'jobs/civic-ledger-weekly.yml'),
    job.replaceAll('http://magazine.invalid', magazine).replace('approval: auto', 'approval: required'),
  )
  const port = await freePort()
  return configSchema.parse({
    publication: {
      name: 'Civic Ledger',
      site: magazine,
      contact: 'letters@civic-ledger.example',
      address: 'Northwold',
    },
    relay: { ...smtp, security: 'none', catcher: true, returnPath: 'bounces@civic-ledger.example' },
    web: { url: `http://127.0.0.1:${port}`, port },
    store: { url: `file:${join(folder, 'lastword.db')}` },
    feeds: { allow: [new URL(magazine).host] },
    jobs: join(folder, 'jobs'),
  })
}
