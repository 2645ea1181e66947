import type { App } from './app.ts'
import { composeDry } from './editions/compose.ts'
import { type Digest, feedsListed } from './editions/digest.ts'
import { findInFeeds } from './editions/late-truth.ts'
import { enrichArticles } from './feeds/enrich.ts'
import { type Refreshed, refreshFeeds } from './feeds/refresh.ts'

/**
 * What comes before composing: asks all feeds of the digest now, proposes corrections of what earlier editions said, and
 * then asks, for the sections that want it (`enrich`), the pages of the articles that would be chosen and lack something.
 * Returns what became of each feed.
 */
export async function gather(app: App, digest: Digest): Promise<Refreshed[]> {
  const report = await refreshFeeds(app, feedsListed(digest))
  await findInFeeds(app, [digest])
  const wanting = new Set(digest.sections.filter(({ enrich }) => enrich).map(({ name }) => name))
  if (wanting.size === 0) return report
  const { choices } = await composeDry(app, digest)
  const chosen = choices.filter(({ position, section }) => position !== null && wanting.has(section))
  const articles = chosen.map(({ article }) => article).filter(({ letter }) => !letter)
  const enriched = await enrichArticles(app, articles)
  app.log.info({ digest: digest.name, chosen: articles.length, enriched }, 'pages asked for what their feeds left out')
  return report
}
