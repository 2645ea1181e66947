import type { App } from './app.ts'
import { composeDry, type Dry } from './editions/compose.ts'
import type { Digest } from './editions/digest.ts'
import { endOfChecks, lateFindings } from './editions/late.ts'
import type { Refreshed } from './feeds/refresh.ts'
import { gather } from './gather.ts'

/**
 * What would go out if the edition were made at this moment, by the steps of a real run: feeds and pages are asked, it is
 * chosen, and what turns out to be gone is replaced. The store keeps what was read, and no edition. `feeds` says what
 * became of each feed.
 */
export async function rehearse(app: App, digest: Digest): Promise<Dry & { feeds: Refreshed[] }> {
  const feeds = await gather(app, digest)
  const gone = new Map<string, string>()
  const asked = new Set<string>()
  const end = endOfChecks()
  while (true) {
    const dry = await composeDry(app, digest, gone)
    const fresh = dry.draft.sections.flatMap(({ articles }) => articles).filter(({ id }) => !asked.has(id))
    if (!digest.lateCheck || fresh.length === 0) return { ...dry, feeds }
    for (const { id } of fresh) asked.add(id)
    const { findings } = await lateFindings(fresh, app.check, end)
    for (const { article, kind, words } of findings) if (kind === 'gone') gone.set(article.id, words)
  }
}
