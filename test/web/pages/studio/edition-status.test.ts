import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PastEvent } from '../../../../src/store/events/event.ts'
import { deliveryView, statusView } from '../../../../src/web/format.ts'
import { isInResultingState } from '../../../../src/web/pages/studio/edition-history.ts'
import { openSite, type Site } from '../../site.ts'

const textOf = (html: string) =>
  html
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&#x3D;', '=')
    .replace(/\s+/g, ' ')

const none = { queued: 0, sending: 0, accepted: 0, refused: 0, deferred: 0, unknown: 0, skipped: 0 }
const sent = { status: 'sent' as const }

test('a sent edition says how many people got it, with the counts if some did not', () => {
  expect(statusView(sent, { ...none, accepted: 4 }).meaning).toBe('Sent to 4 people.')
  expect(statusView(sent, { ...none, accepted: 1200, refused: 2 }).meaning).toBe('Finished: 1,200 sent, 2 refused.')
  expect(statusView(sent, none).meaning).toBe('Finished: nobody was subscribed.')
})

test('the number of finished emails is formatted like all other numbers', () => {
  expect(deliveryView({ ...none, accepted: 2003 }).line).toBe('2,003 of 2,003')
})

test('the result of a decision is shown only while the edition has that status', () => {
  const event = (kind: PastEvent['kind']) => ({ kind }) as PastEvent
  expect(isInResultingState({ status: 'approved' }, event('edition.approved'))).toBe(true)
  expect(isInResultingState({ status: 'sent' }, event('edition.approved'))).toBe(false)
  expect(isInResultingState({ status: 'paused' }, event('edition.paused'))).toBe(true)
})

describe.each(['smtp.harbour.net', 'localhost'])(
  'while web.url cannot be reached by readers, with the relay %s',
  (host) => {
    let site: Site

    beforeEach(async () => {
      site = await openSite()
      site.app.config.web = { ...site.app.config.web, url: 'http://localhost:3000' }
      site.app.config.relay = { ...site.app.config.relay, host, catcher: false }
    })

    afterEach(() => site.close())

    test('every page says that the edition cannot be sent yet, and none that it is ready or when sending starts', async () => {
      const editor = await site.signIn()
      const page = `/studio/editions/${site.edition.id}`
      for (const path of ['/studio', page]) {
        const text = textOf(await (await editor.get(path)).text())
        expect(text).toContain('Cannot be sent yet: web.url is http://localhost:3000')
        expect(text).toContain('Not ready')
        expect(text).not.toContain('Waiting for someone to approve it')
      }
      const question = textOf(await (await editor.get(`${page}/approval`)).text())
      expect(question).toContain('It can’t be approved')
      expect(question).not.toContain('Sending starts within a minute')
    })
  },
)

describe('the page of an edition', () => {
  let site: Site

  beforeEach(async () => {
    site = await openSite()
  })

  afterEach(() => site.close())

  test('says after an approval that sending starts, and once it is sent only that it was approved', async () => {
    const editor = await site.signIn()
    const done = (await editor.approve(`/studio/editions/${site.edition.id}`)).headers.get('location') ?? ''
    const notice = async () => {
      const html = await (await editor.get(done)).text()
      return { html, said: textOf(/<p class="notice" role="status">.*?<\/p>/s.exec(html)?.[0] ?? '').trim() }
    }
    expect((await notice()).said).toBe('You approved it. Sending starts within a minute.')
    expect((await notice()).html).toContain('Email preview')
    await site.app.db.updateTable('editions').set({ status: 'sent' }).where('id', '=', site.edition.id).execute()
    expect((await notice()).said).toBe('You approved it.')
    expect((await notice()).html).toContain('As it was sent')
  })

  test('the page without a session offers a sign-in link by email', async () => {
    const text = textOf(await (await site.get('/studio')).text())
    expect(text).toContain('Email me a sign-in link')
    expect(text).not.toContain(site.app.config.publication.contact)
  })
})
