import { type Kysely, sql } from 'kysely'
import { AppError } from '../errors.ts'
import type { Clock } from '../time/clock.ts'
import type { Engine } from './engine.ts'
import * as first from './migrations/0001-first.ts'
import * as feeds from './migrations/0002-feeds.ts'
import * as choice from './migrations/0003-choice.ts'
import * as corrections from './migrations/0004-corrections.ts'
import * as letters from './migrations/0005-letters.ts'
import * as addresses from './migrations/0006-addresses.ts'
import * as bodies from './migrations/0007-bodies.ts'
import * as answers from './migrations/0010-answers.ts'
import * as copies from './migrations/0011-copies.ts'
import * as feedsRecord from './migrations/0012-feeds-record.ts'
import * as pace from './migrations/0013-pace.ts'
import * as deliveryCounts from './migrations/0014-delivery-counts.ts'
import * as localTime from './migrations/0015-local-time.ts'
import * as relays from './migrations/0016-relays.ts'
import * as confirmations from './migrations/0017-confirmations.ts'
import * as longAddresses from './migrations/0018-long-addresses.ts'
import * as notices from './migrations/0019-notices.ts'
import * as sessions from './migrations/0020-sessions.ts'
import * as letterVersions from './migrations/0021-letter-versions.ts'
import * as approval from './migrations/0022-approval.ts'
import * as jobFiles from './migrations/0023-job-files-and-corrections.ts'
import * as forgottenArticles from './migrations/0024-forgotten-articles.ts'
import * as scheduleChanges from './migrations/0029-kept-form-names-and-schedule-changes.ts'
import * as pausedAndQuarantined from './migrations/0030-paused-and-quarantined.ts'
import * as sendingSlices from './migrations/0031-sending-slices.ts'
import * as events from './migrations/0032-events.ts'
import * as outbox from './migrations/0033-outbox.ts'
import * as lettersTable from './migrations/0034-letters.ts'
import * as edits from './migrations/0035-edits.ts'
import * as reasons from './migrations/0036-reasons.ts'
import * as staff from './migrations/0037-staff.ts'
import * as publishers from './migrations/0038-publishers.ts'
import * as pictures from './migrations/0039-pictures.ts'
import * as correctionClasses from './migrations/0042-correction-classes.ts'
import * as textFingerprints from './migrations/0043-text-fingerprints.ts'
import * as replies from './migrations/0044-replies.ts'
import type { Schema } from './schema.ts'

/** In order, listed by hand. A migration that has landed never changes. */
export const migrations = [
  { name: '0001-first', up: first.up },
  { name: '0002-feeds', up: feeds.up },
  { name: '0003-choice', up: choice.up },
  { name: '0004-corrections', up: corrections.up },
  { name: '0005-letters', up: letters.up },
  { name: '0006-addresses', up: addresses.up },
  { name: '0007-bodies', up: bodies.up },
  { name: '0010-answers', up: answers.up },
  { name: '0011-copies', up: copies.up },
  { name: '0012-feeds-record', up: feedsRecord.up },
  { name: '0013-pace', up: pace.up },
  { name: '0014-delivery-counts', up: deliveryCounts.up },
  { name: '0015-local-time', up: localTime.up },
  { name: '0016-relays', up: relays.up },
  { name: '0017-confirmations', up: confirmations.up },
  { name: '0018-long-addresses', up: longAddresses.up },
  { name: '0019-notices', up: notices.up },
  { name: '0020-sessions', up: sessions.up },
  { name: '0021-letter-versions', up: letterVersions.up },
  { name: '0022-approval', up: approval.up },
  { name: '0023-job-files-and-corrections', up: jobFiles.up },
  { name: '0024-forgotten-articles', up: forgottenArticles.up },
  { name: '0029-kept-form-names-and-schedule-changes', up: scheduleChanges.up },
  { name: '0031-sending-slices', up: sendingSlices.up },
  { name: '0030-paused-and-quarantined', up: pausedAndQuarantined.up },
  { name: '0032-events', up: events.up },
  { name: '0033-outbox', up: outbox.up },
  { name: '0034-letters', up: lettersTable.up },
  { name: '0035-edits', up: edits.up },
  { name: '0036-reasons', up: reasons.up },
  { name: '0037-staff', up: staff.up },
  { name: '0039-pictures', up: pictures.up },
  { name: '0044-replies', up: replies.up },
  { name: '0043-text-fingerprints', up: textFingerprints.up },
  { name: '0038-publishers', up: publishers.up },
  { name: '0042-correction-classes', up: correctionClasses.up },
]

/**
 * Applies the missing migrations in one transaction, and returns their names; two processes at once wait for each
 * other. Throws AppError `conflict`, and changes nothing, if the database has a migration that this program does not
 * know.
 */
export async function migrate(db: Kysely<Schema>, engine: Engine, clock: Clock): Promise<string[]> {
  return await db.transaction().execute(async (trx) => {
    await engine.lockForMigration(trx)
    await sql`create table if not exists migrations (name text primary key, applied_at text not null)`.execute(trx)
    const applied = await sql<{ name: string }>`select name from migrations order by name`.execute(trx)
    const done = new Set(applied.rows.map((row) => row.name))
    refuseNewer(done)
    const missing = migrations.filter((migration) => !done.has(migration.name))
    for (const { name, up } of missing) {
      await up(trx as unknown as Kysely<never>)
      await sql`insert into migrations (name, applied_at) values (${name}, ${clock.now()})`.execute(trx)
    }
    return missing.map((migration) => migration.name)
  })
}

function refuseNewer(done: Set<string>): void {
  const known = new Set(migrations.map((migration) => migration.name))
  const unknown = [...done].filter((name) => !known.has(name))
  if (unknown.length === 0) return
  throw new AppError('conflict', `the database is newer than this program: it has ${unknown.join(', ')}`, {
    hint: 'Start the newer version of lastword, or restore the backup that belongs to this one.',
  })
}
