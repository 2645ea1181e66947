import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { confirmationToken, deliveryKeys } from '../../../../src/mail/keys.ts'
import type { Reason } from '../../../../src/store/events/reason.ts'
import { toJson } from '../../../../src/store/json.ts'
import { outcomesOf } from '../../../../src/store/subscribers/outcomes.ts'
import { subscriberById, subscriptionsOf } from '../../../../src/store/subscribers/subscribers.ts'
import { suppress } from '../../../../src/subscribers/suppress.ts'
import { day } from '../../../../src/time/clock.ts'
import { maskEmail } from '../../../../src/web/pages/public/recipient.ts'
import { webApp } from '../../../../src/web/server.ts'
import { earlierKey, linkKey } from '../../../support/keys.ts'
import { openSite, type Site } from '../../site.ts'

let site: Site

beforeEach(async () => {
  site = await openSite()
})
afterEach(() => site.close())

const leftAt = async () => (await subscriptionsOf(site.app.db, site.reader.id))[0]?.leftAt
const outcomes = () => outcomesOf(site.app.db, site.reader.id)

function oneClick(): [string, BodyInit][] {
  const multipart = new FormData()
  multipart.set('List-Unsubscribe', 'One-Click')
  return [
    ['urlencoded', 'List-Unsubscribe=One-Click'],
    ['multipart', multipart],
  ]
}

