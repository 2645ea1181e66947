import type { App } from '../app.ts'
import type { Digest } from '../editions/digest.ts'
import { ensureSealed } from '../editions/ensure-sealed.ts'
import { approveByRule } from '../editions/review.ts'
import { recordSealFailure } from '../editions/seal-failure.ts'
import { unsentStatuses } from '../store/edition-status.ts'
import { editionById, editionsByStatus } from '../store/editions/editions.ts'
import type { EditionRow, EditionStatus } from '../store/schema.ts'
import type { Instant } from '../time/clock.ts'
import { makeDue } from './make-due.ts'
import { SealRetries } from './seal-retries.ts'
import type { Sender } from './sending/sender.ts'
import { sendingObstacles } from './sending/sending-needs.ts'
import { SendingTasks } from './sending/sending-tasks.ts'
import { Tasks } from './tasks.ts'

/**
 * Moves the editions of every digest on: makes those that are due, seals and approves them, and has them sent. Each digest
 * has tasks of its own, so that a slow or failing digest, feed or relay delays nothing of another digest, and sending
 * delays no seal. Slices of all editions take turns.
 */
export class EditionPipeline {
  readonly #app: App
  readonly #signal: AbortSignal | undefined
  readonly #tasks = new Tasks()
  readonly #sending: SendingTasks
  /** The editions whose obstacles are in the log. */
  readonly #reported = new Set<string>()
  readonly #retries = new SealRetries()

  /** When `signal` fires nothing more is begun; `idle` then waits for what is in flight. */
  constructor(app: App, sender: Sender, signal?: AbortSignal) {
    this.#app = app
    this.#signal = signal
    this.#sending = new SendingTasks(app, sender, signal)
  }

  /** Starts making the runs that are due. Returns at once. */
  makeDue(): void {
    for (const digest of this.#app.digests)
      this.#start(`make ${digest.name}`, async () => {
        if ((await makeDue(this.#app, digest)) > 0) this.#prepare(digest)
      })
  }

  /** Starts sealing, approving and sending whatever may move on. Returns once that is started. */
  async advance(): Promise<void> {
    const open = await editionsByStatus(this.#app.db, [...unsentStatuses, 'sending'])
    for (const digest of this.#app.digests) {
      const own = open.filter((edition) => edition.digest === digest.name)
      if (own.some(({ status }) => status !== 'sending')) this.#prepare(digest)
    }
    const known = new Set(this.#app.digests.map(({ name }) => name))
    await this.#send(
      open.filter(({ digest, status }) => known.has(digest) && (status === 'approved' || status === 'sending')),
    )
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#tasks.idle()
    await this.#sending.idle()
  }

  #prepare(digest: Digest): void {
    this.#start(`prepare ${digest.name}`, async () => {
      await prepareEditions(this.#app, digest, this.#retries, this.#signal)
      await this.#reportBlocked(digest)
      await this.#send(await editionsByStatus(this.#app.db, ['approved', 'sending'], digest.name))
    })
  }

  /** Logs, once for each edition, the settings that keep it from being approved by rule, or from being sent. */
  async #reportBlocked(digest: Digest): Promise<void> {
    const waiting: EditionStatus[] =
      digest.approval === 'auto' ? ['sealed', 'approved', 'sending'] : ['approved', 'sending']
    for (const edition of await editionsByStatus(this.#app.db, waiting, digest.name)) {
      if (this.#reported.has(edition.id)) continue
      const reasons = await sendingObstacles(this.#app, edition)
      if (reasons.length === 0) continue
      this.#reported.add(edition.id)
      const { id, number } = edition
      const fields = { event: 'edition.blocked', edition: id, digest: digest.name, number, reasons }
      this.#app.log.warn(fields, 'the edition waits until a setting is changed and lastword is started again')
    }
  }

  async #send(editions: EditionRow[]): Promise<void> {
    if (!this.#signal?.aborted) await this.#sending.enqueue(editions)
  }

  #start(name: string, work: () => Promise<void>): void {
    if (this.#signal?.aborted) return
    this.#tasks.start(name, () => work().catch((err) => reportFailure(this.#app, { task: name, err })))
  }
}

/** Makes every run that is due, of all digests at the same time, and waits for that. Returns how many editions were made. */
export async function makeDueEditions(app: App): Promise<number> {
  const made = await Promise.all(app.digests.map((digest) => makeDue(app, digest)))
  return made.reduce((sum, count) => sum + count, 0)
}

/** Takes every edition as far as rules alone may take it, and waits for that: sealed, approved if no editor is asked, sent. */
export async function advanceEditions(app: App, sender: Sender, signal?: AbortSignal): Promise<void> {
  const pipeline = new EditionPipeline(app, sender, signal)
  await pipeline.advance()
  await pipeline.idle()
}

/**
 * Seals what is composed, or has to be sealed again, and approves what is sealed where the digest asks no editor. What
 * fails is tried again later, and editors see why it waits.
 */
async function prepareEditions(
  app: App,
  digest: Digest,
  retries: SealRetries,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const edition of await editionsByStatus(app.db, unsentStatuses, digest.name)) {
    if (signal?.aborted) return
    if (!(await retries.isDue(app, edition, digest))) continue
    try {
      await prepare(app, edition, digest)
      retries.recordSuccess(edition.id)
    } catch (err) {
      const retryAt = await scheduleRetry(app, edition.id, digest, { retries, err })
      reportFailure(app, { edition: edition.id, digest: digest.name, ...(retryAt && { retryAt }), err })
    }
  }
}

/** When it is tried again; undefined where the store has no answer either: then it is at the next turn. */
async function scheduleRetry(
  app: App,
  id: string,
  digest: Digest,
  { retries, err }: { retries: SealRetries; err: unknown },
): Promise<Instant | undefined> {
  try {
    const edition = await editionById(app.db, id)
    if (edition?.status === 'composed') await recordSealFailure(app, id, err)
    return edition && (await retries.recordFailure(app, edition, digest))
  } catch {
    return undefined
  }
}

async function prepare(app: App, edition: EditionRow, digest: Digest): Promise<void> {
  const { status } = await ensureSealed(app, edition, digest)
  if (status === 'sealed' && digest.approval === 'auto') await approveByRule(app, edition.id, 'rule')
}

type FailureFields = { edition?: string; digest?: string; task?: string; retryAt?: Instant; err: unknown }

function reportFailure({ log }: App, fields: FailureFields): void {
  log.error({ event: 'edition.failed', ...fields }, 'an edition cannot go on; it is tried again')
}
