import type { App } from './app.ts'
import { beginsAt } from './deliveries/local-time.ts'
import { blankEdition, compose } from './editions/compose.ts'
import type { Digest } from './editions/digest.ts'
import { dueRuns } from './editions/due.ts'
import { gather } from './gather.ts'
import { decide, decidedUntil } from './store/digests.ts'
import { addEdition, note } from './store/editions.ts'
import type { EditionRow } from './store/schema.ts'
import { zonesOf } from './store/slices.ts'

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
  const now = app.clock.now()
  const zones = digest.localTime ? await zonesOf(app.db, digest.name) : []
  const decided = await decidedUntil(app.db, digest.name, now)
  const runs = dueRuns(digest, decided, now, (dueAt) => beginsAt(digest, dueAt, zones))
  let made = 0
  for (const { dueAt, missed } of runs) {
    if (missed !== null) await recordMissed(app, digest, dueAt, missed)
    else {
      await gather(app, digest)
      const edition = await compose(app, digest, dueAt)
      if (edition) made += 1
      const status = edition?.status ?? 'made elsewhere'
      app.log.info({ event: 'edition.due', digest: digest.name, dueAt, status }, 'edition due')
    }
    await decide(app.db, digest.name, dueAt)
  }
  return made
}

/** A run that is not made leaves an edition behind too, skipped, with the reason. */
async function recordMissed(
  { db, clock, secret, log }: App,
  digest: Digest,
  dueAt: string,
  reason: string,
): Promise<void> {
  const edition: EditionRow = { ...blankEdition(secret, digest, dueAt, clock.now()), status: 'skipped', reason }
  if (!(await addEdition(db, edition))) return
  await note(db, edition.id, 'lastword', `skipped: ${reason}`, clock.now())
  log.warn({ event: 'edition.run_missed', digest: digest.name, dueAt, reason }, 'run skipped')
}