describe('unsubscribing', () => {
  test.each(oneClick())(
    'works at once with the one-click body as %s, from another site, without a redirect',
    async (_, body) => {
      const answer = await site.post(`/leave/${site.key}`, body, {
        'Sec-Fetch-Site': 'cross-site',
        Origin: 'https://mail.example',
      })
      expect(answer.status).toBe(200)
      expect(answer.headers.get('set-cookie')).toBeNull()
      expect(await leftAt()).toBe(site.clock.now())
      const [outcome] = await outcomes()
      expect(outcome).toMatchObject({
        kind: 'leave',
        editionId: site.edition.id,
        detail: toJson<Reason>({ code: 'unsubscribed', digest: 'weekly', how: 'one-click' }),
      })
    },
  )

  test('works by the button of the page, and says so', async () => {
    const page = await (await site.get(`/leave/${site.key}`)).text()
    expect(page).toContain('Unsubscribe from The Weekly?')
    expect(page).toContain(`<form method="post" action="/leave/${site.key}?by=page">`)
    expect(await leftAt()).toBeNull()
    const answer = await site.post(`/leave/${site.key}?by=page`)
    expect(await answer.text()).toContain('You are unsubscribed from The Weekly')
    expect((await outcomes())[0]?.detail).toBe(toJson<Reason>({ code: 'unsubscribed', digest: 'weekly', how: 'page' }))
  })

  test('works even with a broken body: a POST means unsubscribe', async () => {
    const headers = { 'Content-Type': 'multipart/form-data; boundary=x' }
    expect((await site.post(`/leave/${site.key}`, 'no form at all', headers)).status).toBe(200)
    expect(await leftAt()).toBe(site.clock.now())
  })

  test('twice is recorded once, and the page says that it was done already', async () => {
    await site.post(`/leave/${site.key}`)
    const answer = await site.post(`/leave/${site.key}`)
    expect([answer.status, (await outcomes()).length]).toEqual([200, 1])
    expect(await answer.text()).toContain('You were already unsubscribed')
    expect(await (await site.get(`/leave/${site.key}`)).text()).toContain('Subscribe to The Weekly again')
  })

  test('does not end the subscription of another reader', async () => {
    await site.post(`/leave/${site.key}`)
    const left = await site.app.db.selectFrom('subscriptions').selectAll().where('leftAt', 'is not', null).execute()
    expect(left.map((row) => row.subscriberId)).toEqual([site.reader.id])
  })

  test('is refused with the same page for a forged key, another secret and an unknown person', async () => {
    const { id: subscriberId } = site.reader
    const editionRef = site.edition.ref
    const stranger = { subscriberId: '019335c0-0000-7000-8000-000000000000', editionRef }
    const keys = [
      `${site.key.slice(0, -1)}${site.key.endsWith('a') ? 'b' : 'a'}`,
      linkKey('another secret', { subscriberId, editionRef }),
      linkKey(site.app.secret, stranger),
      'x',
      '%00',
      '%E0%A4%A',
    ]
    const before = await site.rows()
    const bodies = new Set<string>()
    for (const key of keys)
      for (const path of [`/leave/${key}`, `/preferences/${key}`])
        for (const answer of [await site.get(path), await site.post(path, 'action=leave')]) {
          expect([path, answer.status]).toEqual([path, 404])
          bodies.add(await answer.text())
        }
    expect(bodies.size).toBe(1)
    expect(await site.rows()).toBe(before)
  })

  test('does not work with the keys of the headers, like every other page', async () => {
    const keyed = { subscriberId: site.reader.id, editionRef: site.edition.ref }
    const { messageId, returnPath } = deliveryKeys(site.app.secret)(keyed)
    const before = await site.rows()
    for (const key of [messageId, returnPath, messageId.toUpperCase()])
      for (const path of [`/leave/${key}`, `/preferences/${key}`])
        for (const answer of [
          await site.get(path),
          await site.post(path, 'List-Unsubscribe=One-Click'),
          await site.post(path, 'action=return'),
        ]) {
          expect([path, answer.status]).toEqual([path, 404])
          expect(await answer.text()).not.toContain('readers.example')
        }
    expect(await site.rows()).toBe(before)
  })

  test('still works with the key of an earlier version, which opens no other page', async () => {
    const key = earlierKey(site.app.secret, { subscriberId: site.reader.id, editionRef: site.edition.ref })
    const page = await (await site.get(`/leave/${key}`)).text()
    expect(page).toContain('Unsubscribe from The Weekly?')
    expect(page).not.toContain('/preferences/')
    const before = await site.rows()
    for (const answer of [
      await site.get(`/preferences/${key}`),
      await site.post(`/preferences/${key}`, 'action=rename&name=Zoe'),
      await site.post(`/preferences/${key}`, 'action=return'),
    ]) {
      expect(answer.status).toBe(404)
      expect(await answer.text()).not.toContain('readers.example')
    }
    expect(await site.rows()).toBe(before)
    const left = await (await site.post(`/leave/${key}`, 'List-Unsubscribe=One-Click')).text()
    expect(left).toContain('You are unsubscribed from The Weekly')
    expect(left).not.toContain('again</button>')
    expect(await leftAt()).toBe(site.clock.now())
  })

  test('a new name loses characters that could disguise it', async () => {
    await site.post(
      `/preferences/${site.key}`,
      `action=rename&name=${encodeURIComponent('Zo\u202eë \u200bK\u2066.\u0007')}`,
    )
    expect((await subscriberById(site.app.db, site.reader.id))?.name).toBe('Zoë K.')
  })

  test('is explained for links of the archive, which have no key', async () => {
    for (const path of ['/leave/', '/leave', '/preferences/', '/preferences']) {
      const answer = await site.get(path)
      expect([path, answer.status]).toEqual([path, 200])
      expect(await answer.text()).toContain('use the link in your own email')
    }
    expect((await site.post('/leave/', 'List-Unsubscribe=One-Click')).status).toBe(404)
  })

  test('works when a restored backup lacks the edition, for a reader with one subscription', async () => {
    const { db, secret } = site.app
    const key = linkKey(secret, { subscriberId: site.reader.id, editionRef: '00000000' })
    expect((await site.post(`/leave/${key}`)).status).toBe(200)
    expect(await leftAt()).toBe(site.clock.now())
    await db
      .insertInto('subscriptions')
      .values({ digest: 'other', subscriberId: site.reader.id, confirmedAt: null, leftAt: null, proof: '' })
      .execute()
    expect((await site.post(`/leave/${key}`)).status).toBe(404)
  })

  test('by the button of our page is refused from another site', async () => {
    for (const from of ['cross-site', 'same-site']) {
      const headers = { 'Sec-Fetch-Site': from }
      expect((await site.post(`/leave/${site.key}?by=page`, '', headers)).status).toBe(403)
      expect(await leftAt()).toBeNull()
    }
    expect((await site.post(`/leave/${site.key}?by=page`, '', { 'Sec-Fetch-Site': 'same-origin' })).status).toBe(200)
  })

  test.each(['same-site', 'cross-site', 'none', 'anything'])('with one click is never refused: %s', async (from) => {
    expect((await site.post(`/leave/${site.key}`, '', { 'Sec-Fetch-Site': from })).status).toBe(200)
    expect(await leftAt()).toBe(site.clock.now())
  })

  test('works whatever the length of the body, and nothing else takes more than 64 KB', async () => {
    const body = `by=${'x'.repeat(65 * 1024)}`
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const before = await site.rows()
    for (const path of [`/preferences/${site.key}`, '/', '/confirm/x', '/sign-in/x']) {
      const known = await site.post(path, body, { 'Content-Length': String(body.length) })
      expect([path, known.status, await known.text()]).toEqual([path, 413, expect.stringContaining('64 KB')])
      const streamed = await site.post(path, new Blob([body]).stream(), headers)
      expect([path, streamed.status]).toEqual([path, 413])
    }
    expect(await site.rows()).toBe(before)
    const answer = await site.post(`/leave/${site.key}`, body, { 'Content-Length': String(body.length) })
    expect([answer.status, await leftAt()]).toEqual([200, site.clock.now()])
    expect((await site.post(`/leave/${site.key}`, new Blob([body]).stream(), headers)).status).toBe(200)
  })

  test('answers 503 while the database is locked, and does not claim success', async () => {
    const other = new DatabaseSync(site.app.config.store.url.slice('file:'.length))
    other.exec('begin immediate')
    const web = webApp(site.app, { maxStoreWaitMs: 20 })
    const answer = await web.request(`/leave/${site.key}`, { method: 'POST', body: 'List-Unsubscribe=One-Click' })
    expect([answer.status, answer.headers.get('Retry-After')]).toEqual([503, '30'])
    expect(await answer.text()).toContain('You are not unsubscribed yet')
    expect(await leftAt()).toBeNull()
    other.exec('rollback')
    other.close()
    expect((await site.post(`/leave/${site.key}`)).status).toBe(200)
    expect(await leftAt()).toBe(site.clock.now())
    expect(await outcomes()).toHaveLength(1)
  })
})

