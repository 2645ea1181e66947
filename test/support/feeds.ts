import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FetchLimits } from '../../src/http/fetched.ts'
import { type Fetcher, openFetcher } from '../../src/http/fetcher.ts'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

export type FeedHost = {
  url: string
  port: number
  /** What was asked, in order. */
  asked: string[]
  /** The most connections that were open at once; one that is being closed may still count. */
  mostConnections(): number
  /** The most requests that were under way at once. */
  mostAtOnce(): number
  answer(path: string, answer: Answer | string): void
  close(): Promise<void>
}

/** A real HTTP server with a feed, or whatever else, at each path. `host` 0.0.0.0 answers on all of 127.0.0.0/8. */
export async function startFeedHost(host = '127.0.0.1'): Promise<FeedHost> {
  const answers = new Map<string, Answer>()
  const asked: string[] = []
  let open = 0
  let most = 0
  let underWay = 0
  let mostUnderWay = 0
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    asked.push(path)
    mostUnderWay = Math.max(mostUnderWay, ++underWay)
    response.once('finish', () => underWay--)
    const answer = answers.get(path) ?? answers.get('*')
    if (answer) answer(request, response)
    else response.writeHead(404).end()
  })
  server.on('connection', (socket) => {
    most = Math.max(most, ++open)
    socket.on('close', () => open--)
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    asked,
    mostConnections: () => most,
    mostAtOnce: () => mostUnderWay,
    answer(path, answer) {
      answers.set(path, typeof answer === 'string' ? (_, response) => void response.end(answer) : answer)
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** A fetcher that may reach such a server; the limits given take the place of the usual ones. */
export function openTestFetcher(limits: Partial<FetchLimits> = {}): Fetcher {
  const usual = { allow: ['127.0.0.1'], timeout: 10, maximumBytes: 1_000_000, userAgent: 'Lastword test' }
  return openFetcher({ ...usual, ...limits })
}

/** A feed of a magazine at magazine.example with these titles, dated an hour apart, the first at `newest`. */
export function rss(titles: string[], { channel = '', newest = '2026-11-27T06:00:00.000Z' } = {}): string {
  const items = titles.map((title, index) => {
    const date = new Date(Date.parse(newest) - index * 3_600_000).toUTCString()
    const link = `https://magazine.example/${title.replaceAll(' ', '-')}`
    return `<item><title>${title}</title><link>${link}</link><guid>${link}</guid><pubDate>${date}</pubDate></item>`
  })
  return `<rss version="2.0"><channel><title>The Magazine</title><link>https://magazine.example/</link>${channel}${items.join('')}</channel></rss>`
}

export function redirect(status: number, location: string): Answer {
  return (_, response) => void response.writeHead(status, { location }).end()
}
