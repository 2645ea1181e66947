import type { App } from './app.ts'
import { beginsAt } from './deliveries/local-time.ts'
import { blankEdition, compose } from './editions/compose.ts'
import type { Digest } from './editions/digest.ts'
import { dueRuns } from './editions/due.ts'
import { approveByRule } from './editions/review.ts'
import { seal } from './editions/seal.ts'
import { messageOf } from './errors.ts'
import { gather } from './gather.ts'
import { isQuiet, type Sender, sendEdition } from './send.ts'
import { brakeNow } from './store/brake.ts'
import { decide, decidedUntil } from './store/digests.ts'
import { addEdition, editionById, editionsIn, note } from './store/editions.ts'
import type { EditionRow } from './store/schema.ts'
import { zonesOf } from './store/slices.ts'

/** Makes every run that the timetable owes by now, or records why it is not made. Returns how many editions were made. */
export async function makeDueEditions(app: App): Promise<number> {
  let made = 0
  for (const digest of app.digests) {
    try {
      made += await makeDue(app, digest)
    } catch (error) {
      app.log.error({ digest: digest.name, error: messageOf(error) }, 'a due run could not be made; it is tried again')
    }
  }
  return made
}

async function makeDue(app: App, digest: Digest): Promise<number> {
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
      app.log.info({ digest: digest.name, dueAt, status: edition?.status ?? 'made elsewhere' }, 'edition due')
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
  log.warn({ digest: digest.name, dueAt, reason }, 'run skipped')
}

/** Takes every edition as far as rules alone may take it: sealed, approved if no editor is asked, sent. */
export async function advanceEditions(app: App, sender: Sender, signal?: AbortSignal): Promise<void> {
  for (const { id } of await editionsIn(app.db, ['composed', 'sealed', 'approved', 'sending'])) {
    const edition = await editionById(app.db, id) // the one before may have taken an hour
    if (signal?.aborted || !edition) return
    const digest = app.digests.find((one) => one.name === edition.digest)
    if (!digest) continue // its job file is away: it waits
    try {
      await advance(app, sender, edition, digest, signal)
    } catch (error) {
      app.log.error({ edition: edition.id, digest: digest.name, error: messageOf(error) }, 'edition does not move')
    }
  }
}

async function advance(
  app: App,
  sender: Sender,
  edition: EditionRow,
  digest: Digest,
  signal?: AbortSignal,
): Promise<void> {
  let { status } = edition
  if (status === 'composed') status = (await seal(app, edition.id, digest)).status
  if (status === 'sealed' && digest.approval === 'auto') {
    if (!(await approveByRule(app, edition.id, 'rule: approval auto'))) return
    status = 'approved'
  }
  if ((status !== 'approved' && status !== 'sending') || sender.relays.blocked()) return
  if (await brakeNow(app.db)) return
  if (isQuiet(sender, edition.id, app.clock.now())) return
  const report = await sendEdition(app, sender, edition.id, { unknown: digest.unknown, ...(signal && { signal }) })
  const fields = { digest: digest.name, number: edition.number, ...report.counts }
  if (report.stopped && report.over) app.log.warn({ ...fields, reason: report.stopped }, 'sending stopped')
  else if (report.stopped) app.log.warn({ ...fields, reason: report.stopped }, 'sending stopped; it is tried again')
  else if (report.finished) app.log.info(fields, 'edition sent')
  else if (report.wait) app.log.info({ ...fields, ...report.wait }, 'the edition waits')
}
