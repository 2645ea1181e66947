import { connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { configSchema } from '../../../src/config/config.ts'
import { Relay } from '../../../src/deliveries/relays/relay.ts'
import { causeOf } from '../../../src/mail/reply-rules/answers.ts'
import { retryAfterMs } from '../../../src/mail/reply-rules/deferrals.ts'
import { oneLine } from '../../../src/mail/reply-rules/reply-text.ts'
import { ReplyReader } from '../../../src/mail/smtp/reply-reader.ts'
import { minute } from '../../../src/time/clock.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

describe('the words of an answer', () => {
  test('stand on one line, without control characters, as well-formed text of at most a thousand characters', () => {
    expect(oneLine('550-no \r\n\r\n  550 such\tuser\0\u001b[2J\u202e \n')).toBe('550-no 550 such user  [2J')
    expect(oneLine(`550 ${'é'.repeat(2000)}`)).toHaveLength(1000)
    expect(oneLine(`${'x'.repeat(999)}😀`)).toBe('x'.repeat(999))
    expect(oneLine('550 \ud800 no')).toBe('550 \ufffd no')
  })

  test('are looked at up to four thousand characters, and read for their meaning up to a thousand', () => {
    expect(oneLine(`250 ok${' '.repeat(60_000)}\nand more`)).toBe('250 ok')
    const far = `450 4.2.0 ${'x '.repeat(500)}`
    expect(retryAfterMs('450 4.2.0 try again in 5 minutes')).toBe(5 * minute)
    expect(retryAfterMs(`${far}try again in 5 minutes`)).toBeUndefined()
    expect(causeOf(`550 ${'x '.repeat(500)}user unknown`)).toBe('unclear')
  })
})

function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on('error', () => {}).once('close', () => resolve()))
}

/** A server that takes every message; `sockets` are its connections. */
async function takingServer() {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.setNoDelay(true).on('error', () => {})
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1')
      if (text.startsWith('EHLO')) socket.write('250-here\r\n250 PIPELINING\r\n')
      else if (text.startsWith('MAIL')) socket.write('250 ok\r\n250 ok\r\n354 go\r\n')
      else if (text.endsWith('\r\n.\r\n')) socket.write('250 taken\r\n')
    })
    socket.write('220 here\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  const { port } = server.address() as { port: number }
  const config = configSchema.parse({
    publication: { name: 'M', site: 'https://m.example', contact: 'a@m.example', address: 'M' },
    relay: { host: '127.0.0.1', port, security: 'none', timeout: 5 },
  })
  const relay = new Relay(config.relay)
  closing.push(() => relay.close())
  return { relay, sockets }
}

const message = {
  envelope: { from: 'a@m.example', to: 'mira@readers.example' },
  raw: Buffer.from('Subject: x\r\n\r\nx\r\n'),
}

describe('a connection that is kept for the next message', () => {
  test('is closed as soon as the relay says anything over it, and the next message takes another', async () => {
    const { relay, sockets } = await takingServer()
    expect(await relay.send(message)).toMatchObject({ kind: 'accepted' })
    const [kept] = sockets as [Socket]
    const closed = closeOf(kept)
    kept.write('250 x\r\n'.repeat(100_000))
    await closed // nothing else would close it
    expect(await relay.send(message)).toMatchObject({ kind: 'accepted' })
    expect(sockets).toHaveLength(2)
  })

  test('is closed for half a reply too', async () => {
    const { relay, sockets } = await takingServer()
    await relay.send(message)
    const [kept] = sockets as [Socket]
    const closed = closeOf(kept)
    kept.write('2')
    await closed
  })
})

test('more than eight replies that nobody asked for end a connection', async () => {
  const server = createServer((socket) => socket.on('error', () => {}).write('250 x\r\n'.repeat(9)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1')
  const replies = new ReplyReader(socket)
  await closeOf(socket)
  expect(replies.isBroken).toBe(true)
})

test.each(['250-x\r\n', '250-xxxx'])('a reply of %j without end is cut before it has brought 200 KB', async (piece) => {
  const server = createServer((socket) => {
    const more = () => {
      while (!socket.destroyed && socket.write(piece.repeat(1000))) {}
    }
    socket.on('error', () => {}).on('drain', more)
    more()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1')
  closing.push(() => socket.destroy())
  const replies = new ReplyReader(socket)
  await expect(replies.next()).rejects.toThrow('the reply has no end')
  expect(socket.bytesRead).toBeLessThan(200_000)
})
