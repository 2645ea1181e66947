import { createServer } from 'node:http'

/** A story of the made-up newsroom. `key` never changes, whatever its address, guid, title and date do. */
export type BusyArticle = {
  key: string
  title: string
  wording: number
  date: string | null
  /** Where it stood first, from 0 to 1 how likely another feed has it too. */
  link: string
  appeal: number
}

export type BusyFeed = {
  url: string
  /** Another feed, of an agency that links to the pieces where they stood first, in their first words. */
  wire: string
  /** Which share of the pieces the agency has. */
  wireShare: number
  pieces: BusyArticle[]
  /** What the next request gets: the feed, an error, or a page to sign in at. */
  answer: 'feed' | 'error' | 'login'
  /** After a move every guid and address is another, the titles are as they were. */
  site: number
  publish(count: number, now: number): void
  /** A tenth of what is listed is not, until the next time; the newest always are. */
  vanish(): void
  edit(share: number): void
  close(): Promise<void>
}

const day = 86_400_000
const maxShown = 60
const subjects = 'council harbour tram library school hospital budget bridge river museum market station'.split(' ')
const verbs = 'opens closes rebuilds questions approves delays celebrates inspects sells restores'.split(' ')
const places = 'Northwold Eastmere Southbeck Westhaven Highcliff Lowmoor Oldbridge Newport'.split(' ')

/** An HTTP server with one RSS feed whose newsroom does what real ones do. `random` gives numbers from 0 to 1. */
export async function startBusyFeed(random: () => number, clock: () => number): Promise<BusyFeed> {
  const vanished = new Set<string>()
  const server = createServer(({ url }, response) => {
    const last = feed.pieces.slice(-maxShown)
    if (url === '/wire.xml') {
      const taken = last.filter(({ appeal }) => appeal < feed.wireShare)
      return response.writeHead(200, { 'content-type': 'application/rss+xml' }).end(toWire(taken.toReversed()))
    }
    if (feed.answer === 'error') return response.writeHead(500).end('broken')
    if (feed.answer === 'login')
      return response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<html><title>Sign in</title><form></form></html>')
    const listed = last.filter((piece) => !vanished.has(piece.key))
    response.writeHead(200, { 'content-type': 'application/rss+xml' }).end(toRss(listed.toReversed(), feed.site))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  const feed: BusyFeed = {
    url: `${origin}/latest.xml`,
    wire: `${origin}/wire.xml`,
    wireShare: 0.6,
    pieces: [],
    answer: 'feed',
    site: 0,
    publish(count, now) {
      for (let index = 0; index < count; index++)
        feed.pieces.push(newPiece(feed.pieces.length, { now, random, site: feed.site }))
    },
    vanish() {
      vanished.clear()
      for (const piece of feed.pieces.slice(-maxShown, -6)) if (random() < 0.1) vanished.add(piece.key)
    },
    edit(share) {
      for (const piece of feed.pieces.slice(-maxShown)) {
        if (random() < share) piece.wording += 1
        if (random() < share / 10) piece.date = laterDate(piece, clock())
      }
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
  return feed
}

/** A corrected hour. With another day, guid and address, the next of a column looks the same. */
function laterDate({ date }: BusyArticle, now: number): string {
  const written = Date.parse(date ?? '')
  return new Date(written > 0 && written < now ? Math.min(now, written + day / 2) : now).toUTCString()
}

function newPiece(
  index: number,
  { now, random, site }: { now: number; random: () => number; site: number },
): BusyArticle {
  const pick = <T>(list: T[]) => list[Math.floor(random() * list.length)] as T
  const key = `k${index}k`
  const title = `${pick(places)} ${pick(subjects)} ${pick(verbs)} ${pick(places)} ${pick(subjects)} after ${pick(subjects)} ${pick(verbs)} ${pick(subjects)} in ${pick(places)} and ${pick(places)}`
  const wrong = [null, 'yesterday-ish', new Date(now + 400 * day).toUTCString(), 'Thu, 01 Jan 1970 00:00:00 GMT']
  const date = random() < 0.05 ? pick(wrong) : new Date(now - random() * day).toUTCString()
  return { key, title, wording: 0, date, link: linkTo(key, site), appeal: random() }
}

function toRss(pieces: BusyArticle[], site: number): string {
  const items = pieces.map(({ key, title, wording, date }) => {
    const words = wording === 0 ? title : `${title} ${['again', 'still', 'now'][wording % 3]}`
    const link = linkTo(key, site)
    const guid = `${site}-${key}#${Math.floor(wording / 2)}`
    return `<item><guid isPermaLink="false">${guid}</guid><link>${link}</link><title>${words}</title>${description(key)}${date === null ? '' : `<pubDate>${date}</pubDate>`}</item>`
  })
  return `<?xml version="1.0"?><rss version="2.0"><channel><title>Busy</title><link>https://${site === 0 ? 'old' : 'new'}.example/</link>${items.join('')}</channel></rss>`
}

/** A text of thirty words that no other article has. */
function description(key: string): string {
  const name = key.replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '')
  const words = Array.from(
    { length: 30 },
    (_, index) => `${'abcdefghijklmnop'[index % 16]}${name}${index % 2 ? 'ra' : 'lo'}`,
  )
  return `<description>${words.join(' ')}</description>`
}

function linkTo(key: string, site: number): string {
  return site === 0 ? `https://old.example/news/${key}?utm_source=rss` : `https://new.example/${site}/${key}/`
}

function toWire(pieces: BusyArticle[]): string {
  const items = pieces.map(
    ({ key, title, link }) =>
      `<item><link>${link.replace('rss', 'wire')}</link><title>${title}</title>${description(key)}</item>`,
  )
  return `<rss version="2.0"><channel><title>Wire</title><link>https://wire.example/</link>${items.join('')}</channel></rss>`
}
