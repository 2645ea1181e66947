import type { App } from '../../app.ts'
import { finishSending } from '../../deliveries/finish.ts'
import { editionAdmission } from '../../deliveries/limits/edition-admission.ts'
import type { Wait } from '../../deliveries/limits/limit.ts'
import { rulesOf } from '../../deliveries/limits/rules.ts'
import type { PassEnd } from '../../deliveries/rounds.ts'
import { startSending } from '../../deliveries/start.ts'
import { untilStored } from '../../deliveries/until-stored.ts'
import { describeReason } from '../../describe/describe.ts'
import type { Digest } from '../../editions/digest.ts'
import { EmbeddedQueue } from '../../queue/embedded.ts'
import { editionTask } from '../../queue/enqueue.ts'
import type { Queue } from '../../queue/queue.ts'
import { currentSendingStop } from '../../store/deliveries/sending-stop.ts'
import { slicesDue } from '../../store/deliveries/slices.ts'
import { editionById } from '../../store/editions/editions.ts'
import type { EditionRow } from '../../store/schema.ts'
import { isQuiet, recordQuiet } from './quiet.ts'
import { checkCounts } from './send.ts'
import type { Sender } from './sender.ts'
import { sendingNeeds, sendingObstacles } from './sending-needs.ts'
import { SendingSessions } from './sending-sessions.ts'

/** One slice is sent, the next is read and a third waits, so that connections stay busy between slices. */
const slicesAtATime = 3
const maxTasksAtOnce = 500

/**
 * Sends editions in three kinds of tasks that any worker can run. `start-edition` freezes the audience and queues its
 * slices, `send-slice` sends one slice, and `finish-edition` ends the edition when its counters are complete.
 */
export class SendingTasks {
  readonly #app: App
  readonly #sender: Sender
  readonly #signal: AbortSignal | undefined
  readonly #queue: Queue
  readonly #sessions: SendingSessions
  /** Result of the last pass by edition id, until `finish-edition` reads it. */
  readonly #ends = new Map<string, PassEnd>()

  constructor(app: App, sender: Sender, signal: AbortSignal | undefined, queue?: Queue) {
    const { db, store, clock, log } = app
    this.#app = app
    this.#sender = sender
    this.#signal = signal
    this.#queue =
      queue ?? new EmbeddedQueue({ db, engine: store.engine, clock, log, workerId: sender.worker.id, signal })
    this.#sessions = new SendingSessions(app, sender, signal, (id, end, err) => this.#passEnded(id, end, err))
    this.#work('start-edition', 1, ({ edition = '' }) => this.#start(edition))
    this.#work('send-slice', slicesAtATime, ({ edition = '', slice = '' }) => this.#sendSlice(edition, slice))
    this.#work('finish-edition', 1, ({ edition = '' }) => this.#finish(edition))
  }

  /** Queues a start task for each edition that is idle and may have work. Resolves once the tasks are queued. */
  async enqueue(editions: EditionRow[]): Promise<void> {
    const now = this.#app.clock.now()
    const idle = editions.filter(({ id }) => !this.#sessions.isOpen(id) && !isQuiet(this.#sender, id, now))
    if (idle.length > 0)
      await this.#queue.enqueue(
        this.#app.db,
        idle.map(({ id }) => editionTask('start-edition', id)),
      )
    this.#queue.wake()
  }

  /** Resolves when no work is in progress. */
  async idle(): Promise<void> {
    for (await this.#queue.idle(); this.#sessions.isBusy; await this.#queue.idle()) await this.#sessions.idle()
  }

  #work(kind: string, parallelOfGroup: number, handle: (data: Record<string, string>) => Promise<void>): void {
    this.#queue.work(kind, { parallelOfGroup, handle })
  }

