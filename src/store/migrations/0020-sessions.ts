import { type Kysely, sql } from 'kysely'

/**
 * When a session was last used; what was typed into a form whose session had ended; who ended whose sessions; and whether
 * an edition may stand in the public archive once the job file of its digest is away. Frozen.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .alterTable('sessions')
    .addColumn('last_used_at', 'text', (c) => c.notNull().defaultTo(''))
    .execute()
  await sql`update sessions set last_used_at = created_at`.execute(db)

  await db.schema
    .createTable('kept_forms')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('session_hash', 'text', (c) => c.notNull())
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('fields', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'text', (c) => c.notNull())
    .execute()
  await db.schema.createIndex('kept_forms_session').on('kept_forms').columns(['session_hash', 'id']).execute()

  await db.schema
    .createTable('session_ends')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('staff', 'text', (c) => c.notNull())
    .addColumn('ended_by', 'text', (c) => c.notNull())
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('sessions', 'integer', (c) => c.notNull())
    .addColumn('links', 'integer', (c) => c.notNull())
    .execute()

  await db.schema
    .alterTable('editions')
    .addColumn('archive', 'text', (c) => c.notNull().defaultTo('on'))
    .execute()
}
