import { createSocket } from 'node:dgram'
import { afterEach, expect, test } from 'vitest'
import { dnsMx, type FindMx, providerOf } from '../../../src/deliveries/limits/mail-servers.ts'
import { Providers } from '../../../src/deliveries/limits/providers.ts'
import { saveProviders } from '../../../src/store/limits/providers.ts'
import { openStore } from '../../../src/store/open.ts'
import { addMs, day, hour } from '../../../src/time/clock.ts'
import { fakeClock } from '../../support/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

test.each([
  ['magazine.org', ['aspmx.l.google.com', 'alt1.aspmx.l.google.com'], 'google.com'],
  ['firm.org', ['aspmx2.googlemail.com'], 'google.com'],
  ['contoso.com', ['contoso-com.mail.protection.outlook.com'], 'outlook.com'],
  ['newer.com', ['newer-com.a-v1.mx.microsoft'], 'outlook.com'],
  ['council.gov.uk', ['mx.hosting.co.uk'], 'hosting.co.uk'],
  ['own.de', ['MAIL.own.de.'], 'own.de'],
  ['none.org', [], 'none.org'],
  ['null.org', [''], 'null.org'], // RFC 7505
  ['odd.org', ['<script>.example.org'], 'odd.org'],
])('the mail of %s at %j is taken by %s', (domain, hosts, provider) => {
  expect(providerOf(domain, hosts)).toBe(provider)
})

test('DNS is asked for the mail servers, the preferred first; no such domain and no MX are answers', async () => {
  const server = await startDns({
    'firm.org': [
      [20, 'backup.firm.org'],
      [5, 'aspmx.l.google.com'],
    ],
    'bare.org': [],
  })
  const { find, close } = dnsMx([server.address])
  closing.push(close)
  expect(await find('firm.org')).toEqual(['aspmx.l.google.com', 'backup.firm.org'])
  expect(await find('bare.org')).toEqual([])
  expect(await find('nowhere.org')).toEqual([])
  await expect(find('broken.org')).rejects.toThrow(/SERVFAIL/)
})

onBothEngines('providers', (freshUrl) => {
  test('are kept by many processes at once, whatever the order in which they found them', async () => {
    const clock = fakeClock()
    const { db, close } = await openStore(await freshUrl(), clock)
    closing.push(close)
    const found = Array.from({ length: 200 }, (_, index): [string, string] => [`firm${index}.org`, 'google.com'])
    const orders = [found, found.toReversed()]
    const keeping = Array.from({ length: 40 }, (_, index) => saveProviders(db, new Map(orders[index % 2]), clock.now()))
    await Promise.all(keeping)
    expect(await db.selectFrom('providers').select('domain').execute()).toHaveLength(200)
  })

  async function opened(find: FindMx['find'], clock = fakeClock(), url?: string) {
    const asked: string[] = []
    const store = await openStore(url ?? (await freshUrl()), clock)
    closing.push(store.close)
    const findMx: FindMx = {
      find(domain) {
        asked.push(domain)
        return find(domain)
      },
      close() {},
    }
    return { asked, store, clock, providers: new Providers({ db: store.db, clock, findMx }) }
  }

  test('are asked for once, kept for a day in the store, and then asked for again', async () => {
    const url = await freshUrl()
    const google = async () => ['aspmx.l.google.com']
    const first = await opened(google, fakeClock(), url)
    await first.providers.resolveWithin(['firm.org', 'firm.org', 'readers.example'], 1000)
    await first.providers.resolveWithin(['firm.org'], 1000)
    await first.providers.save()
    expect(first.asked).toEqual(['firm.org'])

    const second = await opened(google, fakeClock(addMs(first.clock.now(), 23 * hour)), url)
    await second.providers.resolve(['firm.org'])
    expect(second.providers.of('firm.org')).toBe('google.com')
    expect(second.asked).toEqual([])
    const third = await opened(google, fakeClock(addMs(first.clock.now(), day + hour)), url)
    await third.providers.resolveWithin(['firm.org'], 1000)
    expect(third.asked).toEqual(['firm.org'])
  })

  test('that DNS does not tell keep nobody waiting: the domain counts, and nothing is kept', async () => {
    const { providers, store, asked } = await opened(() => new Promise(() => {}))
    await providers.resolve(['firm.org', 'other.org'])
    expect(providers.of('firm.org')).toBeUndefined()
    await providers.save()
    expect(await store.db.selectFrom('providers').selectAll().execute()).toEqual([])
    expect(asked).toEqual(['firm.org', 'other.org'])
  })

  test('are not asked for any more where DNS is silent, until an hour later', async () => {
    let isDown = true
    const { providers, asked, clock } = await opened(async () => {
      if (isDown) throw new Error('ETIMEOUT')
      return ['aspmx.l.google.com']
    })
    const domains = Array.from({ length: 50 }, (_, index) => `firm${index}.org`)
    await providers.resolveWithin(domains, 1000)
    expect(asked.length).toBeLessThan(20)
    isDown = false
    await providers.resolveWithin(domains, 1000)
    expect(providers.of('firm0.org')).toBe('firm0.org')
    clock.advance(hour)
    await providers.resolveWithin(domains, 1000)
    expect(providers.of('firm0.org')).toBe('google.com')
  })
})

/** A name server (RFC 1035) that knows the MX of a few domains; what begins with "broken" it cannot answer. */
async function startDns(known: Record<string, [number, string][]>) {
  const socket = createSocket('udp4')
  closing.push(() => socket.close())
  socket.on('message', (query, { port, address }) => socket.send(answerTo(query, known), port, address))
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return { address: `127.0.0.1:${socket.address().port}` }
}

function answerTo(query: Buffer, known: Record<string, [number, string][]>): Buffer {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  const question = query.subarray(12, at + 5)
  const name = labels.join('.')
  const servers = known[name]
  const code = name.startsWith('broken') ? 2 : servers ? 0 : 3
  const head = Buffer.alloc(12)
  query.copy(head, 0, 0, 2)
  head.writeUInt16BE(0x8180 + code, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(servers?.length ?? 0, 6)
  const records = (servers ?? []).map(([priority, host]) => {
    const letters = host.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)]))
    const data = Buffer.concat([Buffer.from([0, priority]), ...letters, Buffer.from([0])])
    const fixed = Buffer.from([0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 60, 0, data.length])
    return Buffer.concat([fixed, data])
  })
  return Buffer.concat([head, question, ...records])
}