describe('a link with other characters around its key', () => {
  const copied = [
    '.',
    ',',
    '>',
    '%3E',
    ')',
    '%29.',
    '%22',
    '…',
    '%E2%80%A6',
    ']',
    ';',
    '/',
    '//',
    '%20',
    '%0D%0A',
    '%00',
    '&x=1',
  ]
  const around: [string, string][] = [
    ['(', ')'],
    ['%20', ''],
    ['%E2%80%8B', ''],
    ['%253C', '%253E'],
    ['“', '”'],
  ]
  const forms: [string, string][] = [...copied.map((end): [string, string] => ['', end]), ...around]

  test.each(forms)('opens the same page, and unsubscribes with one click: %jKEY%j', async (before, after) => {
    const plain = await (await site.get(`/leave/${site.key}`)).text()
    for (const key of [site.key, site.key.toUpperCase(), `${site.key.slice(0, 30)}=%0D%0A${site.key.slice(30)}`]) {
      const page = await site.get(`/leave/${before}${key}${after}`)
      expect([page.status, await page.text()]).toEqual([200, plain])
    }
    const preferences = await (await site.get(`/preferences/${site.key}`)).text()
    expect(await (await site.get(`/preferences/${before}${site.key}${after}`)).text()).toBe(preferences)
    const renamed = await site.post(`/preferences/${before}${site.key}${after}`, 'action=rename&name=Zoe')
    expect(await renamed.text()).toContain('Your name is now Zoe')
    expect((await site.post(`/leave/${before}${site.key}${after}`, 'List-Unsubscribe=One-Click')).status).toBe(200)
    expect(await leftAt()).toBe(site.clock.now())
    await site.post(`/preferences/${site.key}`, 'action=return')
    const row = await site.app.db.selectFrom('confirmations').select('id').executeTakeFirstOrThrow()
    const confirm = `/confirm/${before}${confirmationToken(site.app.secret, row.id)}${after}`
    expect((await site.get(confirm)).status).toBe(200)
    expect((await site.post(confirm)).status).toBe(200)
    expect(await leftAt()).toBeNull()
  })

  test('is refused with the same page if the key is wrong', async () => {
    const wrong = `${site.key.slice(0, -1)}${site.key.endsWith('a') ? 'b' : 'a'}`
    const page = await (await site.get(`/leave/${wrong}`)).text()
    for (const path of [`${wrong}.`, `(${wrong})`, site.key.slice(1), `${site.key.slice(1)}.`, '%00', '%'])
      for (const answer of [await site.get(`/leave/${path}`), await site.post(`/leave/${path}`)])
        expect([path, answer.status, await answer.text()]).toEqual([path, 404, page])
  })
})

