import { afterEach, expect, test } from 'vitest'
import { clientNetwork } from '../../src/http/client-network.ts'
import { sendOutbox } from '../../src/pipeline/outbox.ts'
import { requestSignInMail } from '../../src/pipeline/sign-in/sign-in-mail.ts'
import { fromJson } from '../../src/store/json.ts'
import { removeStaff, saveStaffAddress } from '../../src/store/staff/addresses.ts'
import { addressKey } from '../../src/subscribers/address.ts'
import { minute } from '../../src/time/clock.ts'
import { studioPath } from '../../src/web/studio-path.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { openSite, type Site } from './site.ts'

const form = (email: string, next = '') => new URLSearchParams({ email, next })

onBothEngines('the sign-in form', (freshUrl) => {
  let site: Site
  let mails: { to: string; text: string }[]

  async function open() {
    site = await openSite({ storeUrl: await freshUrl() })
    site.app.config.publication.editors = 'desk@magazine.example'
    const row = { name: 'Mira', email: 'Mira@magazine.example', emailKey: addressKey('Mira@magazine.example') }
    expect(await saveStaffAddress(site.app.db, { ...row, addedAt: site.clock.now() })).toBeUndefined()
    mails = []
  }
  afterEach(() => site.close())

  const relays = {
    async send({ envelope, raw }: { envelope: { to: string | string[] }; raw: Buffer | Uint8Array }) {
      const text = Buffer.from(raw).toString().replaceAll('=\r\n', '').replaceAll('=3D', '=')
      mails.push({ to: String(envelope.to), text })
      return { kind: 'accepted' as const, reply: '250 ok' }
    },
  }
  const deliver = () => sendOutbox(site.app, { signers: [], relays } as unknown as Parameters<typeof sendOutbox>[1])
  const linkIn = ({ text } = { text: '' }) => /https?:\/\/\S+\/sign-in\/\S+/.exec(text)?.[0] ?? ''
  const request = (email: string, next = '', headers = {}) => site.post('/sign-in', form(email, next), headers)

  test('asks for an address where a page needs a session, and leads back to that page', async () => {
    await open()
    const wanted = `/studio/editions/${site.edition.id}`
    const page = await (await site.get(wanted)).text()
    expect(page).toContain('Email me a sign-in link')
    expect(page).not.toContain('lastword staff link')
    expect(page).toContain(`name="next" value="${wanted}"`)
    expect((await request('mira@MAGAZINE.example', wanted)).status).toBe(200)
    await deliver()
    expect(mails.map(({ to }) => to)).toEqual(['Mira@magazine.example'])
    const link = new URL(linkIn(mails[0]))
    const shown = await (await site.get(link.pathname + link.search)).text()
    expect(shown).toContain('Sign in as Mira')
    expect(shown).toContain(`name="next" value="${wanted}"`)
    const answer = await site.post(link.pathname, new URLSearchParams({ next: wanted }))
    expect([answer.status, answer.headers.get('location')]).toEqual([303, wanted])
    const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? ''
    expect((await site.get(wanted, { cookie })).status).toBe(200)
    expect((await site.post(link.pathname)).status).toBe(404)
  })

  test('sends nothing to an unknown address, and answers and stores the same', async () => {
    await open()
    const known = await (await request('mira@magazine.example')).text()
    const unknown = await (await request('eve@elsewhere.example')).text()
    expect(unknown.replaceAll('eve@elsewhere.example', '')).toBe(known.replaceAll('mira@magazine.example', ''))
    const rows = await site.app.db.selectFrom('outbox').selectAll().where('kind', '=', 'sign-in').execute()
    expect(rows).toHaveLength(2)
    expect(await site.app.db.selectFrom('signInLinks').selectAll().execute()).toEqual([])
    await deliver()
    expect(mails.map(({ to }) => to)).toEqual(['Mira@magazine.example'])
    const left = await site.app.db.selectFrom('outbox').select('facts').where('kind', '=', 'sign-in').execute()
    expect(left.map(({ facts }) => fromJson(facts))).toMatchObject([{ address: 'mira@magazine.example' }])
  })

  test('signs the editors of the settings in by the local part, until the setting changes', async () => {
    await open()
    await request('desk@magazine.example')
    await deliver()
    expect(mails[0]?.text).toContain('sign in as desk:')
    delete site.app.config.publication.editors
    await request('desk@magazine.example')
    await deliver()
    expect(mails).toHaveLength(1)
  })

  test('makes links that end after fifteen minutes, and none for a person who was removed', async () => {
    await open()
    await request('mira@magazine.example')
    await deliver()
    const { pathname } = new URL(linkIn(mails[0]))
    site.clock.advance(15 * minute - 1)
    expect((await site.get(pathname)).status).toBe(200)
    site.clock.advance(1)
    expect((await site.get(pathname)).status).toBe(404)
    await request('mira@magazine.example')
    const editor = await site.signIn('Mira')
    expect(await removeStaff(site.app.db, 'Mira', 'operator', site.clock.now())).toBe(true)
    await deliver()
    expect(mails).toHaveLength(1)
    expect((await editor.get('/studio')).status).toBe(401)
  })

  test('takes three requests for an address and ten from a network in fifteen minutes', async () => {
    await open()
    for (const status of [200, 200, 200, 429]) expect((await request('MIRA@magazine.example')).status).toBe(status)
    expect(await site.app.db.selectFrom('outbox').select('id').where('kind', '=', 'sign-in').execute()).toHaveLength(3)
    for (let count = 5; count <= 10; count++) expect((await request(`e${count}@x.example`)).status).toBe(200)
    expect((await request('e11@x.example')).status).toBe(429)
    site.clock.advance(15 * minute)
    expect((await request('mira@magazine.example')).status).toBe(200)
  })

  test('refuses another site, and text that is no address', async () => {
    await open()
    expect((await request('mira@magazine.example', '', { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403)
    expect((await request('mira@magazine.example', '', { Origin: 'https://evil.example' })).status).toBe(403)
    const answer = await request('nobody')
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('not an email address')])
    expect(answer.headers.get('Content-Security-Policy')).toContain("default-src 'none'")
    expect(await site.app.db.selectFrom('outbox').select('id').where('kind', '=', 'sign-in').execute()).toEqual([])
  })

  test('never leads to another site', async () => {
    await open()
    const evil = '//evil.example/studio'
    expect(await (await site.get(`/sign-in?next=${encodeURIComponent(evil)}`)).text()).not.toContain('evil')
    await requestSignInMail(site.app, { id: 'one', address: 'mira@magazine.example', next: '' })
    await deliver()
    const answer = await site.post(new URL(linkIn(mails[0])).pathname, new URLSearchParams({ next: evil }))
    expect(answer.headers.get('location')).toBe('/studio')
  })
})

test.each([
  ['/studio', '/studio'],
  ['/studio/editions/0a-b', '/studio/editions/0a-b'],
  ...[
    '//evil.example',
    '/studio//evil.example',
    '/studio/../x',
    '/studio\\x',
    '/studio?x',
    'https://x/studio',
    '/sign-out',
  ]
    .concat(['/studio\n', '/studioevil', '/studio/%2e%2e'])
    .map((text) => [text, '']),
])('the page after signing in: %j is %j', (text, path) => {
  expect(studioPath(text)).toBe(path)
})

test.each([
  ['192.0.2.7', undefined, '192.0.2.7'],
  ['192.0.2.7', '198.51.100.1', '192.0.2.7'],
  ['::ffff:127.0.0.1', '203.0.113.9, 198.51.100.1', '198.51.100.1'],
  ['127.0.0.1', 'unknown', '127.0.0.1'],
  ['2001:db8::1', undefined, '2001:db8:0:0'],
  ['2001:db8:1:2:3:4:5:6', undefined, '2001:db8:1:2'],
  ['::1', '2001:DB8:0:1::9', '2001:db8:0:1'],
])('the network of a client at %s, forwarded for %s, is %s', (peer, forwardedFor, network) => {
  expect(clientNetwork(peer, forwardedFor)).toBe(network)
})
