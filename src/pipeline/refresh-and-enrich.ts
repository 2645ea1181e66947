import type { App } from '../app.ts'
import { enrichArticles } from '../articles/enrich.ts'
import { composeDryRun } from '../editions/compose/compose.ts'
import { detectInFeeds } from '../editions/corrections/detect.ts'
import { type Digest, feedUrlsOf } from '../editions/digest.ts'
import { articlesIn } from '../editions/edition.ts'
import type { RefreshResult } from '../feeds/refresh.ts'
import { refreshNow } from './refresh-feeds.ts'

/**
 * Fetches all feeds of the digest and proposes corrections to earlier editions. Then, for sections with `enrich`, fetches
 * the pages of incomplete articles that would be chosen, and returns the result of each feed.
 */
export async function refreshAndEnrich(app: App, digest: Digest): Promise<RefreshResult[]> {
  const report = await refreshNow(app, feedUrlsOf(digest))
  await detectInFeeds(app, [digest])
  if (!digest.sections.some(({ enrich }) => enrich)) return report
  const { draft } = await composeDryRun(app, digest)
  const enrichedSections = draft.sections.filter(({ section }) => section.enrich)
  const articles = enrichedSections.flatMap(({ section, items }) =>
    articlesIn([{ items }]).map((article) => ({ ...article, whole: section.body === 'full' })),
  )
  const enriched = await enrichArticles(app, articles)
  const fields = { event: 'articles.enriched', digest: digest.name, chosen: articles.length, enriched }
  app.log.info(fields, 'articles enriched from their pages')
  return report
}
