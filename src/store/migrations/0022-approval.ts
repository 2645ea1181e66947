import { type Kysely, sql } from 'kysely'

/**
 * Of an edition the day that it bears, who holds it and whether somebody let it go out in spite of its obstacles; the
 * command of a process that sends; and notices of which there is one for each edition. Frozen.
 */
export async function up(db: Kysely<never>): Promise<void> {
  for (const column of ['dated_at', 'held_by', 'overridden_at'])
    await sql`alter table editions add column ${sql.ref(column)} text`.execute(db)
  await sql`update editions set held_by = (
      select history.who from history
      where history.edition_id = editions.id and history.what like 'held: %' and history.who <> 'lastword'
      order by history.at desc, history.id desc limit 1)
    where status = 'held' and approved_at is null`.execute(db)
  await sql`alter table workers add column command text`.execute(db)
  await sql`create unique index calls_once on calls (edition_id, kind)
    where kind in ('waits', 'reminder', 'replaced')`.execute(db)
}
