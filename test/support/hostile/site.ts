import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type HostileFeed, hostileFeeds, hostileHosts, manyRules } from './shapes.ts'

export type HostileSite = {
  url: string
  feeds: string[]
  /** Each feed is answered when this resolves: whoever asks for several at once then gets one after another. */
  beforeFeed: (path: string) => Promise<unknown>
  /** From now on every feed has the same entries under other guids. */
  renewGuids(): void
  close(): void
}

/**
 * Serves the hostile feeds on 127.0.0.1, and robots.txt and pages on two more addresses of this machine. A `scale` below
 * 1 makes the largest of them so much smaller.
 */
export async function startHostileSite(scale: number): Promise<HostileSite> {
  const feeds = new Map<string, HostileFeed>()
  const noText = Buffer.alloc(10_000_000 * scale, 0xff)
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://site')
    const feed = feeds.get(pathname)
    const isRules = request.headers.host?.startsWith(hostileHosts.rules)
    if (feed) await site.beforeFeed(pathname)
    if (pathname === '/robots.txt') response.end(isRules ? manyRules : noText)
    else if (feed) response.writeHead(200, feed.headers).end(feed.bytes)
    else response.setHeader('content-type', 'text/html').end(noText.subarray(0, 60_000))
  })
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  // made before they are asked for: whoever measures answers in this process is not to be held up
  for (const [path, make] of Object.entries(hostileFeeds)) feeds.set(path, make(url, scale))
  const paths = Object.keys(hostileFeeds).map((path) => url + path)
  const site: HostileSite = {
    url,
    feeds: paths,
    beforeFeed: async () => {},
    renewGuids() {
      for (const [path, feed] of feeds) feeds.set(path, { ...feed, bytes: withOtherGuids(feed.bytes) })
    },
    close: () => closeServer(server),
  }
  return site
}

/** As latin1, which leaves every byte as it is. */
function withOtherGuids(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1').replace(/<guid>|<id>|"id":"/g, '$&again-')
  return Buffer.from(text, 'latin1')
}

function closeServer(server: Server): void {
  server.close()
  server.closeAllConnections()
}