  async #start(editionId: string): Promise<void> {
    const { db, clock } = this.#app
    const { digest } = await this.#edition(editionId)
    if (!digest || this.#sessions.isOpen(editionId) || !(await this.#mayBeSent(editionId))) return
    const needs = await sendingNeeds(this.#app, this.#sender, editionId)
    const admission = editionAdmission(needs, needs.rules)
    const shut = await admission.blockedReason()
    await admission.close()
    if (shut) return await this.#waitFor(editionId, shut)
    await untilStored({ ...needs, signal: this.#signal }, () => startSending(needs, editionId, digest.unknown))
    if (await this.#queue.isOpen(db, 'send-slice', editionId)) return
    const slices = await slicesDue(db, editionId, clock.now())
    const tasks = slices.map((firstId) => editionTask('send-slice', editionId, firstId))
    if (tasks.length === 0) tasks.push(editionTask('finish-edition', editionId))
    for (let start = 0; start < tasks.length; start += maxTasksAtOnce)
      await this.#queue.enqueue(db, tasks.slice(start, start + maxTasksAtOnce))
  }

  /** A slice that cannot be sent now stays due; the next `start-edition` queues it again. */
  async #sendSlice(editionId: string, slice: string): Promise<void> {
    const isQuietNow = isQuiet(this.#sender, editionId, this.#app.clock.now())
    if (!this.#sessions.isOpen(editionId) && (isQuietNow || !(await this.#mayBeSent(editionId)))) return
    await this.#sessions.sendSlice(editionId, slice)
  }

  async #mayBeSent(editionId: string): Promise<boolean> {
    const { edition, digest } = await this.#edition(editionId)
    if (!digest || (edition?.status !== 'approved' && edition?.status !== 'sending')) return false
    if (this.#sender.relays.blockedReason() || (await currentSendingStop(this.#app.db))) return false
    return (await sendingObstacles(this.#app, edition)).length === 0
  }

  async #passEnded(editionId: string, end: PassEnd | undefined, err: unknown): Promise<void> {
    const { db, log, clock } = this.#app
    if (end) this.#ends.set(editionId, end)
    if (end?.wait) recordQuiet(this.#sender, editionId, end.wait, clock.now())
    if (!end)
      log.error({ event: 'edition.failed', edition: editionId, err }, 'an edition cannot go on; it is tried again')
    try {
      await this.#queue.enqueue(db, [editionTask('finish-edition', editionId)])
    } catch (err) {
      log.warn(
        { event: 'edition.unfinished', edition: editionId, err },
        'the store is away; the edition is looked at later',
      )
    }
    this.#queue.wake()
  }

  async #finish(editionId: string): Promise<void> {
    const { db, store, clock, log } = this.#app
    const { edition, digest } = await this.#edition(editionId)
    if (!digest || this.#sessions.isOpen(editionId)) return
    const end = this.#ends.get(editionId)
    const needs = {
      db,
      engine: store.engine,
      clock,
      providers: this.#sender.providers,
      rules: rulesOf(this.#app, digest.name),
    }
    const { counts, finished, isOut, wait } = await finishSending(needs, editionId, digest.unknown)
    this.#ends.delete(editionId)
    if (finished) await checkCounts(this.#app, editionId)
    const fields = { digest: digest.name, number: edition?.number, ...counts }
    if (finished) return log.info({ event: 'edition.sent', ...fields }, 'edition sent')
    if (end?.stopped) return this.#reportStop(editionId, end, fields)
    const next = isOut ? (end?.wait ?? wait) : null
    if (next) await this.#waitFor(editionId, next, fields)
    else recordQuiet(this.#sender, editionId, null, clock.now())
  }

  #reportStop(editionId: string, { stopped, over }: PassEnd, counts: object): void {
    const { log, clock } = this.#app
    recordQuiet(this.#sender, editionId, null, clock.now())
    const fields = { ...counts, reason: stopped && describeReason(stopped) }
    if (over) log.warn({ event: 'edition.stopped', ...fields }, 'sending stopped')
    else log.warn({ event: 'edition.interrupted', ...fields }, 'sending stopped; it is tried again')
  }

  async #waitFor(editionId: string, wait: Wait, fields: object = { edition: editionId }): Promise<void> {
    const { clock, log } = this.#app
    recordQuiet(this.#sender, editionId, wait, clock.now())
    log.info(
      { event: 'edition.waiting', ...fields, until: wait.until, reason: describeReason(wait.reason) },
      'the edition waits',
    )
  }

  /** `digest` is undefined while its job file is missing. */
  async #edition(id: string): Promise<{ edition: EditionRow | undefined; digest: Digest | undefined }> {
    const edition = await editionById(this.#app.db, id)
    return { edition, digest: this.#app.digests.find(({ name }) => name === edition?.digest) }
  }
}
