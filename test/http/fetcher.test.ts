import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createRawServer } from 'node:net'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Fetched, FetchLimits } from '../../src/http/fetched.ts'
import { type Fetcher, openFetcher } from '../../src/http/fetcher.ts'
import { HostLimit } from '../../src/http/host-limit.ts'
import { refusalReason } from '../../src/http/public-address.ts'
import type { Clock } from '../../src/time/clock.ts'

const closing: (() => Promise<unknown> | unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

describe('what comes back', () => {
  test('the bytes, what the server says of them, and who asked', async () => {
    let asked: IncomingMessage | undefined
    const url = await serve((request, response) => {
      asked = request
      const headers = {
        'content-type': 'application/rss+xml',
        etag: '"e1"',
        'last-modified': 'Fri, 20 Nov 2026 09:30:00 GMT',
      }
      response.writeHead(200, { ...headers, 'cache-control': 'public, max-age=600' }).end('<rss/>')
    })
    const fetched = ok(await open().get(`${url}/feed`))
    expect(text(fetched)).toBe('<rss/>')
    expect(fetched).toMatchObject({
      url: `${url}/feed`,
      movedTo: null,
      contentType: 'application/rss+xml',
      etag: '"e1"',
      maxAge: 600,
    })
    expect(asked?.headers['user-agent']).toBe('Lastword test')
    expect(asked?.headers['if-none-match']).toBeUndefined()
  })

  test('a conditional request that is answered 304 is unchanged', async () => {
    let asked: IncomingMessage | undefined
    const url = await serve((request, response) => {
      asked = request
      response.writeHead(304, { 'cache-control': 'max-age=60' }).end()
    })
    const fetcher = open()
    const lastModified = 'Fri, 20 Nov 2026 09:30:00 GMT'
    expect(await fetcher.get(url, { etag: '"e1"', lastModified })).toEqual({
      kind: 'unchanged',
      movedTo: null,
      maxAge: 60,
    })
    expect(asked?.headers).toMatchObject({ 'if-none-match': '"e1"', 'if-modified-since': lastModified })
    expect(await fetcher.get(url)).toMatchObject({ kind: 'failed', status: 304 })
  })

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
  ] as const)('%s is unpacked', async (coding, pack) => {
    const url = await serve((_, response) =>
      response.setHeader('content-encoding', coding).end(pack(Buffer.from('<rss>é</rss>'))),
    )
    expect(text(ok(await open().get(url)))).toBe('<rss>é</rss>')
  })

  test('4xx and 5xx fail with their status, and with when to come back', async () => {
    const url = await serve((request, response) => {
      const date = new Date(Date.UTC(2026, 10, 20, 10)).toUTCString()
      const later = new Date(Date.UTC(2026, 10, 20, 10, 2)).toUTCString()
      if (request.url === '/gone') response.writeHead(410).end()
      else
        response
          .writeHead(503, { date, 'retry-after': request.url === '/date' ? later : '90' })
          .end('<html>busy</html>')
    })
    const fetcher = open()
    expect(await fetcher.get(`${url}/gone`)).toMatchObject({
      kind: 'failed',
      status: 410,
      reason: expect.stringContaining('it is gone'),
    })
    expect(await fetcher.get(`${url}/busy`)).toMatchObject({ status: 503, retryAfterSeconds: 90 })
    expect(await fetcher.get(`${url}/date`)).toMatchObject({ status: 503, retryAfterSeconds: 120 })
  })

  test('a date of a server that does not show its clock is read against ours', async () => {
    const url = await serve((request, response) => {
      response.sendDate = false
      const later = 'Fri, 20 Nov 2026 10:05:00 GMT'
      if (request.url === '/busy') response.writeHead(503, { 'retry-after': later }).end()
      else response.writeHead(200, { expires: later }).end('<rss/>')
    })
    const fetcher = open({}, { now: () => '2026-11-20T10:00:00.000Z' })
    expect(await fetcher.get(`${url}/busy`)).toMatchObject({ status: 503, retryAfterSeconds: 300 })
    expect(await fetcher.get(url)).toMatchObject({ maxAge: 300 })
  })

  test.each([
    [{ expires: 'Fri, 20 Nov 2026 13:00:00 GMT' }, 10_800],
    [{ expires: 'Fri, 20 Nov 2026 13:00:00 GMT', 'cache-control': 'public, max-age=60' }, 60],
    [{ expires: 'Fri, 20 Nov 2026 13:00:00 GMT', 'cache-control': 'no-cache' }, null],
    [{ expires: 'Thu, 19 Nov 1981 08:52:00 GMT' }, 0],
    [{ expires: 'soon' }, null],
    [{}, null],
  ])('Expires says how long an answer holds, where Cache-Control does not: %j', async (headers, maxAge) => {
    const date = 'Fri, 20 Nov 2026 10:00:00 GMT'
    const url = await serve((_, response) => void response.writeHead(200, { date, ...headers }).end('<rss/>'))
    expect(ok(await open().get(url)).maxAge).toBe(maxAge)
  })
})

