import type { App } from '../app.ts'
import type { Digest } from '../editions/digest.ts'
import { isDecision } from '../editions/review/revision.ts'
import { templateVersion } from '../messages/template-version.ts'
import { editionEvents } from '../store/events/events.ts'
import type { EditionRow } from '../store/schema.ts'
import { addMs, type Instant, minute, second } from '../time/clock.ts'

const firstWaitMs = 15 * second
const maxWaitMs = 10 * minute

type Failure = { count: number; retryAt: Instant; fingerprint: string }

/**
 * Schedules retries of failed seals: after 15 seconds, doubled each time up to ten minutes. A change to the templates,
 * the job file or the edition, or a decision by a person, makes the retry due at once.
 */
export class SealRetries {
  readonly #failures = new Map<string, Failure>()

  async isDue(app: App, edition: EditionRow, digest: Digest): Promise<boolean> {
    const failure = this.#failures.get(edition.id)
    if (!failure || app.clock.now() >= failure.retryAt) return true
    return (await inputFingerprint(app, edition, digest)) !== failure.fingerprint
  }

  /** Returns the time of the next attempt. `edition` is the row after the failed attempt. */
  async recordFailure(app: App, edition: EditionRow, digest: Digest): Promise<Instant> {
    const before = this.#failures.get(edition.id)
    const causes = await inputFingerprint(app, edition, digest)
    const count = before?.fingerprint === causes ? before.count + 1 : 1
    const retryAt = addMs(app.clock.now(), Math.min(firstWaitMs * 2 ** (count - 1), maxWaitMs))
    this.#failures.set(edition.id, { count, retryAt, fingerprint: causes })
    return retryAt
  }

  recordSuccess(id: string): void {
    this.#failures.delete(id)
  }
}

/** Covers everything that people can change and that can change the result of the next attempt. */
async function inputFingerprint({ db, config }: App, edition: EditionRow, digest: Digest): Promise<string> {
  const decisions = (await editionEvents(db, edition.id)).filter(isDecision).length
  return JSON.stringify([edition, decisions, digest, templateVersion(config.templates)])
}
