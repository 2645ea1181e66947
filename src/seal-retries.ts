import type { App } from './app.ts'
import { type Instant, later, minute, second } from './clock.ts'
import type { Digest } from './editions/digest.ts'
import { templateVersion } from './messages/template-version.ts'
import { historyOf } from './store/editions.ts'
import type { EditionRow } from './store/schema.ts'

const firstWaitMs = 15 * second
const longestWaitMs = 10 * minute

type Failure = { count: number; retryAt: Instant; causes: string }

/**
 * When an edition that could not be sealed is tried again: after 15 seconds, then twice as long each time, up to ten
 * minutes; at once when a file of the templates, the job file or the edition has changed, or a person has decided about it.
 */
export class SealRetries {
  readonly #failures = new Map<string, Failure>()

  async mayTry(app: App, edition: EditionRow, digest: Digest): Promise<boolean> {
    const failure = this.#failures.get(edition.id)
    if (!failure || app.clock.now() >= failure.retryAt) return true
    return (await causesOf(app, edition, digest)) !== failure.causes
  }

  /** Returns when it is tried again. `edition` is the row as it stands after the attempt. */
  async failed(app: App, edition: EditionRow, digest: Digest): Promise<Instant> {
    const before = this.#failures.get(edition.id)
    const causes = await causesOf(app, edition, digest)
    const count = before?.causes === causes ? before.count + 1 : 1
    const retryAt = later(app.clock.now(), Math.min(firstWaitMs * 2 ** (count - 1), longestWaitMs))
    this.#failures.set(edition.id, { count, retryAt, causes })
    return retryAt
  }

  succeeded(id: string): void {
    this.#failures.delete(id)
  }
}

/** All that decides whether another attempt may end otherwise, and that people change. */
async function causesOf({ db, config }: App, edition: EditionRow, digest: Digest): Promise<string> {
  const decisions = (await historyOf(db, edition.id)).filter(({ who }) => who !== 'lastword').length
  return JSON.stringify([edition, decisions, digest, templateVersion(config.templates)])
}
