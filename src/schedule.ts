import cron from 'node-cron'
import { advanceEditions, makeDueEditions } from './advance.ts'
import type { App } from './app.ts'
import { callEditors } from './call.ts'
import { day, later } from './clock.ts'
import { releaseAbandoned } from './deliveries/worker.ts'
import { feedsListed } from './editions/digest.ts'
import { enrolAll } from './editions/enrol.ts'
import { findInFeeds, lookAgain } from './editions/late-truth.ts'
import { messageOf } from './errors.ts'
import { refreshDueFeeds } from './feeds/refresh.ts'
import type { Sender } from './send.ts'
import { forgetPages } from './store/pages.ts'
import { forgetProviders } from './store/providers.ts'
import { forgetExpired } from './store/staff.ts'
import { tellOfSkips } from './tell.ts'
import { watchFeeds } from './watch.ts'

export type Running = { app: App; sender: Sender; signal: AbortSignal }

export type Chore = { name: string; every: string; run(running: Running): Promise<unknown> }

/** The timetable. A tick only wakes us: what is due, the database says. */
export const chores: Chore[] = [
  { name: 'make-due-editions', every: '* * * * *', run: ({ app }) => makeDueEditions(app) },
  {
    name: 'advance-editions',
    every: '*/5 * * * * *',
    run: ({ app, sender, signal }) => advanceEditions(app, sender, signal),
  },
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
  { name: 'tell-of-skips', every: '* * * * *', run: ({ app, sender }) => tellOfSkips(app, sender) },
  { name: 'forget-expired', every: '7 * * * *', run: ({ app }) => forgetExpired(app.db, app.clock.now()) },
  {
    name: 'forget-pages',
    every: '17 3 * * *',
    run: ({ app }) => forgetPages(app.db, later(app.clock.now(), -30 * day)),
  },
  {
    name: 'forget-providers',
    every: '23 3 * * *',
    run: ({ app }) => forgetProviders(app.db, later(app.clock.now(), -7 * day)),
  },
]

/** Wakes every chore at the start and at its times; one that is still under way is let be. `stop` waits for all. */
export function startSchedule(running: Running): { stop(): Promise<void> } {
  const underWay = new Map<string, Promise<void>>()
  const wake = (chore: Chore): void => {
    if (underWay.has(chore.name) || running.signal.aborted) return
    const work = runChore(chore, running).finally(() => underWay.delete(chore.name))
    underWay.set(chore.name, work)
  }
  for (const chore of chores) wake(chore)
  const tasks = chores.map((chore) =>
    cron.schedule(chore.every, () => wake(chore), { name: chore.name, timezone: 'UTC', suppressMissedWarning: true }),
  )
  return {
    async stop() {
      for (const task of tasks) await task.destroy()
      await Promise.all(underWay.values())
    },
  }
}

async function runChore(chore: Chore, running: Running): Promise<void> {
  try {
    await chore.run(running)
  } catch (error) {
    running.app.log.error(
      { chore: chore.name, error: messageOf(error) },
      'a chore failed; it is tried again at its next time',
    )
  }
}
