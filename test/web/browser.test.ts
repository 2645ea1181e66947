import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resumeAllSending, stopAllSending } from '../../src/deliveries/sending-stop.ts'
import { acceptCorrection } from '../../src/editions/corrections/decide.ts'
import { detectInFeeds } from '../../src/editions/corrections/detect.ts'
import { createLetter, editLetter } from '../../src/editions/letters/letters.ts'
import { restoreArticle, retractArticle } from '../../src/editions/retract.ts'
import { approve } from '../../src/editions/review/approve.ts'
import { hold } from '../../src/editions/review/pause.ts'
import { confirmationToken } from '../../src/mail/keys.ts'
import { makeSignInLink } from '../../src/pipeline/sign-in/sign-in-link.ts'
import { waitingCorrections } from '../../src/store/corrections/corrections.ts'
import { freezePage } from '../../src/store/deliveries/audience.ts'
import { choicesOf } from '../../src/store/editions/choices.ts'
import { recordFailure } from '../../src/store/feeds/feed-polls.ts'
import { leave } from '../../src/subscribers/leave.ts'
import { hour } from '../../src/time/clock.ts'
import { type Serving, serve } from '../../src/web/server.ts'
import { openBrowser } from '../support/browser.ts'
import { misfits, violations } from './layout-checks.ts'
import { openSite, type Site, titles } from './site.ts'

let browser: Browser
let site: Site
let serving: Serving
let letterPage: string

const web = { url: 'http://127.0.0.1:3000', host: '127.0.0.1', port: 0, secret: 'a secret of at least 32 characters' }

beforeAll(async () => {
  site = await openSite({ config: { web }, rendered: true, job: { approval: 'required' } })
  const feed = await site.app.db.selectFrom('feeds').selectAll().executeTakeFirstOrThrow()
  await recordFailure(
    site.app.db,
    feed.id,
    { code: 'feed-status', status: 503, message: '503 Service Unavailable' },
    site.clock.now(),
  )
  await findOneToCorrect()
  const letter = {
    headline: 'w'.repeat(150),
    text: 'One.\n\nTwo.',
    name: 'مدينة',
    place: '🎈'.repeat(100),
    received: '',
  }
  const printed = await createLetter(site.app, site.digest, letter, 'mira')
  letterPage = `/studio/letters/${'id' in printed ? printed.id : ''}`
  serving = await serve(site.app)
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await serving?.close()
  await site?.close()
})

/** Two headlines changed since: one correction waits for an editor, one for the next edition, and for the archive. */
async function findOneToCorrect(): Promise<void> {
  await approve(site.app, site.edition.id, 'mira')
  for (const title of titles.slice(0, 2))
    await site.app.db
      .updateTable('articles')
      .set({ title: `${title}, or not` })
      .where('title', '=', title)
      .execute()
  await detectInFeeds(site.app, site.app.digests)
  const [one] = await waitingCorrections(site.app.db)
  await acceptCorrection(site.app, one?.id ?? '', 'mira', 'It did not.')
  await become('sealed')
}

const looks: BrowserContextOptions[] = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [1200, 375].map((width) => ({ colorScheme, viewport: { width, height: 800 } })),
)

async function signedIn(look: BrowserContextOptions = {}): Promise<Page> {
  const page = await (await browser.newContext(look)).newPage()
  await page.goto(serving.url + new URL(await makeSignInLink(site.app, 'mira@example.org')).pathname)
  await page.getByRole('button', { name: 'Sign in as mira@example.org' }).click()
  return page
}

const become = (status: 'sealed' | 'approved' | 'sending' | 'sent' | 'held') =>
  site.app.db
    .updateTable('editions')
    .set({ status, approvedAt: isOut(status) ? site.clock.now() : null })
    .execute()
const isOut = (status: string) => status === 'approved' || status === 'sending' || status === 'sent'

const leadOfEdition = async () => (await choicesOf(site.app.db, site.edition.id))[0] ?? { title: '', url: '' }

