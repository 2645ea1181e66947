import type { Fetched } from '../http/fetched.ts'
import type { Fetcher } from '../http/fetcher.ts'
import type { ParsedFeed } from './parse/feed.ts'
import { headerLinks } from './parse/page/feed-links.ts'
import { parseFeed } from './parse/parse-feed.ts'
import { pageContext, readInWorker } from './parse/reader-pool.ts'

export type Discovered = {
  /** The address for the job file: the new one after a permanent redirect. */
  url: string
  feed: ParsedFeed
  /** The other feeds that the page links to. */
  others: string[]
}

type Page = Fetched & { kind: 'ok' }

/** File names of feeds that a page does not link to, in its folder, the folders above and the root of the site. */
const commonPaths = ['feed', 'rss', 'rss.xml', 'atom.xml', 'feed.xml', 'index.xml', 'feed.json']
const maxTriedLinks = 10
/** The feed of a page that refuses us may be open. */
const accessDeniedStatuses = [401, 403, 405, 406]

/**
 * The feed at an address, or the first readable feed of the page there: those in its head and Link header, then the
 * common paths. `failed` is the reason why there is none.
 */
export async function discoverFeed(
  fetcher: Pick<Fetcher, 'get'>,
  given: string,
): Promise<Discovered | { failed: string }> {
  const start = /^[a-z][a-z\d+.-]*:\/\//i.test(given) ? given : `https://${given}`
  const fetched = await fetcher.get(start, {
    accept: 'text/html, application/rss+xml, application/atom+xml, */*;q=0.5',
  })
  if (fetched.kind === 'unchanged') return { failed: 'it did not change' }
  if (fetched.kind === 'failed')
    return accessDeniedStatuses.includes(fetched.status ?? 0)
      ? await discoverBeside(fetcher, { url: start, links: [], problem: fetched.reason })
      : { failed: fetched.reason }
  const feed = await parseFeed(fetched.bytes, pageContext(fetched))
  if (!('failed' in feed)) return { url: fetched.movedTo ?? start, feed, others: [] }
  const links = (await feedsLinkedFrom(fetched)).slice(0, maxTriedLinks)
  return await discoverBeside(fetcher, { url: fetched.url, links })
}

/** Tries the links of a page, then the common paths. `problem`: why the page itself could not be read. */
async function discoverBeside(
  fetcher: Pick<Fetcher, 'get'>,
  { url: pageUrl, links, problem }: { url: string; links: string[]; problem?: string },
): Promise<Discovered | { failed: string }> {
  const folders = foldersOf(pageUrl)
  const commonUrls = folders.flatMap((folder) => commonPaths.map((path) => folder + path))
  for (const url of new Set([...links, ...commonUrls])) {
    const found = await feedAt(fetcher, url)
    if (found) return { ...found, others: links.filter((other) => other !== url) }
  }
  const tried = commonPaths.map((path) => `/${path}`).join(', ')
  const noCommon = `there is none at ${tried}${folders.length > 1 ? `, below ${folders.join(' or ')}` : ''}`
  if (problem !== undefined) return { failed: `${problem}, and ${noCommon}` }
  const noLink = links.length > 0 ? `none of the ${links.length} that it links to can be read` : 'it links to none'
  return { failed: `there is no feed at ${pageUrl}: ${noLink}, and ${noCommon}` }
}

async function feedAt(fetcher: Pick<Fetcher, 'get'>, url: string): Promise<{ url: string; feed: ParsedFeed } | null> {
  const fetched = await fetcher.get(url)
  if (fetched.kind !== 'ok') return null
  const feed = await parseFeed(fetched.bytes, pageContext(fetched))
  return 'failed' in feed ? null : { url: fetched.movedTo ?? url, feed }
}

/** The folders of a page as URLs, nearest first: at most two deep, and the root of the site. */
function foldersOf(pageUrl: string): string[] {
  const { origin, pathname } = new URL(pageUrl)
  const names = pathname
    .split('/')
    .filter((name, index, all) => name !== '' && !(index === all.length - 1 && /\./.test(name)))
  return [2, 1, 0]
    .filter((depth) => depth <= names.length)
    .map((depth) => [origin, ...names.slice(0, depth), ''].join('/'))
}

async function feedsLinkedFrom(page: Page): Promise<string[]> {
  const inHead = await readInWorker('links', page.bytes, pageContext(page))
  return [...new Set([...('failed' in inHead ? [] : inHead), ...headerLinks(page.links, page.url)])]
}
