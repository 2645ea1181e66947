import type { App } from './app.ts'
import type { Instant } from './clock.ts'
import { beginsAt } from './deliveries/local-time.ts'
import { blankEdition, compose } from './editions/compose.ts'
import { decidedRuns } from './editions/decided.ts'
import type { Digest } from './editions/digest.ts'
import { type DueRun, dueRuns, missedText, withoutServed } from './editions/due.ts'
import { gather } from './gather.ts'
import { editionDueAt } from './store/clock-faults.ts'
import { decide, earlierSchedule, type Schedule, saveSchedule } from './store/digests.ts'
import { addEdition, editionTimesSince, note } from './store/editions.ts'
import type { EditionRow } from './store/schema.ts'
import { zonesOf } from './store/slices.ts'
import { countActive } from './store/subscribers.ts'

/**
 * Makes every run of a digest that the timetable owes by now, or records why it is not made. Returns how many editions
 * were made. A failure is logged, and tried again at the next look.
 */
export async function makeDue(app: App, digest: Digest): Promise<number> {
  try {
    return await makeRuns(app, digest)
  } catch (err) {
    const fields = { event: 'edition.make_failed', digest: digest.name, err }
    app.log.error(fields, 'a due run could not be made; it is tried again')
    return 0
  }
}

async function makeRuns(app: App, digest: Digest): Promise<number> {
  const { db, clock } = app
  const now = clock.now()
  const decided = await decidedRuns(app, digest, now)
  const earlier = await earlierSchedule(db, digest.name, digest)
  if (earlier) return await endSchedule(app, digest, earlier, decided, now)
  const zones = digest.localTime ? await zonesOf(db, digest.name) : []
  return await settleRuns(
    app,
    digest,
    dueRuns(digest, decided, now, (dueAt) => beginsAt(digest, dueAt, zones)),
  )
}

/**
 * The schedule was changed: what the one before owes by now is made or missed by its own times, and from now on the new
 * one counts. Its due times of before are no runs: nobody had asked for them.
 */
async function endSchedule(app: App, digest: Digest, earlier: Schedule, decided: Instant, now: Instant) {
  const { db, log } = app
  const owed = earlier.schedule === '' ? [] : dueRuns({ ...digest, ...earlier }, decided, now)
  const made = await settleRuns(app, digest, owed)
  await decide(db, digest.name, now)
  await saveSchedule(db, digest.name, digest)
  const { schedule, zone } = digest
  log.info({ event: 'schedule.changed', digest: digest.name, schedule, zone, before: earlier.schedule }, 'new schedule')
  return made
}

/** Makes the runs, or puts them down as missed. What somebody made by hand since a run was due has served it. */
async function settleRuns(app: App, digest: Digest, due: DueRun[]): Promise<number> {
  const [first] = due
  if (!first) return 0
  const runs = withoutServed(due, await editionTimesSince(app.db, digest.name, first.dueAt))
  await recordMissed(app, digest, runs)
  let made = 0
  for (const run of due) {
    if (run.missed === null && runs.includes(run) && (await makeRun(app, digest, run.dueAt))) made += 1
    await decide(app.db, digest.name, run.dueAt)
  }
  return made
}

/** Returns whether this call made the edition. */
async function makeRun(app: App, digest: Digest, dueAt: Instant): Promise<boolean> {
  if (await editionDueAt(app.db, digest.name, dueAt)) return false // its feeds need not be asked
  await gather(app, digest)
  const recipients = await countActive(app.db, digest.name)
  const edition = await compose(app, digest, dueAt, { recipients, replace: true })
  const status = edition?.status ?? 'made elsewhere'
  app.log.info({ event: 'edition.due', digest: digest.name, dueAt, status }, 'edition due')
  if (edition?.reason) {
    const { id, number, reason } = edition
    const message = status === 'skipped' ? 'edition skipped' : 'the edition will be held for an editor'
    app.log.warn({ event: 'edition.thin', digest: digest.name, edition: id, number, dueAt, reason }, message)
  }
  return edition !== undefined
}

/** Runs that are not made leave an edition behind too, skipped, with the reason: one for all that were missed in a row. */
async function recordMissed({ db, clock, secret, log }: App, digest: Digest, runs: DueRun[]): Promise<void> {
  const reason = missedText(runs)
  const dueAt = runs.findLast(({ missed }) => missed !== null)?.dueAt
  if (reason === undefined || dueAt === undefined) return
  const edition: EditionRow = { ...blankEdition(secret, digest, dueAt, clock.now()), status: 'skipped', reason }
  if (!(await addEdition(db, edition))) return
  await note(db, edition.id, 'lastword', `skipped: ${reason}`, clock.now())
  log.warn({ event: 'edition.run_missed', digest: digest.name, dueAt, reason }, 'run skipped')
}
