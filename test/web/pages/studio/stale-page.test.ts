import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { freezePage } from '../../../../src/store/deliveries/audience.ts'
import { editionById } from '../../../../src/store/editions/editions.ts'
import { lettersOf } from '../../../../src/store/letters/letters.ts'
import type { EditionStatus } from '../../../../src/store/schema.ts'
import { hour } from '../../../../src/time/clock.ts'
import { editionHistory } from '../../../support/history.ts'
import { type Editor, openSite, type Site } from '../../site.ts'

let site: Site
let mira: Editor
let ben: Editor

/** Two editors with the same pages open. */
beforeEach(async () => {
  site = await openSite({ job: { approval: 'required' } })
  mira = await site.signIn('mira')
  ben = await site.signIn('Ben')
})
afterEach(() => site.close())

const page = () => `/studio/editions/${site.edition.id}`
const status = async () => (await editionById(site.app.db, site.edition.id))?.status
const textOf = (html: string) =>
  html
    .replace(/<[^>]*>/g, '')
    .replace(/&#x27;/g, "'")
    .replace(/\s+/g, ' ')
const decisions = async () =>
  (await editionHistory(site.app.db, site.edition.id)).filter(({ who }) => who !== 'system').map(({ what }) => what)
const seen = (action: string) => mira.seen(page(), `${page()}/${action}`)
const become = (change: { status: EditionStatus }) =>
  site.app.db
    .updateTable('editions')
    .set({ ...change, approvedAt: site.clock.now() })
    .execute()
const send = async (accepted: number) => {
  await become({ status: 'sending' })
  await freezePage(site.app.db, site.edition, { after: '', size: 10 }, site.clock.now())
  await site.app.db
    .updateTable('deliveryCounts')
    .set({ queued: 3 - accepted, accepted })
    .execute()
}

describe('approving', () => {
  test('asks to confirm, with the number of people, the subject and the time, and changes nothing before', async () => {
    const before = await site.rows()
    expect(textOf(await (await mira.get(page())).text())).toContain('Approve and send to 3 people…')
    const question = await (await mira.get(`${page()}/approval?seen=${await seen('approval')}`)).text()
    for (const words of [
      'Approve The Weekly 1?',
      '3 people',
      'Council opens its books',
      'Sending starts within a minute.',
    ])
      expect(textOf(question)).toContain(words)
    const unconfirmed = await mira.post(`${page()}/approval`, { seen: await seen('approval') })
    expect(textOf(await unconfirmed.text())).toContain('Approve The Weekly 1?')
    expect([unconfirmed.status, await site.rows()]).toEqual([200, before])
  })

  test.each(['the edition’s page', 'the question'])(
    'over a hold that %s did not show changes nothing, says why, and offers it',
    async (where) => {
      const fields = { seen: await seen('approval'), ...(where === 'the question' && { confirm: 'yes' }) }
      await ben.post(`${page()}/stop`, { reason: 'Headline 2 needs the lawyer' })
      const answer = await mira.post(`${page()}/approval`, fields)
      const html = await answer.text()
      expect([answer.status, await status()]).toEqual([409, 'held'])
      expect(textOf(html)).toContain(
        'Nothing was changed, because the edition changed after you looked at it. Ben held it back at 07:00: “Headline 2 needs the lawyer”.',
      )
      const alert = html.slice(html.indexOf('role="alert"')).split('</form>')[0] ?? ''
      expect(alert).toContain('Approve and send to 3 people anyway')
      const [, now = ''] = /name="seen" value="([^"]+)"/.exec(alert) ?? []
      expect((await mira.post(`${page()}/approval`, { seen: now, confirm: 'yes' })).status).toBe(303)
      expect([await status(), await decisions()]).toEqual([
        'approved',
        ['Put on hold: Headline 2 needs the lawyer', 'Approved'],
      ])
    },
  )

  test('names what is wrong with the edition, and can be confirmed anyway', async () => {
    await site.app.db.updateTable('editions').set({ subject: ' ' }).execute()
    await site.app.db.updateTable('choices').set({ position: null }).execute()
    const fields = { seen: await seen('approval'), confirm: 'yes' }
    const refused = await mira.post(`${page()}/approval`, fields)
    expect([refused.status, await status()]).toEqual([409, 'sealed'])
    expect(textOf(await refused.text())).toContain('There is no article in it. Its subject is empty.')
    const question = await (await mira.get(`${page()}/approval`)).text()
    expect(textOf(question)).toMatch(/There is no article in it\. .*Approve and send to 3 people anyway/)
    expect(question).toContain('<input type="hidden" name="anyway" value="yes">')
    await mira.post(`${page()}/approval`, { ...fields, anyway: 'yes' })
    expect([await status(), (await decisions()).at(-1)]).toEqual([
      'approved',
      expect.stringContaining('in spite of this: there is no article in it'),
    ])
  })

  test('has no button for an edition with dead links, and cannot be forced', async () => {
    Object.assign(site.app.config.relay, { host: 'smtp.harbour.net' })
    const question = await (await mira.get(`${page()}/approval`)).text()
    expect(textOf(question)).toMatch(/web\.url is .*every unsubscribe link would be dead/)
    expect(question).not.toContain('name="confirm"')
    const fields = { seen: await seen('approval'), confirm: 'yes', anyway: 'yes' }
    const refused = await mira.post(`${page()}/approval`, fields)
    expect([refused.status, await status()]).toEqual([409, 'sealed'])
  })

  test('twice by the same button approves once, with the same answer', async () => {
    const fields = { seen: await seen('approval'), confirm: 'yes' }
    const [first, second] = [
      await mira.post(`${page()}/approval`, fields),
      await mira.post(`${page()}/approval`, fields),
    ]
    expect([first.status, second.status, second.headers.get('location')]).toEqual([
      303,
      303,
      first.headers.get('location'),
    ])
    expect((await ben.post(`${page()}/approval`, fields)).status).toBe(409)
    expect(await decisions()).toEqual(['Approved'])
  })
})

