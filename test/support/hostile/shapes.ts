import { gzipSync } from 'node:zlib'

export type HostileFeed = { bytes: Buffer; headers?: Record<string, string> }

/** Whose robots.txt is megabytes of no text, and whose is 39,000 rules. */
export const hostileHosts = { bytes: '127.0.0.2', rules: '127.0.0.3' }

/**
 * Feeds by path, each made to cost its reader as much time or memory as ten megabytes can. `site` is the address that
 * serves them; `scale` is the size of the largest as a share of full size.
 */
export const hostileFeeds: Record<string, (site: string, scale: number) => HostileFeed> = {
  '/titles-84-kb.rss': () => rss(many(100, (number) => item(`few-${number}`, { title: manyWords(number) }))),
  '/titles.rss': (_, scale) =>
    rss(many(5000 * scale, (number) => item(`titles-${number}`, { title: manyWords(number) }))),
  '/short-titles.rss': (_, scale) =>
    rss(many(2000 * scale, (number) => item(`short-${number}`, { title: manyWords(number, 36) }))),
  '/one-address.rss': (_, scale) => rss(many(2000 * scale, (number) => item(`one-${number}`, { link: '/one' }))),
  '/full.json': (_, scale) => json(many(5000 * scale, fullEntry)),
  '/tags.xml': (_, scale) => ({ bytes: Buffer.alloc(10_000_000 * scale, '<') }),
  '/brackets.json': (_, scale) => ({ bytes: Buffer.alloc(10_000_000 * scale, '[') }),
  '/bytes.xml': (_, scale) => ({ bytes: Buffer.alloc(10_000_000 * scale, 0xff) }),
  '/nested.json': (_, scale) => ({ bytes: Buffer.from('{"items":[{"a":'.repeat(600_000 * scale)) }),
  '/nested.xml': () => ({ bytes: Buffer.from(`<rss><channel>${'<a>'.repeat(300_000)}`) }),
  '/entities.xml': (_, scale) => entityBomb(scale),
  '/packed.xml': (_, scale) => packed(256_000_000 * scale, { 'content-encoding': 'gzip' }),
  '/packed.xml.gz': (_, scale) => packed(60_000_000 * scale),
  '/links-in-one.rss': (_, scale) =>
    rss([`<item><guid>many</guid>${'<link>/a</link>'.repeat(600_000 * scale)}</item>`]),
  '/categories-in-one.rss': (_, scale) =>
    rss([
      `<item><guid>many</guid>${many(360_000 * scale, (number) => `<category>${number}</category>`).join('')}</item>`,
    ]),
  '/tags-in-one.json': (_, scale) =>
    json([{ id: 'many', url: '/many', title: 'Many', tags: many(600_000 * scale, (number) => `t${number}`) }]),
  '/long-links.rss': (_, scale) =>
    rss(many(9, (number) => item(`long-${number}`, { link: `/${number}${'n'.repeat(1_000_000 * scale)}` }))),
  '/links.rss': () => rss(many(3, (number) => item(`link-${number}`, { link: longLink }))),
  '/links.atom': () => atom(many(3, (number) => `<entry><id>link-${number}</id><link href="${longLink}"/></entry>`)),
  '/links.json': () => json(many(3, (number) => ({ id: `link-${number}`, url: longLink, title: `Link ${number}` }))),
  '/pictures.json': () =>
    json([{ id: 'picture', url: '/picture', title: 'Picture', image: longLink, banner_image: longLink }]),
  '/authors.rss': () => rss(many(70, (number) => item(`author-${number}`, { author: 'a@'.repeat(190) }))),
  '/ids.json': () => json(strangeIds.map((id, number) => ({ id, url: `/id-${number}`, title: `Id ${number}` }))),
  '/elsewhere.rss': (site) => rss(many(20, (number) => item(`elsewhere-${number}`, { link: elsewhere(site, number) }))),
  '/good.rss': () => rss([item('good', { title: 'Trams return to the harbour' })]),
}