describe('redirects', () => {
  test('a chain of only 301 and 308 is a move, any other is not', async () => {
    const url = await serve((request, response) => {
      const next: Record<string, [number, string]> = {
        '/old': [301, '/older'],
        '/older': [308, 'new'],
        '/tmp': [302, '/old'],
      }
      const [status, location] = next[request.url ?? ''] ?? [200, '']
      response.writeHead(status, location ? { location } : {}).end('<rss/>')
    })
    const fetcher = open()
    expect(await fetcher.get(`${url}/old`)).toMatchObject({ kind: 'ok', url: `${url}/new`, movedTo: `${url}/new` })
    expect(await fetcher.get(`${url}/tmp`)).toMatchObject({ kind: 'ok', url: `${url}/new`, movedTo: null })
  })

  test('more than five end', async () => {
    const url = await serve((_, response) => response.writeHead(302, { location: '/again' }).end())
    expect(await open().get(url)).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('more than 5 times'),
    })
  })

  test.each([
    ['http://169.254.169.254/latest/meta-data/', 'link-local'],
    ['http://[::ffff:127.0.0.1]/', 'IPv4 inside IPv6'],
    ['http://2886729729/', 'a private network'],
    ['file:///etc/passwd', 'only http and https'],
    ['http://user:secret@127.0.0.1/', 'name or password'],
    ['http://[', 'no address'],
  ])('to %s is refused', async (location, reason) => {
    const url = await serve((_, response) => response.writeHead(302, { location }).end())
    expect(await open().get(url)).toMatchObject({ kind: 'failed', reason: expect.stringContaining(reason) })
  })

  test('to a name that resolves to this machine is refused, and nothing reaches it', async () => {
    let reached = 0
    const url = await serve((request, response) => {
      if (request.headers.host?.startsWith('localhost')) reached++
      response.writeHead(302, { location: `http://localhost:${new URL(url).port}/inside` }).end()
    })
    expect(await open().get(url)).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('this machine itself'),
    })
    expect(reached).toBe(0)
  })
})

describe('what is not fetched', () => {
  test.each([
    ['http://127.0.0.1/', 'this machine itself'],
    ['http://127.0.0.1:9/', 'port 9 belongs to another protocol'],
    ['http://10.0.0.1/', 'a private network'],
    ['http://192.168.1.1/', 'a private network'],
    ['http://172.16.0.1/', 'a private network'],
    ['http://169.254.169.254/', 'link-local'],
    ['http://100.64.0.1/', 'inside a provider’s network'],
    ['http://0.0.0.0/', 'unspecified'],
    ['http://224.0.0.1/', 'multicast'],
    ['http://[::1]/', 'this machine itself'],
    ['http://[fc00::1]/', 'a private network'],
    ['http://[fe80::1]/', 'link-local'],
    ['http://[64:ff9b::7f00:1]/', 'IPv4 inside IPv6'],
    ['http://[::ffff:10.0.0.1]/', 'IPv4 inside IPv6'],
    ['http://[::]/', 'unspecified'],
    ['http://localhost/', 'this machine itself'],
    ['http://[::7f00:1]/', 'IPv6 outside of 2000::/3'],
    ['http://[::a9fe:a9fe]/', 'IPv6 outside of 2000::/3'],
    ['http://[4000::1]/', 'IPv6 outside of 2000::/3'],
    ['http://93.184.216.34:25/', 'port 25 belongs to another protocol'],
    ['https://example.org:6667/', 'port 6667 belongs to another protocol'],
    ['ftp://example.org/', 'only http and https'],
    ['https://me:pw@example.org/', 'name or password'],
    ['nonsense', 'is not an address'],
  ])('%s: %s', async (address, reason) => {
    expect(await open({ allow: [] }).get(address)).toMatchObject({
      kind: 'failed',
      status: null,
      reason: expect.stringContaining(reason),
    })
  })

  test('public addresses are public', () => {
    expect(['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'].map(refusalReason)).toEqual([null, null])
  })

  test('a host is allowed with any port, or with the one named', async () => {
    const url = await serve((_, response) => response.end('<rss/>'))
    const { port } = new URL(url)
    expect(await open({ allow: ['127.0.0.1'] }).get(url)).toMatchObject({ kind: 'ok' })
    expect(await open({ allow: [`127.0.0.1:${port}`] }).get(url)).toMatchObject({ kind: 'ok' })
    expect(await open({ allow: ['127.0.0.1:1'] }).get(url)).toMatchObject({ kind: 'failed' })
  })
})