describe('stopping from an out-of-date page', () => {
  test('pauses an edition that is now being sent, and says how far it got', async () => {
    const html = await (await mira.get(page())).text()
    expect(html).toContain('Put on hold')
    await send(1)
    const answer = await mira.post(`${page()}/stop`, { reason: 'a wrong name' })
    expect(textOf(await (await mira.get(answer.headers.get('location') ?? '')).text())).toContain(
      'You stopped the sending: “a wrong name”. Paused: 1 of 3 sent. 2 people are waiting.',
    )
    expect(await decisions()).toEqual(['Paused: a wrong name'])
  })

  test('works at the addresses of older pages', async () => {
    await send(0)
    expect((await mira.post(`${page()}/hold`, { reason: 'a wrong name' })).status).toBe(303)
    expect(await status()).toBe('paused')
  })

  test('says that someone else stopped it already, and accepts a second press by the same editor', async () => {
    await ben.post(`${page()}/stop`, { reason: 'wait' })
    expect((await mira.post(`${page()}/stop`, { reason: 'stop it' })).status).toBe(409)
    expect((await ben.post(`${page()}/stop`, { reason: 'wait' })).status).toBe(303)
    expect(await decisions()).toEqual(['Put on hold: wait'])
  })
})

test('a cancellation after a change names the change, keeps the reason, and can be repeated', async () => {
  const fields = { reason: 'too old', confirm: 'yes', seen: await seen('cancellation') }
  await ben.approve(page())
  const answer = await mira.post(`${page()}/cancellation`, fields)
  const html = await answer.text()
  expect([answer.status, await status()]).toEqual([409, 'approved'])
  expect(textOf(html)).toContain('Ben approved it at 07:00.')
  expect(html).toContain('Cancel this edition anyway')
  expect((await mira.post(`${page()}/cancellation`, { ...fields, seen: await seen('cancellation') })).status).toBe(303)
})

test('the frame has no button while it reloads, and buttons once the edition has stopped', async () => {
  await send(1)
  const frame = async () => (await mira.get(`${page()}/progress`)).text()
  expect(await frame()).not.toMatch(/<button|<a /)
  await ben.post(`${page()}/stop`, { reason: 'a wrong name' })
  const stopped = await frame()
  expect(textOf(stopped)).toContain('Paused: 1 of 3 sent. 2 people are waiting.')
  expect(stopped).toMatch(/action="[^"]+\/resumption" target="_top"/)
  const resumed = await mira.post(`${page()}/resumption`, {
    seen: /name="seen" value="([^"]+)"/.exec(stopped)?.[1] ?? '',
  })
  expect([resumed.status, await status()]).toEqual([303, 'sending'])
})