const longLink = `http://${'n'.repeat(32_000)} b`
const differentWords = Array.from({ length: 18_000 }, (_, index) => ((index * 7919) % 65_521).toString(36)).join('')
/** With a NUL, with halves of characters, and too long for an index of PostgreSQL however it packs them. */
const strangeIds = [
  'nul\0',
  'half \ud800',
  'half \udfff',
  differentWords.slice(0, 18_000),
  differentWords.slice(9, 18_009),
]

/** A robots.txt of as many rules as half a megabyte holds, each of which looks for its letter in the whole path. */
export const manyRules = `user-agent: *\n${'disallow:/*b\n'.repeat(39_000)}`

function many<T>(count: number, make: (number: number) => T): T[] {
  return Array.from({ length: Math.max(1, count) }, (_, number) => make(number))
}

/** A title of one-letter and two-letter words of which each number leaves out every fortieth. */
function manyWords(number: number, words = 240): string {
  const all = many(words, (index) => letter(index) + (index % 3 === 0 ? '' : letter(7 * index)))
  return all.filter((_, index) => index % 40 !== number % 40).join(' ')
}

function letter(index: number): string {
  return String.fromCharCode(97 + (index % 26))
}

/** Every field as long as ten megabytes of 5,000 entries allow. */
function fullEntry(number: number): object {
  return {
    id: `full-${number}`,
    url: `/full/${number}/${'u'.repeat(400)}`,
    title: `Full ${number} ${'title '.repeat(60)}`,
    content_text: `Summary ${number} ${'of it '.repeat(55)}`,
    authors: [{ name: `Writer ${number} ${'Name '.repeat(30)}` }],
    tags: many(25, (tag) => `tag ${tag} of ${number}`),
    image: `https://pictures.example/${number}/${'p'.repeat(200)}`,
    date_published: new Date(Date.UTC(2026, 0, 1) + number * 60_000).toISOString(),
  }
}

/** Ten entities, each ten times the one before it. */
function entityBomb(scale: number): HostileFeed {
  const declared = many(10, (number) => `<!ENTITY e${number + 1} "${`&e${number};`.repeat(10)}">`)
  const text = `<!DOCTYPE rss [<!ENTITY e0 "boom">${declared.join('')}]>`
  const { bytes } = rss(many(500 * scale, (number) => item(`bomb-${number}`, { title: '&e10;'.repeat(10) })))
  return { bytes: Buffer.concat([Buffer.from(text), bytes]) }
}

function packed(bytes: number, headers: Record<string, string> = {}): HostileFeed {
  const start = Buffer.from('<rss version="2.0"><channel><item><guid>packed</guid><description>')
  return { bytes: gzipSync(Buffer.concat([start, Buffer.alloc(bytes, '&lt;b>word ')]), { level: 1 }), headers }
}

function elsewhere(site: string, number: number): string {
  const { port } = new URL(site)
  return `http://${number % 2 ? hostileHosts.bytes : hostileHosts.rules}:${port}/${'aab'.repeat(500)}${number}`
}

function item(id: string, { title = `Piece ${id}`, link = `/${id}`, author = '' } = {}): string {
  return `<item><guid>${id}</guid><title>${title}</title><link>${link}</link><author>${author}</author></item>`
}

function rss(items: string[]): HostileFeed {
  return { bytes: Buffer.from(`<rss version="2.0"><channel><title>Feed</title>${items.join('\n')}</channel></rss>`) }
}

function atom(entries: string[]): HostileFeed {
  return {
    bytes: Buffer.from(`<feed xmlns="http://www.w3.org/2005/Atom"><title>Feed</title>${entries.join('')}</feed>`),
  }
}

function json(items: object[]): HostileFeed {
  return { bytes: Buffer.from(JSON.stringify({ version: 'https://jsonfeed.org/version/1.1', title: 'Feed', items })) }
}
