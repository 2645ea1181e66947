import type { App } from '../app.ts'
import type { Digest } from '../editions/digest.ts'
import { ensureSealed } from '../editions/ensure-sealed.ts'
import { approveByRule } from '../editions/review/approve.ts'
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
 * Makes due editions, seals and approves them, and queues them for sending. Each digest has separate tasks, so a slow
 * or failing digest, feed or relay delays no other digest and sending delays no seal; slices of all editions take turns.
 */
export class EditionPipeline {
  readonly #app: App
  readonly #signal: AbortSignal | undefined
  readonly #tasks = new Tasks()
  readonly #sending: SendingTasks
  /** Ids of the editions whose obstacles are already logged. */
  readonly #reported = new Set<string>()
  readonly #retries = new SealRetries()

  /** `signal` stops new work; `idle` then waits for the work in progress. */
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

  /** Starts to seal, approve and send every edition that is ready. Resolves once the work is started. */
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

  /** Resolves when no work is in progress. */
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

  /** Logs, once per edition, the settings that block its automatic approval or its sending. */
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

/**
 * Seals editions that are composed or need a new seal, and approves sealed ones if the digest needs no editor. A failed
 * edition is tried again later, and editors see the reason.
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

/** Returns the time of the next attempt, or undefined if the store fails: then the next pass tries again. */
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
