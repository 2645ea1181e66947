import type { App } from '../app.ts'
import { beginsAt } from '../deliveries/limits/local-time.ts'
import { describeReason } from '../describe/describe.ts'
import { blankEdition } from '../editions/compose/blank-edition.ts'
import { compose } from '../editions/compose/compose.ts'
import type { Digest } from '../editions/digest.ts'
import { addArticlesToLedger } from '../editions/ledger.ts'
import type { CalendarSkip } from '../editions/schedule/calendar-runs.ts'
import { runsDecidedUntil } from '../editions/schedule/decided-runs.ts'
import {
  type DueRun,
  dueRuns,
  isOnSchedule,
  missedReason,
  scheduleAt,
  withoutServedRuns,
} from '../editions/schedule/due-runs.ts'
import { subscriberZones } from '../store/deliveries/zone-sends.ts'
import { editionDueAt } from '../store/digests/clock-faults.ts'
import { lockDigest, markDecided, type Schedule, type ScheduleChange, schedulesOf } from '../store/digests/digests.ts'
import { transaction } from '../store/drivers/transaction.ts'
import { addEdition, editionTimesSince } from '../store/editions/editions.ts'
import type { NewEvent } from '../store/events/event.ts'
import { addEvent } from '../store/events/events.ts'
import type { Reason } from '../store/events/reason.ts'
import { toJson } from '../store/json.ts'
import { dropPending } from '../store/ledger/ledger.ts'
import type { EditionRow } from '../store/schema.ts'
import { countActive } from '../store/subscribers/subscribers.ts'
import type { Instant } from '../time/clock.ts'
import { refreshAndEnrich } from './refresh-and-enrich.ts'
import { saveSchedule } from './schedule-changes.ts'

/**
 * Makes every due run of a digest, or records why a run is skipped. Returns the number of editions made; a failure is
 * logged and tried again at the next call.
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
  const decided = await runsDecidedUntil(app, digest, now)
  await saveSchedule(app, digest)
  const known = await schedulesOf(db, digest.name)
  const changes = known.length > 0 ? known : [{ ...scheduleOf(digest), at: decided }]
  const current = { ...digest, ...scheduleOf(changes.at(-1) ?? digest) }
  const zones = digest.localTime ? await subscriberZones(db, digest.name) : []
  const owed = dueRuns(current, decided, now, (dueAt) => beginsAt(current, dueAt, zones), changes)
  const due = owed.map((run) => markDropped(app, run, changes))
  return await processRuns(app, digest, due, changes)
}

/** Marks a run as missed if it was due before this process started and the schedule, changed since, no longer has it. */
function markDropped({ schedules }: App, run: DueRun, changes: ScheduleChange[]): DueRun {
  if (run.missed !== null || run.skipped || schedules.isRunningSince(run.dueAt)) return run
  const current = changes.at(-1)
  if (!current || scheduleAt(changes, run.dueAt) === current) return run
  if (current.schedule !== '' && isOnSchedule(current, run.dueAt)) return run
  return { ...run, missed: { code: 'missed-before-schedule-change' } }
}

const scheduleOf = ({ schedule, zone }: Schedule): Schedule => ({ schedule, zone })

/** Makes the runs or records them as missed. An edition made by hand after a run was due counts as that run. */
async function processRuns(app: App, digest: Digest, due: DueRun[], changes: ScheduleChange[]): Promise<number> {
  const [first] = due
  if (!first) return 0
  const planned = due.filter(({ skipped }) => skipped === undefined)
  const runs = withoutServedRuns(planned, await editionTimesSince(app.db, digest.name, first.dueAt))
  await recordMissed(app, digest, runs)
  let made = 0
  for (const run of due) {
    const timed = { ...digest, ...scheduleOf(scheduleAt(changes, run.dueAt) ?? digest) }
    if (run.skipped) await recordSkipped(app, digest, run.dueAt, run.skipped)
    else if (run.missed === null && runs.includes(run) && (await makeRun(app, timed, run.dueAt))) made += 1
    await markDecided(app.db, digest.name, run.dueAt)
  }
  return made
}

/** Returns whether this call made the edition. */
async function makeRun(app: App, digest: Digest, dueAt: Instant): Promise<boolean> {
  if (await editionDueAt(app.db, digest.name, dueAt)) return false // skips the feed refresh
  await refreshAndEnrich(app, digest)
  const recipients = await countActive(app.db, digest.name)
  const edition = await compose(app, digest, dueAt, { recipients, replace: true })
  const status = edition?.status ?? 'made elsewhere'
  app.log.info({ event: 'edition.due', digest: digest.name, dueAt, status }, 'edition due')
  if (edition?.reason) {
    const { id, number } = edition
    const reason = describeReason(edition.reason)
    const message = status === 'skipped' ? 'edition skipped' : 'the edition will be held for an editor'
    app.log.warn({ event: 'edition.thin', digest: digest.name, edition: id, number, dueAt, reason }, message)
  }
  return edition !== undefined
}

/** Adds one skipped edition, with the reason, for all the runs that were missed in a row. */
async function recordMissed(app: App, digest: Digest, runs: DueRun[]): Promise<void> {
  const reason = missedReason(runs)
  const dueAt = runs.findLast(({ missed }) => missed !== null)?.dueAt
  if (reason === undefined || dueAt === undefined) return
  if (!(await addSkipped(app, digest, dueAt, { reason, content: 'keep' }))) return
  const fields = { event: 'edition.run_missed', digest: digest.name, dueAt, reason: describeReason(reason) }
  app.log.warn(fields, 'run skipped')
}

/** Adds a skipped edition for a run that the calendar leaves out. Dropped articles are those of its feeds by then. */
async function recordSkipped(app: App, digest: Digest, dueAt: Instant, skipped: CalendarSkip): Promise<void> {
  if (await editionDueAt(app.db, digest.name, dueAt)) return
  if (skipped.content === 'drop') {
    await refreshAndEnrich(app, digest)
    await addArticlesToLedger(app, digest)
  }
  if (!(await addSkipped(app, digest, dueAt, skipped))) return
  const reason = describeReason(skipped.reason)
  app.log.info({ event: 'edition.run_skipped', digest: digest.name, dueAt, reason }, 'the calendar skips this run')
}

/** Returns whether this call added the edition, which is in one transaction with its event and dropped articles. */
function addSkipped(
  { db, clock, secret }: App,
  digest: Digest,
  dueAt: Instant,
  { reason, content }: { reason: Reason; content: CalendarSkip['content'] },
): Promise<boolean> {
  const now = clock.now()
  const blank = blankEdition(secret, digest, dueAt, now)
  const edition: EditionRow = { ...blank, status: 'skipped', reason: toJson(reason) }
  const event: NewEvent = { kind: 'edition.run_missed', actor: 'system', edition: edition.id, data: { reason } }
  return transaction(db, async (trx) => {
    await lockDigest(trx, digest.name, now)
    if (!(await addEdition(trx, edition))) return false
    if (content === 'drop') await dropPending(trx, digest.name, { editionId: edition.id, by: dueAt, now })
    await addEvent(trx, event, now)
    return true
  })
}
