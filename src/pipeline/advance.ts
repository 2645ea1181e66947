import type { App } from '../app.ts'
import type { Digest } from '../editions/digest.ts'
import { ensureSealed } from '../editions/ensure-sealed.ts'
import { approveByRule } from '../editions/review.ts'
import { recordSealFailure } from '../editions/seal-failure.ts'
import { brakeNow } from '../store/deliveries/brake.ts'
import { unsentStatuses } from '../store/edition-status.ts'
import { editionById, editionsByStatus } from '../store/editions/editions.ts'
import type { EditionRow, EditionStatus } from '../store/schema.ts'
import type { Instant } from '../time/clock.ts'
import { makeDue } from './make-due.ts'
import { SealRetries } from './seal-retries.ts'
import { isQuiet, type Sender, sendEdition, sendingObstacles } from './sender.ts'
import { Tasks } from './tasks.ts'

/**
 * Moves the editions of every digest on: makes those that are due, seals and approves them, sends them. Each digest has
 * a task of its own for each of the three, so that a slow or failing digest, feed or relay delays nothing of another
 * digest, and sending delays no seal. Editions of one digest are sent one after another, by their due time.
 */
export class EditionPipeline {
  readonly #app: App
  readonly #sender: Sender
  readonly #signal: AbortSignal | undefined
  readonly #tasks = new Tasks()
  /** The editions whose obstacles are in the log. */
  readonly #reported = new Set<string>()
  readonly #retries = new SealRetries()

  /** When `signal` fires nothing more is begun; `idle` then waits for what is in flight. */
  constructor(app: App, sender: Sender, signal?: AbortSignal) {
    this.#app = app
    this.#sender = sender
    this.#signal = signal
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
      if (own.some(({ status }) => status === 'approved' || status === 'sending')) this.#send(digest)
    }
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    return this.#tasks.idle()
  }

  #prepare(digest: Digest): void {
    this.#start(`prepare ${digest.name}`, async () => {
      await prepareEditions(this.#app, digest, this.#retries, this.#signal)
      await this.#reportBlocked(digest)
      this.#send(digest)
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

  #send(digest: Digest): void {
    this.#start(`send ${digest.name}`, () => sendEditions(this.#app, this.#sender, digest, this.#signal))
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
  if (status === 'sealed' && digest.approval === 'auto') await approveByRule(app, edition.id, 'rule: approval auto')
}

async function sendEditions(app: App, sender: Sender, digest: Digest, signal: AbortSignal | undefined): Promise<void> {
  for (const { id } of await editionsByStatus(app.db, ['approved', 'sending'], digest.name)) {
    if (signal?.aborted) return
    try {
      await sendOne(app, sender, id, digest, signal)
    } catch (err) {
      reportFailure(app, { edition: id, digest: digest.name, err })
    }
  }
}

async function sendOne(
  app: App,
  sender: Sender,
  id: string,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { db, clock, log } = app
  const edition = await editionById(db, id) // the one before may have taken an hour
  if (!edition || (edition.status !== 'approved' && edition.status !== 'sending')) return
  if (sender.relays.blocked() || (await brakeNow(db)) || isQuiet(sender, id, clock.now())) return
  if ((await sendingObstacles(app, edition)).length > 0) return
  const report = await sendEdition(app, sender, id, { unknown: digest.unknown, ...(signal && { signal }) })
  const fields = { digest: digest.name, number: edition.number, ...report.counts }
  const { stopped, over, finished, wait } = report
  if (stopped && over) log.warn({ event: 'edition.stopped', ...fields, reason: stopped }, 'sending stopped')
  else if (stopped)
    log.warn({ event: 'edition.interrupted', ...fields, reason: stopped }, 'sending stopped; it is tried again')
  else if (finished) log.info({ event: 'edition.sent', ...fields }, 'edition sent')
  else if (wait) log.info({ event: 'edition.waiting', ...fields, ...wait }, 'the edition waits')
}

type FailureFields = { edition?: string; digest?: string; task?: string; retryAt?: Instant; err: unknown }

function reportFailure({ log }: App, fields: FailureFields): void {
  log.error({ event: 'edition.failed', ...fields }, 'an edition cannot go on; it is tried again')
}