describe('limits', () => {
  test('too many bytes', async () => {
    const url = await serve((_, response) => response.end(Buffer.alloc(5000)))
    expect(await open({ maximumBytes: 4999 }).get(url)).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('more than 4999 bytes'),
    })
    expect(await open({ maximumBytes: 5000 }).get(url)).toMatchObject({ kind: 'ok' })
  })

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const)('a %s bomb', async (coding, pack) => {
    const bomb = pack(Buffer.alloc(50_000_000))
    const url = await serve((_, response) => response.setHeader('content-encoding', coding).end(bomb))
    const fetched = await open({ maximumBytes: 1_000_000 }).get(url)
    expect(fetched).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('more than 1000000 bytes once unpacked'),
    })
  })

  test('of a body only the beginning is read where no more is wanted', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/packed') response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(5000)))
      else response.end(Buffer.alloc(5_000_000))
    })
    for (const path of ['/plain', '/packed'])
      expect(ok(await open().get(url + path, { truncateAtBytes: 1000 })).bytes).toHaveLength(1000)
  })

  test('a chunk extension without end is cut, long before the time limit', async () => {
    const server = createRawServer((socket) => {
      socket.on('error', () => {}).write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;')
      const more = () => {
        while (!socket.destroyed && socket.write('b'.repeat(65_536))) {}
      }
      socket.on('drain', more)
      more()
    })
    closing.push(() => new Promise((resolve) => server.close(resolve)))
    const url = await listen(server)
    expect(await open({ timeout: 600, maximumBytes: 1000 }).get(url)).toMatchObject({ kind: 'failed' })
  })

  test('no host is asked for more than two things at a time, and waiting costs no time of the limit', async () => {
    const waiting: ServerResponse[] = []
    let [asked, started, arrived, most] = [0, 0, 0, 0]
    const { run } = HostLimit.prototype
    vi.spyOn(HostLimit.prototype, 'run').mockImplementation(function (this: HostLimit, name, signal, work) {
      asked++
      const counted = () => {
        started++
        return work()
      }
      return run.call(this, name, signal, counted) as never
    })
    const url = await serve((_, response) => {
      most = Math.max(most, waiting.push(response))
      if (++arrived < started || asked < 8) return // nothing is answered before all that may come has come
      for (const one of waiting.splice(0)) one.end('<rss/>')
    })
    const fetcher = open()
    const fetched = await Promise.all(Array.from({ length: 8 }, (_, index) => fetcher.get(`${url}/${index}`)))
    expect(fetched.map(({ kind }) => kind)).toEqual(Array(8).fill('ok'))
    expect(most).toBe(2)
  })

  test('a slow drip ends with the time limit', async () => {
    const url = await serve((_, response) => drip(response))
    expect(await open({ timeout: 0.3 }).get(url)).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('no complete answer within 0.3 s'),
    })
  })

  test('silence ends with the time limit', async () => {
    const url = await serve(() => {})
    expect(await open({ timeout: 0.2 }).get(url)).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('within 0.2 s'),
    })
  })

  test('the caller may stop it', async () => {
    const stop = new AbortController()
    const url = await serve(() => stop.abort())
    expect(await open().get(url, { signal: stop.signal })).toMatchObject({ kind: 'failed' })
  })
})

