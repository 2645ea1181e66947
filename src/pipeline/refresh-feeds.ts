import { resolveRedirects } from '../articles/resolve-redirects.ts'
import { type RefreshNeeds, type RefreshResult, refreshDueFeeds, refreshFeeds } from '../feeds/refresh.ts'

/** Fetches the feeds at these addresses now, and resolves the redirects of new articles on other sites. */
export async function refreshNow(needs: RefreshNeeds, urls: string[]): Promise<RefreshResult[]> {
  const report = await refreshFeeds(needs, urls)
  await resolveRedirects(needs)
  return report
}

/** Does the same for the feeds that are due. Returns the number of fetched feeds. */
export async function refreshDue(needs: RefreshNeeds, urls: string[], signal?: AbortSignal): Promise<number> {
  const count = await refreshDueFeeds(needs, urls, signal)
  if (!signal?.aborted) await resolveRedirects(needs, signal)
  return count
}
