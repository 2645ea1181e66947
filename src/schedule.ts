import cron, { type ScheduledTask } from 'node-cron'
import { EditionPipeline } from './advance.ts'
import type { App } from './app.ts'
import { callEditors } from './call.ts'
import { day, hour, later, second } from './clock.ts'
import { tellOfClock } from './clock-notice.ts'
import { ClockWatch } from './clock-watch.ts'
import { sendConfirmations } from './confirmations.ts'
import { releaseAbandoned } from './deliveries/worker.ts'
import { feedsListed } from './editions/digest.ts'
import { enrolAll } from './editions/enrol.ts'
import { findInFeeds, lookAgain } from './editions/late-truth.ts'
import { refreshDueFeeds } from './feeds/refresh.ts'
import { forgetArticles } from './forget-articles.ts'
import { JobReader } from './job-reader.ts'
import type { Sender } from './send.ts'
import { forgetConfirmations } from './store/confirmations.ts'
import { forgetFeedHistory } from './store/feeds.ts'
import { forgetPages } from './store/pages.ts'
import { forgetProviders } from './store/providers.ts'
import { forgetExpired } from './store/staff.ts'
import { Tasks } from './tasks.ts'
import { tellOfSkips } from './tell.ts'
import { watchFeeds } from './watch.ts'

export type Running = { app: App; sender: Sender; signal: AbortSignal }

export type Chore = {
  name: string
  every: string
  run(running: Running & { pipeline: EditionPipeline; jobs: JobReader }): Promise<unknown>
}

/** The timetable, in UTC. A tick only wakes us: what is due, the database says. */
export const chores: Chore[] = [
  { name: 'read-job-files', every: '*/5 * * * * *', run: ({ jobs }) => jobs.look() },
  { name: 'make-due-editions', every: '* * * * *', run: async ({ pipeline }) => pipeline.makeDue() },
  { name: 'advance-editions', every: '*/5 * * * * *', run: ({ pipeline }) => pipeline.advance() },
  {
    name: 'refresh-feeds',
    every: '* * * * *',
    run: ({ app, signal }) => refreshDueFeeds(app, app.digests.flatMap(feedsListed), signal),
  },
  { name: 'watch-feeds', every: '* * * * *', run: ({ app, sender }) => watchFeeds(app, sender.relays) },
  { name: 'take-articles-in', every: '3-59/15 * * * *', run: ({ app }) => enrolAll(app) },
  { name: 'find-corrections', every: '1-59/5 * * * *', run: ({ app }) => findInFeeds(app, app.digests) },
  {
    name: 'look-again',
    every: '6-59/15 * * * *',
    run: ({ app, signal }) => lookAgain(app, app.digests, signal),
  },
  { name: 'release-abandoned', every: '* * * * *', run: ({ app, sender }) => releaseAbandoned(app, sender.worker) },
  { name: 'call-editors', every: '* * * * *', run: ({ app, sender }) => callEditors(app, sender.relays) },
  { name: 'tell-of-clock', every: '* * * * *', run: ({ app, sender }) => tellOfClock(app, sender.relays) },
  { name: 'tell-of-skips', every: '* * * * *', run: ({ app, sender }) => tellOfSkips(app, sender) },
  { name: 'send-confirmations', every: '*/5 * * * * *', run: ({ app, sender }) => sendConfirmations(app, sender) },
  {
    name: 'forget-confirmations',
    every: '11 * * * *',
    run: ({ app }) => forgetConfirmations(app.db, later(app.clock.now(), -hour)),
  },
  { name: 'forget-expired', every: '7 * * * *', run: ({ app }) => forgetExpired(app.db, app.clock.now()) },
  {
    name: 'forget-pages',
    every: '17 * * * *',
    run: ({ app }) => forgetPages(app.db, { most: 5000, before: later(app.clock.now(), -30 * day) }),
  },
  {
    name: 'forget-feed-history',
    every: '29 3 * * *',
    run: ({ app }) => forgetFeedHistory(app.db, { most: 200, least: 3, before: later(app.clock.now(), -365 * day) }),
  },
  { name: 'forget-articles', every: '41 3 * * *', run: ({ app, signal }) => forgetArticles(app, signal) },
  {
    name: 'forget-providers',
    every: '23 3 * * *',
    run: ({ app }) => forgetProviders(app.db, later(app.clock.now(), -7 * day)),
  },
]

/** How often the clocks are compared. */
const watchEveryMs = 5 * second

/**
 * Wakes every chore at the start and at its times; one that is still under way is let be. When the clock of the machine
 * is set, or the timers stop coming, they are armed again within seconds, and every chore is woken. `stop` begins nothing
 * more, and waits for what is under way.
 */
export function startSchedule(running: Running): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const schedule = new Schedule({ ...running, signal: AbortSignal.any([running.signal, stopping.signal]) })
  schedule.start()
  return {
    async stop() {
      stopping.abort()
      await schedule.stop()
    },
  }
}

class Schedule {
  readonly #running: Running
  readonly #pipeline: EditionPipeline
  readonly #jobs: JobReader
  readonly #work = new Tasks()
  readonly #watch = new ClockWatch()
  #timers: ScheduledTask[] = []
  #watching: NodeJS.Timeout | undefined

  constructor(running: Running) {
    this.#running = running
    this.#pipeline = new EditionPipeline(running.app, running.sender, running.signal)
    this.#jobs = new JobReader(running.app)
  }

  start(): void {
    this.#arm()
    this.#watching = setInterval(() => this.#compareClocks(), watchEveryMs)
  }

  async stop(): Promise<void> {
    clearInterval(this.#watching)
    this.#disarm()
    await this.#work.idle()
    await this.#pipeline.idle()
    await this.#jobs.close().catch(() => {}) // where the store is away its row is forgotten two minutes later
  }

  #arm(): void {
    for (const chore of chores) this.#wake(chore)
    const options = { timezone: 'UTC', suppressMissedWarning: true }
    this.#timers = chores.map((chore) =>
      cron.schedule(chore.every, () => this.#wake(chore), { ...options, name: chore.name }),
    )
  }

  #disarm(): void {
    for (const timer of this.#timers) void timer.destroy()
    this.#timers = []
  }

  #compareClocks(): void {
    const disturbance = this.#watch.look()
    if (!disturbance || this.#running.signal.aborted) return
    this.#running.app.log.warn(
      { event: 'schedule.rearmed', ...disturbance },
      disturbance.kind === 'step' ? 'the clock of the machine was set' : 'no timer has come for a while',
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
