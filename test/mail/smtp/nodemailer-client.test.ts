import { readFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { configSchema } from '../../../src/config/config.ts'
import { NodemailerClient } from '../../../src/mail/smtp/nodemailer-client.ts'
import { ReplyReader } from '../../../src/mail/smtp/reply-reader.ts'
import { startPlainRelay, startTlsRelay } from '../../support/smtp/tls-relay.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const ehlo = ['PIPELINING', 'SMTPUTF8', 'SIZE 1000']

async function connected(security: 'none' | 'starttls' | 'tls'): Promise<NodemailerClient> {
  const starting = {
    none: () => startPlainRelay({ ehlo, tls: null }),
    starttls: () => startPlainRelay({ ehlo }),
    tls: () => startTlsRelay({ ehlo }),
  }
  const server = await starting[security]()
  closing.push(server.close)
  const trusted = security === 'none' ? {} : { ca: 'fixtures/tls/ca.pem', tlsServerName: 'mail.relay.example' }
  const { relay } = configSchema.parse({
    publication: { name: 'M', site: 'https://m.example', contact: 'a@m.example', address: 'M' },
    relay: { host: '127.0.0.1', port: server.port, security, timeout: 2, ...trusted },
  })
  const client = await NodemailerClient.open(relay, undefined)
  closing.push(() => client.close())
  await client.connect()
  return client
}

test.each(['none', 'starttls', 'tls'] as const)(
  'the socket that is taken over is ours alone, with what the server offers (security: %s)',
  async (security) => {
    const client = await connected(security)
    expect([client.isEncrypted, client.isGreeted]).toEqual([security !== 'none', true])
    const { socket, offers } = client.takeSocket()
    closing.push(() => socket.destroy())
    expect([socket.listenerCount('data'), socket.listenerCount('timeout')]).toEqual([0, 0])
    expect(offers).toEqual({ pipelining: true, utf8: true, size: true, maximumSize: 1000 })
    const replies = new ReplyReader(socket)
    socket.write('QUIT\r\n')
    expect(await replies.next()).toEqual({ code: 221, text: '221 bye' })
  },
)

test.each(['data', 'error', 'close', 'end', 'timeout'])(
  'a nodemailer that no longer listens for %s as the pinned version does is found out, and no message goes',
  async (event) => {
    const client = await connected('none')
    client.socket?.removeAllListeners(event)
    closing.push(() => client.socket?.destroy())
    expect(() => client.takeSocket()).toThrow('its version is not the pinned one')
  },
)

test('nodemailer is pinned to one version, because its private members are used', () => {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  expect(dependencies.nodemailer).toMatch(/^\d+\.\d+\.\d+$/)
})
