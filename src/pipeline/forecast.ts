import type { App } from '../app.ts'
import { type Choice, chosenOnly } from '../editions/choice/choice.ts'
import { composeDryRun } from '../editions/compose/compose.ts'
import { type Digest, feedUrlsOf } from '../editions/digest.ts'
import { runsAfter } from '../editions/schedule/due-runs.ts'
import { type FeedState, type WatchedFeed, watchedFeeds } from '../feeds/health.ts'
import type { Reason } from '../store/events/reason.ts'
import type { Instant } from '../time/clock.ts'

/** A section of the next edition; `isShort`: it has fewer articles than its minimum. */
type SectionForecast = {
  name: string
  title: string
  chosen: number
  minimum: number
  maximum: number
  isShort: boolean
}

/** A feed that is silent, fails, is gone, or has quarantined articles. */
type FeedForecast = { url: string; title: string; state: FeedState; reason: Reason; lastArticleAt: Instant | null }

/** The next edition as it would be now. `dueAt` null: no run is planned. `thin`: why it would be skipped or held. */
export type Forecast = {
  digest: string
  dueAt: Instant | null
  thin: Reason | null
  sections: SectionForecast[]
  feeds: FeedForecast[]
}

/** Forecasts the next edition from the articles that are in the store; fetches nothing and makes no edition. */
export async function forecastEdition(app: App, digest: Digest): Promise<Forecast> {
  const { choices, thin = null } = await composeDryRun(app, digest)
  const [dueAt = null] = runsAfter(digest, app.clock.now(), 1)
  return forecastOf(digest, { dueAt, thin, choices, feeds: await watchedFeeds(app, feedUrlsOf(digest)) })
}

/** The facts of a forecast, without a store. */
export function forecastOf(
  digest: Digest,
  { dueAt, thin, choices, feeds }: Pick<Forecast, 'dueAt' | 'thin'> & { choices: Choice[]; feeds: WatchedFeed[] },
): Forecast {
  const printed = chosenOnly(choices)
  const sections = digest.sections.map(({ name, title, minimum, maximum }) => {
    const chosen = printed.filter((one) => one.kind === 'article' && one.section === name).length
    return { name, title, chosen, minimum, maximum, isShort: chosen < minimum }
  })
  const troubled = feeds.filter(({ problems }) => problems.length > 0)
  return {
    digest: digest.name,
    dueAt,
    thin,
    sections,
    feeds: troubled.map(({ feed, health: { state, reason } }) => {
      return { url: feed.url, title: feed.title || feed.url, state, reason, lastArticleAt: feed.newestItemAt }
    }),
  }
}