describe('the first page', () => {
  test('lists editions waiting for a decision first, with people, due date, and since when', async () => {
    site.clock.advance(hour)
    const words = textOf(await (await mira.get('/studio')).text())
    expect(words).toMatch(
      /Waiting for your decision.*The Weekly 1.*Will be sent to 3 people.*5 articles · due Fri, 27 Nov 2026, 07:00 GMT · waiting since Fri, 27 Nov 2026, 07:00 GMT.*Editions/,
    )
    await ben.post(`${page()}/stop`, { reason: 'ask the lawyer' })
    expect(textOf(await (await mira.get('/studio')).text())).toContain('waiting since Fri, 27 Nov 2026, 08:00 GMT')
    await mira.approve(page())
    expect(textOf(await (await mira.get('/studio')).text())).toContain('Nothing is waiting for you.')
  })

  test('shows several editions of one digest together, newest first and marked', async () => {
    const newer = {
      ...site.edition,
      id: '019335c0-0000-7000-8000-000000000010',
      ref: '00000010',
      number: 2,
      dueAt: '2026-12-04T07:00:00.000Z',
    }
    await site.app.db.insertInto('editions').values(newer).execute()
    expect(textOf(await (await mira.get('/studio')).text())).toMatch(
      /2 editions are waiting.*The Weekly 2 Newest.*The Weekly 1 (?!Newest)/,
    )
  })
})

describe('two editors of one letter', () => {
  const letter = { digest: 'weekly', headline: 'Trams', text: 'One.', name: 'Ada', place: '', received: '' }
  const waiting = () => lettersOf(site.app.db, { state: 'waiting', limit: 9 })

  async function entered(): Promise<string> {
    const answer = await mira.post('/studio/letters', letter)
    return `/studio/letters/${answer.headers.get('location')?.replace('/studio/letters?done=', '')}`
  }

  test('lose no text: the second sees both versions and chooses', async () => {
    const path = await entered()
    const version = await mira.seen(path, path, 'version')
    expect((await ben.post(path, { ...letter, text: 'Ben rewrote this', version })).status).toBe(303)
    const late = await mira.post(path, { ...letter, text: 'Mira rewrote this', version })
    const html = await late.text()
    expect([late.status, (await waiting())[0]?.text]).toEqual([409, 'Ben rewrote this'])
    expect(textOf(html)).toContain('Ben has edited this letter since you opened it.')
    expect(html).toContain('<p dir="auto">Ben rewrote this</p>')
    expect(html).toContain('>\nMira rewrote this</textarea>')
    const now = /name="version" value="(\d+)">Replace it with mine/.exec(html)?.[1] ?? ''
    const chosen = { ...letter, text: 'Mira rewrote this', version: now }
    expect((await mira.post(path, chosen)).status).toBe(303)
    expect((await mira.post(path, chosen)).status).toBe(303) // a second press
    expect(await waiting()).toMatchObject([{ text: 'Mira rewrote this', version: 3 }])
  })

  test('do not withdraw a letter that the other has edited', async () => {
    const path = await entered()
    await ben.post(path, { ...letter, text: 'Ben rewrote this', version: '1' })
    const late = await mira.post(`${path}/withdrawal`, { confirm: 'yes', version: '1' })
    expect([late.status, textOf(await late.text())]).toEqual([
      409,
      expect.stringContaining('Ben has reworded “Trams” since'),
    ])
    expect(await waiting()).toHaveLength(1)
    for (const _ of [1, 2])
      expect((await mira.post(`${path}/withdrawal`, { confirm: 'yes', version: '2' })).status).toBe(303)
    expect(await waiting()).toEqual([])
  })

  test('add it once: the second is warned that it is waiting, and can add it anyway, once', async () => {
    await entered()
    const again = await ben.post('/studio/letters', { ...letter, text: ' ONE. ', headline: 'Other' })
    const html = await again.text()
    expect(again.status).toBe(409)
    expect(textOf(html)).toContain('The same letter is already waiting (“Trams”, added by mira on 27 November 2026).')
    const anyway = /name="anyway" value="([^"]+)"/.exec(html)?.[1] ?? ''
    expect((await ben.post('/studio/letters', { ...letter, anyway })).status).toBe(303)
    expect((await ben.post('/studio/letters', { ...letter, anyway })).status).toBe(409)
    expect(await waiting()).toHaveLength(2)
  })
})
