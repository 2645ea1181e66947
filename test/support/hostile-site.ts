import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Feeds, each at its own path, that are made to cost whoever reads them as much as they can. */
const hostileFeeds: Record<string, (site: string, scale: number) => Buffer> = {
  '/titles.rss': (_, scale) =>
    rss(Array.from({ length: 1500 * scale }, (_, number) => item(`titles-${number}`, { title: manyWords(number) }))),
  '/short-titles.rss': (_, scale) =>
    rss(Array.from({ length: 4000 * scale }, (_, number) => item(`short-${number}`, { title: manyWords(number, 36) }))),
  '/one-address.rss': (_, scale) =>
    rss(Array.from({ length: 3000 * scale }, (_, number) => item(`one-${number}`, { link: '/one' }))),
  '/tags.xml': (_, scale) => Buffer.alloc(10_000_000 * scale, '<'),
  '/brackets.json': (_, scale) => Buffer.alloc(10_000_000 * scale, '['),
  '/bytes.xml': (_, scale) => Buffer.alloc(9_000_000 * scale, 0xff),
  '/deep.xml': () => Buffer.from(`<rss><channel>${'<a>'.repeat(300_000)}`),
  '/links.rss': () => rss(Array.from({ length: 3 }, (_, number) => item(`links-${number}`, { link: longLink }))),
  '/links.json': () =>
    json(Array.from({ length: 3 }, (_, number) => ({ id: `link-${number}`, url: longLink, title: `Link ${number}` }))),
  '/pictures.json': () =>
    json([
      {
        id: 'picture',
        url: '/picture',
        title: 'Picture',
        image: longLink,
        banner_image: longLink,
      },
    ]),
  '/authors.rss': () =>
    rss(Array.from({ length: 70 }, (_, number) => item(`author-${number}`, { author: 'a@'.repeat(190) }))),
  '/elsewhere.rss': (site) =>
    rss(Array.from({ length: 20 }, (_, number) => item(`elsewhere-${number}`, { link: elsewhere(site, number) }))),
  '/good.rss': () => rss([item('good', { title: 'Trams return to the harbour' })]),
}

/** Whose robots.txt is megabytes of no text, and whose is 39,000 rules. */
const hosts = { bytes: '127.0.0.2', rules: '127.0.0.3' }

export type HostileSite = { url: string; feeds: string[]; close(): void }

/**
 * Serves the feeds on 127.0.0.1, and robots.txt and pages on two more addresses of this machine. A `scale` below 1 makes
 * the largest of them so much smaller.
 */
export async function startHostileSite(scale: number): Promise<HostileSite> {
  const feeds = new Map<string, Buffer>()
  const noText = Buffer.alloc(9_000_000 * scale, 0xff)
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://site')
    const feed = feeds.get(pathname)
    const isRules = request.headers.host?.startsWith(hosts.rules)
    if (pathname === '/robots.txt') response.end(isRules ? manyRules : noText)
    else if (feed) response.end(feed)
    else response.setHeader('content-type', 'text/html').end(noText.subarray(0, 60_000))
  })
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  // made before they are asked for: whoever measures answers in this process is not to be held up
  for (const [path, make] of Object.entries(hostileFeeds)) feeds.set(path, make(url, scale))
  return { url, feeds: Object.keys(hostileFeeds).map((path) => url + path), close: () => closeServer(server) }
}

function closeServer(server: Server): void {
  server.close()
  server.closeAllConnections()
}

const longLink = `http://${'n'.repeat(32_000)} b`
const manyRules = `user-agent: *\n${'disallow:/*b\n'.repeat(39_000)}`

/** A title of one-letter and two-letter words of which each number leaves out every fortieth. */
function manyWords(number: number, words = 240): string {
  const all = Array.from({ length: words }, (_, index) => letter(index) + (index % 3 === 0 ? '' : letter(7 * index)))
  return all.filter((_, index) => index % 40 !== number % 40).join(' ')
}

function letter(index: number): string {
  return String.fromCharCode(97 + (index % 26))
}

function elsewhere(site: string, number: number): string {
  const { port } = new URL(site)
  return `http://${number % 2 ? hosts.bytes : hosts.rules}:${port}/${'aab'.repeat(500)}${number}`
}

function item(id: string, { title = `Piece ${id}`, link = `/${id}`, author = '' } = {}): string {
  return `<item><guid>${id}</guid><title>${title}</title><link>${link}</link><author>${author}</author></item>`
}

function rss(items: string[]): Buffer {
  return Buffer.from(`<rss version="2.0"><channel><title>Feed</title>${items.join('\n')}</channel></rss>`)
}

function json(items: object[]): Buffer {
  return Buffer.from(JSON.stringify({ version: 'https://jsonfeed.org/version/1.1', title: 'Feed', items }))
}
