import { connect, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ReplyReader } from '../../../src/mail/smtp/reply-reader.ts'

const timeoutMs = 20
let server: ReturnType<typeof createServer>
let client: Socket
let relay: Socket
let replies: ReplyReader

beforeEach(async () => {
  const accepted = Promise.withResolvers<Socket>()
  server = createServer((socket) => accepted.resolve(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  client = connect(port, '127.0.0.1')
  await new Promise((resolve) => client.once('connect', resolve))
  relay = await accepted.promise
  relay.setNoDelay(true)
  relay.on('error', () => {})
  client.setTimeout(timeoutMs)
  replies = new ReplyReader(client)
})
afterEach(() => {
  client.destroy()
  relay.destroy()
  server.close()
})

/** Holds the thread for longer than a reply may take. */
function hold(): void {
  const end = performance.now() + 2 * timeoutMs
  while (performance.now() < end);
}

test('an answer that came while the thread was held in pieces is read, each time', async () => {
  for (let number = 1; number <= 20; number++) {
    const next = replies.next()
    relay.write(`250 ${number}\r\n`) // it is in the other socket before the thread is held
    hold()
    setImmediate(hold)
    expect(await next).toEqual({ code: 250, text: `250 ${number}` })
  }
})

test('an answer of which the second half came while the thread was held is read', async () => {
  const next = replies.next()
  relay.write('250-one\r\n')
  await new Promise((resolve) => client.once('data', resolve))
  relay.write('250-two\r\n')
  hold()
  await new Promise((resolve) => client.once('data', resolve))
  relay.write('250 three\r\n')
  hold()
  expect(await next).toEqual({ code: 250, text: '250-one\n250-two\n250 three' })
})

test('an answer that does not come, or not to its end, is not waited for', async () => {
  await expect(Promise.resolve(replies.next())).rejects.toThrow('did not answer in time')
  expect(replies.isBroken).toBe(true)
})

test('an answer that drips is not waited for', async () => {
  const dripping = setInterval(() => relay.write('250-more\r\n'), timeoutMs / 4)
  await expect(Promise.resolve(replies.next())).rejects.toThrow('did not answer in time')
  clearInterval(dripping)
})
