import type { App } from '../app.ts'
import {
  deleteOldestForgotten,
  type ForgetBatch,
  feedIds,
  forgetArticleBatch,
  type RetentionRule,
  retentionLimits,
} from '../store/articles/forget.ts'
import { day, parseDurationMs } from '../time/clock.ts'

const maxPerFeed = 20_000
const maxForgottenPerFeed = 100_000
const batchSize = 100
/** Pause between two batches, so that other processes can write. */
const pauseMs = 20

/**
 * Deletes articles that are no longer needed, feed by feed, in short transactions; after an interruption the next call
 * continues. Returns the number of deleted articles.
 */
export async function forgetArticles(
  { db, clock, config, log }: Pick<App, 'db' | 'clock' | 'config' | 'log'>,
  signal?: AbortSignal,
  changes: Partial<RetentionRule> = {},
): Promise<number> {
  const keepMs = parseDurationMs(config.articles.keep)
  const rule = { keepMs, maxPerFeed, shownWithinMs: 2 * day, maxForgottenPerFeed, ...changes }
  let total = 0
  for (const feedId of await feedIds(db)) {
    if (signal?.aborted) break
    const limits = await retentionLimits(db, feedId, rule, clock.now())
    let next: ForgetBatch['next'] = null
    do {
      const batch = await forgetArticleBatch(db, feedId, { limits, now: clock.now(), after: next, size: batchSize })
      total += batch.forgotten
      next = batch.next
      await clock.wait(batch.forgotten > 0 ? pauseMs : 0, signal)
    } while (next && !signal?.aborted)
    while (!signal?.aborted && (await deleteOldestForgotten(db, feedId, rule.maxForgottenPerFeed, batchSize)) > 0)
      await clock.wait(pauseMs, signal)
  }
  if (total > 0) log.info({ event: 'articles.forgotten', count: total }, 'articles that nothing needs were forgotten')
  return total
}
