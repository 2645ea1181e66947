import cron, { type ScheduledTask } from 'node-cron'
import type { App } from '../app.ts'
import { releaseAbandoned } from '../deliveries/worker.ts'
import { detectInFeeds, detectOnPages } from '../editions/corrections/detect.ts'
import { feedUrlsOf } from '../editions/digest.ts'
import { addAllToLedger } from '../editions/ledger.ts'
import { deleteOldPages } from '../store/articles/pages.ts'
import { pruneFeedEvents } from '../store/events/events.ts'
import { deleteOldProviders } from '../store/limits/providers.ts'
import { deleteExpiredMails, deleteFinishedMails } from '../store/outbox/outbox.ts'
import { deleteExpiredSignIns } from '../store/staff/staff.ts'
import { deleteExpiredConfirmations } from '../store/subscribers/confirmations.ts'
import { addMs, day, hour, second } from '../time/clock.ts'
import { EditionPipeline } from './advance.ts'
import { ClockWatch } from './clock-watch.ts'
import { forgetArticles } from './forget-articles.ts'
import { forgetPictures } from './forget-pictures.ts'
import { JobReader } from './job-reader.ts'
import { addFeedNotices } from './notices/feed-trouble.ts'
import { addSkippedRunNotices } from './notices/skipped-run.ts'
import { addWaitingNotices } from './notices/waiting-edition.ts'
import { sendOutbox } from './outbox.ts'
import { refreshDue } from './refresh-feeds.ts'
import type { Sender } from './sending/sender.ts'
import { Tasks } from './tasks.ts'

export type ScheduleContext = { app: App; sender: Sender; signal: AbortSignal }

export type Chore = {
  name: string
  cronPattern: string
  run(running: ScheduleContext & { pipeline: EditionPipeline; jobs: JobReader }): Promise<unknown>
}

/** The timetable of the chores, in UTC. A timer only wakes a chore; the database decides what is due. */
export const chores: Chore[] = [
  { name: 'read-job-files', cronPattern: '*/5 * * * * *', run: ({ jobs }) => jobs.poll() },
  { name: 'create-due-editions', cronPattern: '* * * * *', run: async ({ pipeline }) => pipeline.makeDue() },
  { name: 'advance-editions', cronPattern: '*/5 * * * * *', run: ({ pipeline }) => pipeline.advance() },
  {
    name: 'refresh-feeds',
    cronPattern: '* * * * *',
    run: ({ app, signal }) => refreshDue(app, app.digests.flatMap(feedUrlsOf), signal),
  },
  { name: 'add-articles-to-ledger', cronPattern: '3-59/15 * * * *', run: ({ app }) => addAllToLedger(app) },
  { name: 'find-corrections', cronPattern: '1-59/5 * * * *', run: ({ app }) => detectInFeeds(app, app.digests) },
  {
    name: 'check-article-pages',
    cronPattern: '6-59/15 * * * *',
    run: ({ app, signal }) => detectOnPages(app, app.digests, signal),
  },
  {
    name: 'release-dead-workers',
    cronPattern: '* * * * *',
    run: ({ app, sender }) => releaseAbandoned(app, sender.worker),
  },
  { name: 'add-feed-notices', cronPattern: '* * * * *', run: ({ app }) => addFeedNotices(app) },
  { name: 'add-skipped-run-notices', cronPattern: '* * * * *', run: ({ app }) => addSkippedRunNotices(app) },
  { name: 'add-waiting-edition-notices', cronPattern: '* * * * *', run: ({ app }) => addWaitingNotices(app) },
  {
    name: 'send-outbox',
    cronPattern: '*/5 * * * * *',
    run: ({ app, sender, signal }) => sendOutbox(app, sender, signal),
  },
  {
    name: 'delete-confirmations',
    cronPattern: '11 * * * *',
    run: ({ app }) => deleteExpiredConfirmations(app.db, addMs(app.clock.now(), -hour)),
  },
  {
    name: 'delete-confirmation-emails',
    cronPattern: '13 * * * *',
    run: ({ app }) => deleteFinishedMails(app.db, 'confirmation', addMs(app.clock.now(), -30 * day)),
  },
  {
    name: 'delete-expired-sign-ins',
    cronPattern: '7 * * * *',
    run: async ({ app: { db, clock } }) => {
      await deleteExpiredSignIns(db, clock.now())
      await deleteFinishedMails(db, 'sign-in', clock.now())
      await deleteExpiredMails(db, 'sign-in', clock.now())
    },
  },
  {
    name: 'delete-old-pages',
    cronPattern: '17 * * * *',
    run: ({ app }) => deleteOldPages(app.db, { maxRows: 5000, before: addMs(app.clock.now(), -30 * day) }),
  },
  {
    name: 'delete-old-feed-events',
    cronPattern: '29 3 * * *',
    run: ({ app }) =>
      pruneFeedEvents(app.db, { maxEvents: 200, minEvents: 3, before: addMs(app.clock.now(), -365 * day) }),
  },
  { name: 'delete-old-articles', cronPattern: '41 3 * * *', run: ({ app, signal }) => forgetArticles(app, signal) },
  { name: 'delete-unused-pictures', cronPattern: '47 3 * * *', run: ({ app, signal }) => forgetPictures(app, signal) },
  {
    name: 'delete-old-providers',
    cronPattern: '23 3 * * *',
    run: ({ app }) => deleteOldProviders(app.db, addMs(app.clock.now(), -7 * day)),
  },
]

