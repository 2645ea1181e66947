import type { App } from '../app.ts'
import { composeDryRun, type DryRun } from '../editions/compose/compose.ts'
import type { Digest } from '../editions/digest.ts'
import { articlesIn } from '../editions/edition.ts'
import { preflightDeadline, runPreflight } from '../editions/preflight.ts'
import type { RefreshResult } from '../feeds/refresh.ts'
import type { Reason } from '../store/events/reason.ts'
import { refreshAndEnrich } from './refresh-and-enrich.ts'

/**
 * Composes the edition that a run would make now: fetches feeds and pages, chooses articles and replaces those whose page
 * is gone. Stores the fetched data but no edition; `feeds` has the result of each feed.
 */
export async function dryRunEdition(app: App, digest: Digest): Promise<DryRun & { feeds: RefreshResult[] }> {
  const feeds = await refreshAndEnrich(app, digest)
  const gone = new Map<string, Reason>()
  const asked = new Set<string>()
  const end = preflightDeadline()
  while (true) {
    const dry = await composeDryRun(app, digest, gone)
    const fresh = articlesIn(dry.draft.sections).filter(({ id }) => !asked.has(id))
    if (!digest.lateCheck || fresh.length === 0) return { ...dry, feeds }
    for (const { id } of fresh) asked.add(id)
    const { findings } = await runPreflight(fresh, app.check, end)
    for (const { article, kind, reason } of findings) if (kind === 'gone') gone.set(article.id, reason)
  }
}