describe('the preferences', () => {
  const act = (fields: Record<string, string>, headers = {}) =>
    site.post(`/preferences/${site.key}`, new URLSearchParams(fields), headers)

  test('show the name and never the whole address', async () => {
    for (const path of [`/preferences/${site.key}`, `/leave/${site.key}`]) {
      const page = await (await site.get(path)).text()
      expect(page).toContain('r…1@readers.example')
      expect(page).not.toContain('reader00001@')
    }
    expect(await (await site.get(`/preferences/${site.key}`)).text()).toContain('value="Reader 1"')
  })

  test('rename, unsubscribe and request a confirmation email, and say each time what happened', async () => {
    expect(await (await act({ action: 'rename', name: ' Zoë\u0000 \n Q ' })).text()).toContain('Your name is now Zoë Q')
    expect(await (await act({ action: 'rename', name: 'Zoë Q' })).text()).toContain('Nothing changed')
    expect(await (await act({ action: 'leave' })).text()).toContain('You are unsubscribed from The Weekly.')
    expect(await leftAt()).toBe(site.clock.now())
    expect(await (await act({ action: 'leave' })).text()).toContain('Nothing changed')
    const asked = await (await act({ action: 'return' })).text()
    expect(asked).toContain('We are sending an email to r…1@readers.example.')
    expect(await (await act({ action: 'return' })).text()).toBe(asked)
    expect(await leftAt()).toBe(site.clock.now())
    expect((await outcomes()).map((outcome) => outcome.kind)).toEqual(['leave'])
  })

  test('refuse a POST from another site or without an action', async () => {
    const before = await site.rows()
    for (const from of ['cross-site', 'same-site'])
      expect((await act({ action: 'leave' }, { 'Sec-Fetch-Site': from })).status).toBe(403)
    expect((await act({ action: 'delete everything' })).status).toBe(400)
    expect((await act({})).status).toBe(400)
    expect(await site.rows()).toBe(before)
  })
})

describe('the link of a confirmation', () => {
  async function asked(): Promise<string> {
    await site.post(`/leave/${site.key}`)
    await site.post(`/preferences/${site.key}`, 'action=return')
    const [row] = await site.app.db.selectFrom('confirmations').selectAll().execute()
    return `/confirm/${confirmationToken(site.app.secret, row?.id ?? '')}`
  }

  test('changes nothing by GET, and subscribes again by its button', async () => {
    const path = await asked()
    const before = await site.rows()
    const page = await (await site.get(path)).text()
    expect(page).toContain('Subscribe to The Weekly again?')
    expect(page).toContain('r…1@readers.example')
    expect(page).not.toContain('reader00001@')
    expect(await site.rows()).toBe(before)
    const done = await site.post(path)
    expect([done.status, await done.text()]).toEqual([200, expect.stringContaining('Welcome back to The Weekly')])
    expect(await leftAt()).toBeNull()
    expect((await outcomes()).map((outcome) => outcome.kind)).toEqual(['leave', 'return'])
  })

  test('says that they are subscribed when used again, and does nothing after they unsubscribed again', async () => {
    const path = await asked()
    await site.post(path)
    const before = await site.rows()
    for (const answer of [await site.get(path), await site.post(path)])
      expect([answer.status, await answer.text()]).toEqual([
        200,
        expect.stringContaining('You are subscribed to The Weekly'),
      ])
    expect(await site.rows()).toBe(before)
    await site.post(`/leave/${site.key}`)
    const left = await site.rows()
    for (const answer of [await site.get(path), await site.post(path)]) expect(answer.status).toBe(404)
    expect(await site.rows()).toBe(left)
  })

  test('does not work when forged, expired, or sent from another site', async () => {
    const path = await asked()
    const before = await site.rows()
    const token = path.slice('/confirm/'.length)
    const forged = [
      `${token.slice(0, -1)}${token.endsWith('a') ? 'b' : 'a'}`,
      confirmationToken('another secret', site.reader.id),
      confirmationToken(site.app.secret, site.reader.id),
      site.key,
      'x',
      '%00',
    ]
    for (const one of forged)
      for (const answer of [await site.get(`/confirm/${one}`), await site.post(`/confirm/${one}`)])
        expect([one, answer.status]).toEqual([one, 404])
    for (const from of ['cross-site', 'same-site'])
      expect((await site.post(path, '', { 'Sec-Fetch-Site': from })).status).toBe(403)
    expect((await site.get(`/preferences/${token}`)).status).toBe(404)
    expect((await site.post(`/leave/${token}`)).status).toBe(404)
    site.clock.advance(3 * day)
    expect((await site.get(path)).status).toBe(404)
    expect((await site.post(path)).status).toBe(404)
    expect(await site.rows()).toBe(before)
  })

  test('does not subscribe an address that was suppressed since, and says so', async () => {
    const path = await asked()
    const reason = { code: 'text' as const, text: 'no such mailbox' }
    const to = { subscriberId: site.reader.id, editionId: null, reason }
    await suppress(site.app.db, to, site.clock.now())
    const before = await site.rows()
    const answer = await site.post(path)
    expect([answer.status, await answer.text()]).toEqual([409, expect.stringContaining('can’t send to this address')])
    expect(await site.rows()).toBe(before)
  })
})

test.each([
  ['mira@example.org', 'm…a@example.org'],
  ['ab@example.org', 'a…@example.org'],
  ['a@example.org', 'a…@example.org'],
])('%s is masked as %s', (email, masked) => expect(maskEmail(email)).toBe(masked))
