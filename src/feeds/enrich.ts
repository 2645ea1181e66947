import { between, type Clock, day } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { keepCanonical } from '../store/addresses.ts'
import type { WholeArticle } from '../store/articles.ts'
import { keepFacts, keepPage, type Page, type PageFacts, pageAt } from '../store/pages.ts'
import type { Db } from '../store/schema.ts'
import type { Fetched, Fetcher } from './fetch.ts'
import { inLanes } from './lanes.ts'
import { forbiddenBy } from './manners.ts'
import { contextOf, readInWorker } from './pool.ts'

export type EnrichNeeds = { db: Db; fetcher: Fetcher; clock: Clock; log: Log }

/** An article, and whether its whole text is to be printed. */
export type Wanting = Pick<WholeArticle, 'id' | 'url' | 'summary' | 'author' | 'image' | 'body'> & { whole: boolean }

const freshPage = 7 * day
/** A page that could not be read is asked again after this. */
const failedPage = day
const atOnce = 8
/** No longer text is read; the head of a page is far shorter. */
const pageBytes = 2 * 1024 * 1024

/**
 * Asks the pages of articles for the summary, author, picture or whole text that their feed left out. Politely: what a
 * robots.txt forbids is not asked, that of each host that a page redirects to too; one page of a host at a time, each at
 * most once a week. What the page says of itself comes first; where that leaves something out its text is read. A page
 * that fails leaves its article as it is. Returns how many articles have found something.
 */
export async function enrichArticles(needs: EnrichNeeds, articles: Wanting[]): Promise<number> {
  const wanting = articles.filter((article) => article.image === null || lacksText(article))
  let enriched = 0
  const laneOf = ({ url }: Wanting) => (URL.canParse(url) ? new URL(url).hostname : url)
  await inLanes(wanting, { atOnce, perLane: 1, laneOf }, async (article) => {
    const { id, url } = article
    try {
      const { found } = await pageOf(needs, article)
      if (!found) return
      await keepFacts(needs.db, id, found)
      if (found.canonical !== null) await keepCanonical(needs.db, id, found.canonical)
      enriched++
    } catch (error) {
      needs.log.error({ url, error: messageOf(error) }, 'what a page says cannot be kept')
    }
  })
  return enriched
}

/** Whether the text of the page would say something that the feed, and the page of itself, do not. */
function lacksText({ summary, author, body, whole }: Wanting, found?: PageFacts): boolean {
  return (summary || found?.summary || '') === '' || (author || found?.author || '') === '' || (whole && body === null)
}

async function pageOf(needs: EnrichNeeds, article: Wanting): Promise<Page> {
  const { url } = article
  const { db, clock, log } = needs
  const known = await pageAt(db, url)
  const age = known && between(known.fetchedAt, clock.now())
  if (known && age !== undefined && age < (known.found ? freshPage : failedPage)) {
    const isRead = known.found === null || known.found.body !== undefined || !lacksText(article, known.found)
    if (isRead) return known
  }
  const answer = await askPage(needs, article)
  if ('error' in answer) log.warn({ url, reason: answer.error }, 'a page could not be asked')
  const page = { url, fetchedAt: clock.now(), found: null, error: null, ...answer }
  await keepPage(db, page)
  return page
}

async function askPage(needs: EnrichNeeds, article: Wanting): Promise<{ found: PageFacts } | { error: string }> {
  const { url } = article
  if (!URL.canParse(url)) return { error: 'it is not an address' }
  const refuse = (hop: URL) => forbiddenBy(needs, hop)
  const fetched = await needs.fetcher.get(url, {
    accept: 'text/html, application/xhtml+xml',
    refuse,
    atMost: pageBytes,
  })
  if (fetched.kind !== 'ok') return { error: fetched.kind === 'failed' ? fetched.reason : 'it did not change' }
  if (!/html/i.test(fetched.contentType ?? 'text/html')) return { error: `it is no page but ${fetched.contentType}` }
  const found = await readInWorker('facts', fetched.bytes, contextOf(fetched))
  if ('failed' in found) return { error: found.failed }
  return { found: lacksText(article, found) ? await withText(needs, found, fetched) : found }
}

/** With what the text of the page gives; `body` says that it was read, also where it gives nothing. */
async function withText({ log }: EnrichNeeds, found: PageFacts, page: Fetched & { kind: 'ok' }): Promise<PageFacts> {
  const text = await readInWorker('text', page.bytes, contextOf(page))
  if ('failed' in text) log.warn({ url: page.url, reason: text.failed }, 'the text of a page could not be read')
  const { summary, author, body } = 'failed' in text ? { summary: '', author: '', body: null } : text
  return { ...found, summary: found.summary || summary, author: found.author || author, body }
}