const studioPage = () => `/studio/editions/${site.edition.id}`

describe.each(looks)('axe finds nothing and the page fits the window ($colorScheme, $viewport.width px)', (look) => {
  const check = async (page: Page, paths: string[]) => {
    for (const path of paths) {
      await page.goto(serving.url + path)
      expect([path, await violations(page), await misfits(page)]).toEqual([path, [], { tooWide: 0, tooSmall: [] }])
    }
    await page.context().close()
  }

  test('on the public pages', async () => {
    const page = await (await browser.newContext(look)).newPage()
    await become('sent')
    await check(page, ['/', `/leave/${site.key}`, '/leave/', `/preferences/${site.key}`, '/leave/x', '/studio'])
  })

  test('in the archive, with a note of a correction above the edition', async () => {
    await become('sent')
    const page = await (await browser.newContext(look)).newPage() // the page itself lets no script run
    await page.setContent(await (await site.get(`/editions/${site.edition.id}`)).text())
    expect(await page.getByRole('complementary', { name: 'Corrections' }).isVisible()).toBe(true)
    expect([await violations(page), await misfits(page)]).toEqual([[], { tooWide: 0, tooSmall: [] }])
    await page.context().close()
  })

  test('in the studio, before an edition is sent and during sending', async () => {
    await become('sealed')
    const paths = [
      '/studio',
      '/studio/letters',
      letterPage,
      ...['', '?view=phone', '?view=text'].map((view) => studioPage() + view),
    ]
    await check(await signedIn(look), [...paths, `${studioPage()}/approval`])
    await become('sending')
    await check(await signedIn(look), [studioPage(), `${studioPage()}/progress`])
  })

  test('in the studio, with every form open by which an editor changes an edition', async () => {
    await become('sealed')
    await site.app.db.updateTable('editions').set({ approvedAt: null, audienceAt: null }).execute()
    const page = await signedIn(look)
    await page.goto(serving.url + studioPage())
    const summaries = page.locator('summary', {
      hasText: /summary…|Keep in this edition…|Leave out of this edition…|Introduction…|Subject…/,
    })
    expect(await summaries.count()).toBeGreaterThan(5)
    for (const summary of await summaries.all()) await summary.press('Enter')
    await page.getByLabel('Summary').first().waitFor()
    expect([await violations(page), await misfits(page)]).toEqual([[], { tooWide: 0, tooSmall: [] }])
    await page.context().close()
  })

  test('in the studio, with a paused edition, a retracted article and all sending stopped', async () => {
    await become('sending')
    const { url } = await leadOfEdition()
    await retractArticle(site.app, url, { who: 'mira@example.org', reason: 'the minister did not resign' })
    await stopAllSending(site.app, { who: 'mira@example.org', reason: 'the list of another publication was imported' })
    const page = await signedIn(look)
    await page.goto(serving.url + studioPage())
    expect(await page.getByRole('region', { name: 'Emergency stop' }).isVisible()).toBe(true)
    await check(page, ['/studio', studioPage()])
    await resumeAllSending(site.app, 'mira@example.org')
    await restoreArticle(site.app, url, 'mira@example.org')
  })
})

test('an editor signs in, looks at both widths, types a reason, and approves, without any script', async () => {
  await become('sealed')
  const page = await signedIn({ javaScriptEnabled: false })
  await page.getByRole('link', { name: 'Review The Weekly 1 and decide' }).click()
  expect((await page.frameLocator('iframe').locator('body').boundingBox())?.width).toBe(700)
  await page.getByRole('link', { name: 'Phone' }).click()
  expect((await page.frameLocator('iframe').locator('body').boundingBox())?.width).toBe(375)
  expect(await page.frameLocator('iframe').getByText('Trams return to the harbour').count()).toBeGreaterThan(0)
  await page.getByText('Put on hold…').click()
  await page.getByLabel('Why').first().fill('the lead is wrong')
  await page.getByRole('button', { name: 'Put on hold' }).click()
  expect(await page.getByRole('status').textContent()).toContain('You put it on hold: “the lead is wrong”.')
  await page.getByRole('button', { name: 'Approve and send to 3 people…' }).click()
  await page.getByRole('heading', { name: 'Approve The Weekly 1?' }).waitFor()
  await page.getByRole('button', { name: 'Approve and send to 3 people' }).click()
  expect(await page.getByRole('status').textContent()).toContain('You approved it.')
  await page.context().close()
})