describe('strangers that fail are values', () => {
  test('nobody listens', async () => {
    const server = createServer()
    const url = await listen(server)
    await new Promise((resolve) => server.close(resolve))
    expect(await open().get(url)).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('refuses the connection'),
    })
  })

  test('a name that does not exist', async () => {
    const fetched = await open({ timeout: 5 }).get('http://no-such-name.invalid/')
    expect(fetched).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/no-such-name\.invalid (is not a known host name|cannot be looked up)/),
    })
  })

  test('garbage instead of HTTP', async () => {
    const url = await rawServe('SSH-2.0-OpenSSH\r\n\r\n')
    expect(await open().get(url)).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('does not answer in HTTP'),
    })
  })

  test('a body that breaks off', async () => {
    const url = await rawServe('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<rss>')
    expect(await open().get(url)).toMatchObject({ kind: 'failed' })
  })

  test.each(['aws-chunked', 'utf-8', 'none', 'identity', '', 'gzip', 'br', 'zstd', 'deflate', 'aws-chunked, gzip'])(
    'a body that says "%s" and is plain is read as it is',
    async (coding) => {
      const plain = '<?xml version="1.0"?>\n<rss>café</rss>'
      const url = await serve((_, response) => response.setHeader('content-encoding', coding).end(plain))
      const got = await open().get(url)
      expect(got.kind === 'ok' && Buffer.from(got.bytes).toString()).toBe(plain)
    },
  )

  test('a JSON document and UTF-16 under a coding that is none are read, and gzip with another coding unpacked', async () => {
    const bodies: Record<string, Buffer> = {
      '/json': Buffer.from(' {"version":"https://jsonfeed.org/version/1.1"}'),
      '/utf-16': Buffer.from('\ufeff<rss>é</rss>', 'utf16le'),
      '/gzip': gzipSync('<rss/>'),
    }
    const url = await serve((request, response) => {
      const path = request.url ?? ''
      response.setHeader('content-encoding', path === '/gzip' ? 'gzip, aws-chunked' : 'binary').end(bodies[path])
    })
    const read = async (path: string) => {
      const got = await open().get(url + path)
      return got.kind === 'ok' ? Buffer.from(got.bytes) : got.kind
    }
    expect(await read('/json')).toEqual(bodies['/json'])
    expect(await read('/utf-16')).toEqual(bodies['/utf-16'])
    expect(String(await read('/gzip'))).toBe('<rss/>')
  })

  test('broken gzip and a packing that nobody knows', async () => {
    const url = await serve((request, response) =>
      response.setHeader('content-encoding', request.url === '/a' ? 'gzip' : 'rot13').end('no'),
    )
    const fetcher = open()
    expect(await fetcher.get(`${url}/a`)).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('broken gzip data'),
    })
    expect(await fetcher.get(`${url}/b`)).toMatchObject({ kind: 'failed', reason: expect.stringContaining('"rot13"') })
  })
})

function open(limits: Partial<FetchLimits> = {}, clock?: Clock): Fetcher {
  const usual = { allow: ['127.0.0.1'], timeout: 10, maximumBytes: 1_000_000, userAgent: 'Lastword test' }
  const fetcher = openFetcher({ ...usual, ...limits }, clock)
  closing.push(() => fetcher.close())
  return fetcher
}

function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  closing.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return listen(server)
}

function rawServe(answer: string): Promise<string> {
  const server = createRawServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(answer)))
  closing.push(() => new Promise((resolve) => server.close(resolve)))
  return listen(server)
}

function listen(server: Server | ReturnType<typeof createRawServer>): Promise<string> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)),
  )
}

/** A byte every few milliseconds, for ever: no gap is long, only the whole is. */
function drip(response: ServerResponse): void {
  response.writeHead(200)
  const timer = setInterval(() => response.write(' '), 20)
  response.on('close', () => clearInterval(timer))
}

function ok(fetched: Fetched): Extract<Fetched, { kind: 'ok' }> {
  if (fetched.kind !== 'ok') throw new Error(JSON.stringify(fetched))
  return fetched
}

function text({ bytes }: { bytes: Uint8Array }): string {
  return new TextDecoder().decode(bytes)
}
