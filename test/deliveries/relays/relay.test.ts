import { createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { configSchema } from '../../../src/config/config.ts'
import { Relay } from '../../../src/deliveries/relays/relay.ts'
import { answerText } from '../../support/answer-text.ts'
import { startRelay } from '../../support/smtp/relay.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const letter = {
  envelope: { from: 'bounces@magazine.example', to: 'mira@readers.example' },
  raw: Buffer.from('Subject: one\r\n\r\n.a line with a dot\r\n'),
}

function relayAt(port: number, settings: object = {}) {
  const { relay } = configSchema.parse({
    publication: { name: 'M', site: 'https://m.example', contact: 'a@m.example', address: 'M' },
    relay: { host: '127.0.0.1', port, security: 'none', timeout: 2, ...settings },
  })
  const opened = new Relay(relay)
  closing.push(() => opened.close())
  return opened
}

test('hands over the very bytes', async () => {
  const server = await startRelay()
  closing.push(server.close)
  expect(await relayAt(server.port).send(letter)).toEqual({ kind: 'accepted', reply: '250 2.0.0 taken' })
  expect(server.accepted[0]?.raw.toString()).toBe('Subject: one\r\n\r\n..a line with a dot\r\n')
})

test('keeps a connection for the next message, and renews it after as many as the settings say', async () => {
  const connections = new Set<number>()
  const server = await startRelay((stage, { connection }) => {
    if (stage === 'dot') connections.add(connection)
    return undefined
  })
  closing.push(server.close)
  const relay = relayAt(server.port, { messagesPerConnection: 3 })
  for (let sent = 0; sent < 7; sent++) await relay.send(letter)
  expect(connections.size).toBe(3)
})

test('takes a fresh connection when a kept one was closed meanwhile', async () => {
  const server = await startRelay((stage, { connection }) =>
    stage === 'MAIL' && connection === 1 && server.accepted.length > 0 ? { drop: true } : undefined,
  )
  closing.push(server.close)
  const relay = relayAt(server.port)
  await relay.send(letter)
  expect(await relay.send(letter)).toMatchObject({ kind: 'accepted' })
})

test('a connection that is cut while we log in is no connection, and says so', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.write('220 here\r\n')
    socket.on('data', (chunk) => {
      if (/^EHLO/i.test(chunk.toString())) socket.write('250-here\r\n250 AUTH PLAIN\r\n')
      else socket.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  const { port } = server.address() as { port: number }
  const result = await relayAt(port, { user: 'me', password: 'secret' }).send(letter)
  expect(result.kind).toBe('unsent')
  expect(result.reply).toBe('')
  expect(answerText(result)).toContain(`127.0.0.1:${port}: `)
  expect(answerText(result)).not.toContain('secret')
})

test('a server that offers no STARTTLS gets nothing when STARTTLS is required, which is the default', async () => {
  const server = await startRelay()
  closing.push(server.close)
  expect(await relayAt(server.port, { security: 'starttls' }).send(letter)).toMatchObject({ kind: 'unsent' })
  expect(server.commands.some((line) => line.startsWith('MAIL'))).toBe(false)
})

test('a server that never answers is given up after the time that the settings name', async () => {
  const server = await startRelay((stage) => (stage === 'connect' ? { hang: true } : undefined))
  closing.push(server.close)
  expect(await relayAt(server.port, { timeout: 0.2 }).send(letter)).toMatchObject({ kind: 'unsent' })
})