test('an editor pauses, removes an article, puts it back, resumes, and stops all sending, without any script', async () => {
  await become('sending')
  const page = await signedIn({ javaScriptEnabled: false })
  const done = () => page.getByRole('status').textContent()
  const { title } = await leadOfEdition()
  await page.goto(serving.url + studioPage())
  await page.getByText('Stop sending…').click()
  await page.getByRole('textbox', { name: 'Why', exact: true }).fill('a wrong name')
  await page.getByRole('button', { name: 'Stop sending' }).click()
  expect(await done()).toContain('You stopped the sending: “a wrong name”.')
  await page.getByText(`Remove article… (${title})`).click()
  await page.getByRole('textbox', { name: 'Why remove it' }).fill('it is not true')
  await page.getByRole('button', { name: 'Remove this article' }).click()
  expect(await done()).toContain(`You removed “${title}”: it is not true`)
  await page.getByRole('button', { name: `Put back (${title})` }).click()
  await page.getByRole('button', { name: 'Resume sending' }).click()
  expect(await done()).toContain('You resumed the sending.')
  await page.goto(`${serving.url}/studio`)
  await page.getByText('Stop all sending…').click()
  await page.getByRole('textbox', { name: 'Why' }).fill('the wrong list')
  await page.getByRole('checkbox', { name: 'Yes, stop everything' }).check()
  await page.getByRole('button', { name: 'Stop all sending' }).click()
  expect(await done()).toContain('You stopped all sending.')
  await page.getByRole('button', { name: 'Resume all sending' }).click()
  expect(await done()).toContain('You resumed all sending.')
  await page.context().close()
})

test('an editor adds a letter without any script, and can correct a refused one', async () => {
  const page = await signedIn({ javaScriptEnabled: false })
  await page.getByRole('link', { name: 'Letters', exact: true }).click()
  await page.getByLabel('Headline').fill('Trams at dawn')
  const text = page.getByRole('textbox', { name: 'Letter' })
  await text.fill(`First.\n\n${'long '.repeat(900)}`)
  await page.getByLabel('Name').fill('Ada Byron')
  await page.getByRole('button', { name: 'Save for the next edition' }).click()
  expect(await page.getByRole('alert').textContent()).toContain('shorten it by 507')
  expect(await text.inputValue()).toBe(`First.\n\n${'long '.repeat(900)}`)
  await text.fill('First.\n\nSecond.')
  await page.getByRole('button', { name: 'Save for the next edition' }).click()
  expect(await page.getByRole('status').textContent()).toContain('“Trams at dawn” is saved')
  await page.context().close()
})

test('axe finds nothing in the form of a refused letter', async () => {
  const page = await signedIn({ viewport: { width: 375, height: 800 } })
  await page.goto(`${serving.url}/studio/letters`)
  await page.getByLabel('Headline').fill('\u200b')
  await page.getByRole('textbox', { name: 'Letter' }).fill('long '.repeat(900))
  await page.getByLabel('Name').fill('\u200b')
  await page.getByLabel('Place').fill('far '.repeat(30))
  await page.getByRole('button', { name: 'Save for the next edition' }).click()
  await page.getByRole('alert').waitFor()
  expect(await page.locator('[aria-invalid]').count()).toBe(4)
  expect([await violations(page), await misfits(page)]).toEqual([[], { tooWide: 0, tooSmall: [] }])
  await page.context().close()
})

