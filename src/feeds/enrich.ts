import { between, type Clock, day } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Article } from '../store/articles.ts'
import { keepFacts, keepPage, type Page, type PageFacts, pageAt } from '../store/pages.ts'
import type { Db } from '../store/schema.ts'
import { decodeText } from './decode.ts'
import type { Fetcher } from './fetch.ts'
import { inLanes } from './lanes.ts'
import { forbiddenBy } from './manners.ts'
import { readPage } from './page.ts'

export type EnrichNeeds = { db: Db; fetcher: Fetcher; clock: Clock; log: Log }

type Wanting = Pick<Article, 'id' | 'url' | 'summary' | 'author' | 'image'>

const freshPage = 7 * day
/** A page that could not be read is asked again after this. */
const failedPage = day
const atOnce = 8

/**
 * Asks the pages of articles for the summary, author or picture that their feed left out. Politely: what a robots.txt
 * forbids is not asked, that of each host that a page redirects to too; one page of a host at a time, each at most once a
 * week. A page that fails leaves its article as it is. Returns how many articles have found something.
 */
export async function enrichArticles(needs: EnrichNeeds, articles: Wanting[]): Promise<number> {
  const wanting = articles.filter(({ summary, author, image }) => summary === '' || author === '' || image === null)
  let enriched = 0
  const laneOf = ({ url }: Wanting) => (URL.canParse(url) ? new URL(url).hostname : url)
  await inLanes(wanting, { atOnce, perLane: 1, laneOf }, async ({ id, url }) => {
    try {
      const { found } = await pageOf(needs, url)
      if (!found) return
      await keepFacts(needs.db, id, found)
      enriched++
    } catch (error) {
      needs.log.error({ url, error: messageOf(error) }, 'what a page says cannot be kept')
    }
  })
  return enriched
}

async function pageOf(needs: EnrichNeeds, url: string): Promise<Page> {
  const { db, clock, log } = needs
  const known = await pageAt(db, url)
  const age = known && between(known.fetchedAt, clock.now())
  if (known && age !== undefined && age < (known.found ? freshPage : failedPage)) return known
  const answer = await askPage(needs, url)
  if ('error' in answer) log.warn({ url, reason: answer.error }, 'a page could not be asked')
  const page = { url, fetchedAt: clock.now(), found: null, error: null, ...answer }
  await keepPage(db, page)
  return page
}

async function askPage(needs: EnrichNeeds, url: string): Promise<{ found: PageFacts } | { error: string }> {
  if (!URL.canParse(url)) return { error: 'it is not an address' }
  const refuse = (hop: URL) => forbiddenBy(needs, hop)
  const fetched = await needs.fetcher.get(url, { accept: 'text/html, application/xhtml+xml', refuse })
  if (fetched.kind !== 'ok') return { error: fetched.kind === 'failed' ? fetched.reason : 'it did not change' }
  if (!/html/i.test(fetched.contentType ?? 'text/html')) return { error: `it is no page but ${fetched.contentType}` }
  return { found: readPage(decodeText(fetched.bytes, fetched.contentType), fetched.url) }
}