/** How often the wall clock and the monotonic clock are compared. */
const clockCheckIntervalMs = 5 * second

/**
 * Runs every chore at the start and at its times, except one that still runs; when the system clock is set or timers stop
 * firing, sets the timers again and runs every chore. `stop` starts no new work and waits for the work in progress.
 */
export function startSchedule(running: ScheduleContext): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const schedule = new Scheduler({ ...running, signal: AbortSignal.any([running.signal, stopping.signal]) })
  schedule.start()
  return {
    async stop() {
      stopping.abort()
      await schedule.stop()
    },
  }
}

class Scheduler {
  readonly #running: ScheduleContext
  readonly #pipeline: EditionPipeline
  readonly #jobs: JobReader
  readonly #work = new Tasks()
  readonly #watch = new ClockWatch()
  #timers: ScheduledTask[] = []
  #watching: NodeJS.Timeout | undefined

  constructor(running: ScheduleContext) {
    this.#running = running
    this.#pipeline = new EditionPipeline(running.app, running.sender, running.signal)
    this.#jobs = new JobReader(running.app)
  }

  start(): void {
    this.#arm()
    this.#watching = setInterval(() => this.#compareClocks(), clockCheckIntervalMs)
  }

  async stop(): Promise<void> {
    clearInterval(this.#watching)
    this.#disarm()
    await this.#work.idle()
    await this.#pipeline.idle()
    await this.#jobs.close().catch(() => {}) // if the store is unavailable, its row expires two minutes later
  }

  #arm(): void {
    for (const chore of chores) this.#wake(chore)
    const options = { timezone: 'UTC', suppressMissedWarning: true }
    this.#timers = chores.map((chore) =>
      cron.schedule(chore.cronPattern, () => this.#wake(chore), { ...options, name: chore.name }),
    )
  }

  #disarm(): void {
    for (const timer of this.#timers) void timer.destroy()
    this.#timers = []
  }

  #compareClocks(): void {
    const disturbance = this.#watch.check()
    if (!disturbance || this.#running.signal.aborted) return
    this.#running.app.log.warn(
      { event: 'schedule.rearmed', ...disturbance },
      disturbance.kind === 'step' ? 'the clock of the machine was set' : 'timers did not fire for some time',
    )
    this.#disarm()
    this.#arm()
  }

  #wake(chore: Chore): void {
    this.#watch.tick()
    if (this.#running.signal.aborted) return
    this.#work.start(chore.name, () => this.#run(chore))
  }

  async #run(chore: Chore): Promise<void> {
    try {
      await chore.run({ ...this.#running, pipeline: this.#pipeline, jobs: this.#jobs })
    } catch (err) {
      this.#running.app.log.error(
        { event: 'schedule.chore_failed', chore: chore.name, err },
        'a chore failed; it is tried again at its next time',
      )
    }
  }
}