test('the status updates itself without losing focus or a half-written reason, and an old page can still stop the edition', async () => {
  await become('approved')
  const page = await signedIn({ javaScriptEnabled: false })
  await page.goto(serving.url + studioPage())
  await page.getByText('Stop sending…').click()
  const reason = page.getByRole('textbox', { name: 'Why' })
  await reason.fill('half a rea')
  const frame = page.frameLocator('iframe.progress')
  await frame.getByText('Approved').waitFor()
  await become('sending')
  await freezePage(site.app.db, site.edition, { after: '', size: 10 }, site.clock.now())
  await frame.getByText('0 of 3 emails done').waitFor()
  expect(await frame.locator('button, a').count()).toBe(0) // nothing that a reload could take the focus from
  await page.keyboard.type('son')
  expect(await reason.inputValue()).toBe('half a reason')
  await page.keyboard.press('Enter')
  expect(await page.getByRole('status').textContent()).toContain(
    'You stopped the sending: “half a reason”. Paused: 0 of 3 sent. 3 people are waiting.',
  )
  await page.getByRole('button', { name: 'Resume sending' }).click()
  await page.getByRole('link', { name: 'Pause updates' }).click()
  await frame.getByText('Updates are paused.').waitFor()
  await frame.getByRole('link', { name: 'Resume updates' }).click()
  await frame.getByText('Updating live.').waitFor()
  await become('sent')
  await frame.getByText('Finished: 3 waiting.').waitFor()
  await frame.getByRole('link', { name: 'Reload the whole page' }).click()
  await page.getByText('This edition needs no decision.').waitFor()
  await page.context().close()
})

test('an editor approves a held edition with the keyboard, after reading who held it and why; axe finds nothing', async () => {
  await become('sealed')
  const page = await signedIn({ viewport: { width: 320, height: 800 } })
  await page.goto(serving.url + studioPage())
  await hold(site.app, site.edition.id, 'Ben', 'Headline 2 needs the lawyer')
  const press = async (name: string) => {
    const button = page.getByRole('button', { name, exact: true })
    await button.focus()
    await page.keyboard.press('Enter')
  }
  const isFine = async () =>
    expect([page.url(), await violations(page), await misfits(page)]).toEqual([
      page.url(),
      [],
      { tooWide: 0, tooSmall: [] },
    ])
  await press('Approve and send to 3 people…')
  await page.getByRole('alert').getByText('Ben held it back').waitFor()
  await isFine()
  await page.goto(`${serving.url + studioPage()}/approval`)
  await isFine()
  await page.goBack()
  await press('Approve and send to 3 people anyway')
  expect(await page.getByRole('status').textContent()).toContain('You approved it.')
  await page.context().close()
})

test('an editor chooses between two versions of a letter, and axe finds nothing', async () => {
  const page = await signedIn({ viewport: { width: 320, height: 800 }, colorScheme: 'dark' })
  await page.goto(serving.url + letterPage)
  const id = letterPage.split('/').at(-1) ?? ''
  const words = { headline: 'Trams', text: 'Ben rewrote this.', name: 'Ada', place: '', received: '' }
  await editLetter(site.app, { id, zone: 'UTC' }, words, 'Ben')
  await page.getByRole('textbox', { name: 'Letter' }).fill('Mira rewrote this.')
  await page.getByRole('button', { name: 'Save the letter' }).click()
  await page.getByRole('alert').getByText('Ben rewrote this.').waitFor()
  expect([await violations(page), await misfits(page)]).toEqual([[], { tooWide: 0, tooSmall: [] }])
  await page.getByRole('button', { name: 'Replace it with mine' }).click()
  await page.getByRole('status').waitFor()
  await page.context().close()
})

