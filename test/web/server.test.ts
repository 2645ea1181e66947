import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { subscriptionsOf } from '../../src/store/subscribers/subscribers.ts'
import { type ConnectionLimits, serve } from '../../src/web/server.ts'
import { openSite, type Site } from './site.ts'

let site: Site

beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site.close())

const on = (port: number, host = '127.0.0.1') => ({
  ...site.app,
  config: { ...site.app.config, web: { ...site.app.config.web, port, host } },
})

test('serves the pages over HTTP, and stops when asked to', async () => {
  const serving = await serve(on(0))
  expect(serving.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  const answer = await fetch(`${serving.url}/leave/${site.key}`, {
    method: 'POST',
    body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }),
  })
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('You are unsubscribed')])
  const large = await fetch(`${serving.url}/preferences/${site.key}`, { method: 'POST', body: 'x'.repeat(100_000) })
  expect(large.status).toBe(413)
  await serving.close()
  await expect(fetch(serving.url)).rejects.toThrow()
})

test('a port that is taken is an error that says which, and what to do', async () => {
  const first = await serve(on(0))
  const port = Number(new URL(first.url).port)
  await expect(serve(on(port))).rejects.toMatchObject({
    code: 'unavailable',
    message: `port ${port} of 127.0.0.1 is taken`,
    hint: expect.stringContaining('web.port'),
  })
  await first.close()
})

test('an interface that this machine does not have is an error that says so', async () => {
  await expect(serve(on(0, '203.0.113.1'))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('cannot listen'),
    hint: expect.stringContaining('web.host'),
  })
})

describe('a connection', () => {
  /** What the server sent until the connection closed; `hangUp` closes it from our side after writing. */
  async function talk(port: number, text: string, { hangUp = false } = {}): Promise<string> {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('error', () => {})
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write(text, () => hangUp && socket.destroy())
    await closed
    return answer
  }

  async function served<T>(
    work: (port: number, logged: unknown[]) => Promise<T>,
    limits?: ConnectionLimits,
  ): Promise<T> {
    const logged: unknown[] = []
    const note = (...line: unknown[]) => void logged.push(line)
    const app = { ...on(0), log: { ...site.app.log, info: note, warn: note, error: note } }
    const serving = await serve(app, limits)
    try {
      return await work(Number(new URL(serving.url).port), logged)
    } finally {
      await serving.close()
    }
  }

  const head = (path: string, more: string) =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n${more}\r\n\r\n`

  test.each([
    ['is chunked and never ends', 'Transfer-Encoding: chunked', '5\r\nhello\r\n'],
    ['is shorter than announced', 'Content-Length: 9999999', 'List-Unsubscribe'],
    ['is longer than 64 KB', 'Content-Length: 200000', 'x'.repeat(200_000)],
    ['is not sent at all', 'Content-Length: 26', ''],
  ])('that posts to leave is answered, and has left, though its body %s', async (_, header, body) => {
    await site.app.db.updateTable('subscriptions').set({ leftAt: null }).execute()
    const answer = await served((port) => talk(port, head(`/leave/${site.key}`, header) + body))
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(answer).toContain('You are unsubscribed from The Weekly')
    expect((await subscriptionsOf(site.app.db, site.reader.id))[0]?.leftAt).toBe(site.clock.now())
  })

  test('that hangs up in the middle of a body logs nothing', async () => {
    await served(async (port, logged) => {
      for (const path of ['/', `/leave/${site.key}`, `/preferences/${site.key}`, '/studio/letters', '/sign-in/x'])
        for (const header of ['Content-Length: 600', 'Transfer-Encoding: chunked'])
          await talk(port, `${head(path, header)}5\r\nhello\r\n`, { hangUp: true })
      const whole = await fetch(`http://127.0.0.1:${port}/health`) // those before it have been dealt with
      expect([whole.status, logged]).toEqual([200, []])
    })
  })

  const limits = { maxConnections: 2, headersTimeoutMs: 50, requestTimeoutMs: 100 }

  test('that never ends the head or the body of its request is closed', async () => {
    await served(async (port) => {
      expect(await talk(port, 'GET / HTTP/1.1\r\nHost: x\r\n')).toMatch(/^HTTP\/1\.1 408 /)
      await talk(port, `${head('/preferences/x', 'Transfer-Encoding: chunked')}5\r\nhello\r\n`)
      expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200)
    }, limits)
  })

  test('beyond the limit is closed at once, and there is room again when others have gone', async () => {
    await served(
      async (port) => {
        const held = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
        await Promise.all(held.map((socket) => once(socket, 'connect')))
        expect(await talk(port, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n')).toBe('')
        for (const socket of held) {
          socket.write('GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
          socket.resume()
          await once(socket, 'close')
        }
        expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200)
      },
      { ...limits, headersTimeoutMs: 60_000, requestTimeoutMs: 60_000 },
    )
  })
})
