import { describeReason } from '../describe/describe.ts'
import { pageContext, readInWorker } from '../feeds/parse/reader-pool.ts'
import type { Fetched } from '../http/fetched.ts'
import type { Fetcher } from '../http/fetcher.ts'
import { forEachPerHost } from '../http/per-host.ts'
import { hostOf } from '../http/url.ts'
import type { Log } from '../log.ts'
import type { PageFacts, WholeArticle } from '../store/articles/article.ts'
import { pageAt, type StoredPage, savePage, savePageFacts } from '../store/articles/pages.ts'
import { saveCanonicalAddress } from '../store/articles/redirects.ts'
import type { Reason } from '../store/events/reason.ts'
import { toJson } from '../store/json.ts'
import type { Db } from '../store/schema.ts'
import { type Clock, day, msBetween } from '../time/clock.ts'
import { robotsRefusal } from './robots-policy.ts'

export type EnrichNeeds = { db: Db; fetcher: Fetcher; clock: Clock; log: Log }

/** An article; `whole`: its full text is needed. */
export type EnrichCandidate = Pick<WholeArticle, 'id' | 'url' | 'summary' | 'author' | 'image' | 'body'> & {
  whole: boolean
}

const pageMaxAgeMs = 7 * day
const failedPageRetryMs = day
const maxParallel = 8
const maxPageBytes = 2 * 1024 * 1024

/**
 * Fetches the pages of articles for the summary, author, picture or full text that their feed left out, from the metadata
 * of the page, else from its text. Obeys robots.txt, one page of a host at a time; returns how many articles changed.
 */
export async function enrichArticles(needs: EnrichNeeds, articles: EnrichCandidate[]): Promise<number> {
  const candidates = articles.filter((article) => article.image === null || lacksText(article))
  let enriched = 0
  const hostFor = ({ url }: EnrichCandidate) => hostOf(url)
  await forEachPerHost(candidates, { maxParallel, maxPerHost: 1, hostFor }, async (article) => {
    const { id, url } = article
    try {
      const { found } = await loadPage(needs, article)
      if (!found) return
      await savePageFacts(needs.db, id, found)
      if (found.canonical !== null) await saveCanonicalAddress(needs.db, id, found.canonical)
      enriched++
    } catch (error) {
      needs.log.error({ event: 'page.not_stored', url, err: error }, 'the facts of a page cannot be stored')
    }
  })
  return enriched
}

/** Whether the article lacks something that the text of its page may have; `found` is the metadata of the page. */
function lacksText({ summary, author, body, whole }: EnrichCandidate, found?: PageFacts): boolean {
  return (summary || found?.summary || '') === '' || (author || found?.author || '') === '' || (whole && body === null)
}

async function loadPage(needs: EnrichNeeds, article: EnrichCandidate): Promise<StoredPage> {
  const { url } = article
  const { db, clock, log } = needs
  const known = await pageAt(db, url)
  const age = known && msBetween(known.fetchedAt, clock.now())
  if (known && age !== undefined && age < (known.found ? pageMaxAgeMs : failedPageRetryMs)) {
    const isRead = known.found === null || known.found.body !== undefined || !lacksText(article, known.found)
    if (isRead) return known
  }
  const answer = await fetchPage(needs, article)
  const error = 'error' in answer ? answer.error : null
  if (error) log.warn({ event: 'page.fetch_failed', url, reason: describeReason(error) }, 'a page could not be fetched')
  const found = 'found' in answer ? answer.found : null
  const page = { url, fetchedAt: clock.now(), found, error: error && toJson(error) }
  await savePage(db, page)
  return page
}

async function fetchPage(
  needs: EnrichNeeds,
  article: EnrichCandidate,
): Promise<{ found: PageFacts } | { error: Reason }> {
  const { url } = article
  if (!URL.canParse(url)) return { error: { code: 'page-no-address' } }
  const refuse = (hop: URL) => robotsRefusal(needs, hop)
  const fetched = await needs.fetcher.get(url, {
    accept: 'text/html, application/xhtml+xml',
    refuse,
    truncateAtBytes: maxPageBytes,
  })
  if (fetched.kind === 'failed') return { error: { code: 'page-unreachable', message: fetched.reason } }
  if (fetched.kind !== 'ok') return { error: { code: 'page-unchanged' } }
  const contentType = fetched.contentType ?? 'text/html'
  if (!/html/i.test(contentType)) return { error: { code: 'page-not-html', contentType } }
  const found = await readInWorker('facts', fetched.bytes, pageContext(fetched))
  if ('failed' in found) return { error: { code: 'page-unreadable', message: found.failed } }
  return { found: lacksText(article, found) ? await addPageText(needs, found, fetched) : found }
}

/** Adds what the text of the page has. `body` is set, to null too, when the text has been read. */
async function addPageText({ log }: EnrichNeeds, found: PageFacts, page: Fetched & { kind: 'ok' }): Promise<PageFacts> {
  const text = await readInWorker('text', page.bytes, pageContext(page))
  if ('failed' in text)
    log.warn({ event: 'page.text_failed', url: page.url, reason: text.failed }, 'the text of a page could not be read')
  const { summary, author, body } = 'failed' in text ? { summary: '', author: '', body: null } : text
  return { ...found, summary: found.summary || summary, author: found.author || author, body }
}