test('the header has at most two rows on a phone, and its menu signs the editor out', async () => {
  const page = await signedIn({ viewport: { width: 375, height: 800 }, colorScheme: 'dark' })
  const header = page.getByRole('banner')
  expect((await header.boundingBox())?.height).toBeLessThan(3 * 44)
  await header.getByText('mira@example.org').click()
  expect([await violations(page), await misfits(page)]).toEqual([[], { tooWide: 0, tooSmall: [] }])
  await header.getByRole('button', { name: 'Sign out', exact: true }).click()
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
  await page.context().close()
})

test('a reader unsubscribes by button, requests a confirmation email, and subscribes again by its link', async () => {
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage()
  await page.goto(`${serving.url}/leave/${site.key}`)
  await page.getByRole('button', { name: 'Unsubscribe' }).click()
  await page.getByRole('heading', { name: 'You are unsubscribed from The Weekly' }).waitFor()
  await page.getByRole('button', { name: 'Subscribe to The Weekly again' }).click()
  expect(await page.getByRole('status').textContent()).toContain('We are sending an email to r…1@readers.example.')
  await page.goto(serving.url + (await confirmationPath()))
  await page.getByRole('button', { name: 'Subscribe again' }).click()
  await page.getByRole('heading', { name: 'Welcome back to The Weekly' }).waitFor()
  await page.goto(`${serving.url}/preferences/${site.key}`)
  await page.getByText('You are subscribed and get every edition.').waitFor()
  await page.getByLabel('Your name').fill('Zoë')
  await page.getByRole('button', { name: 'Save name' }).click()
  await page.getByText('Your name is now Zoë').waitFor()
  await page.context().close()
})

/** The path of the link in the last confirmation email. */
async function confirmationPath(): Promise<string> {
  const row = await site.app.db.selectFrom('confirmations').select('id').executeTakeFirstOrThrow()
  return `/confirm/${confirmationToken(site.app.secret, row.id)}`
}

test('on a phone a reader unsubscribes and subscribes again with the keyboard, and axe finds nothing', async () => {
  const phone = { viewport: { width: 375, height: 800 }, hasTouch: true }
  const page = await (await browser.newContext(phone)).newPage()
  const act = { subscriberId: site.reader.id, digest: site.digest.name, editionId: null, how: 'page' }
  const press = async (name: string) => {
    const button = page.getByRole('button', { name })
    for (let tabs = 0; tabs < 15 && !(await button.evaluate((one) => one.matches(':focus'))); tabs++)
      await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
  }
  const isFine = async () => {
    expect([page.url(), await violations(page), await misfits(page)]).toEqual([
      page.url(),
      [],
      { tooWide: 0, tooSmall: [] },
    ])
  }
  await leave(site.app, act)
  site.clock.advance(hour)
  await page.goto(`${serving.url}/leave/${site.key}`)
  await isFine()
  await press('Subscribe to The Weekly again')
  await page.getByText('We are sending an email').waitFor()
  await isFine()
  await page.goto(serving.url + (await confirmationPath()))
  await page.getByRole('heading', { name: 'Subscribe to The Weekly again?' }).waitFor()
  await isFine()
  await press('Subscribe again')
  await page.getByRole('heading', { name: 'Welcome back to The Weekly' }).waitFor()
  await isFine()
  await page.goto(`${serving.url}/confirm/x`)
  await isFine()
  await page.context().close()
})

test('a link in an archived edition opens outside the sandbox', async () => {
  await become('sent')
  const page = await (await browser.newContext()).newPage()
  await page.route(`${web.url}/**`, async (route) => {
    const answer = await site.get(new URL(route.request().url()).pathname) // where a proxy would stand
    await route.fulfill({ status: answer.status, contentType: 'text/html', body: await answer.text() })
  })
  await page.goto(`${serving.url}/editions/${site.edition.id}`)
  await page
    .getByRole('link', { name: /preferences/i })
    .last()
    .click()
  await page.getByRole('heading', { name: 'Please use the link in your own email' }).waitFor()
  await page.context().close()
})
