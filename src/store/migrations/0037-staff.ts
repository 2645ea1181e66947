import type { Kysely } from 'kysely'

/** The email addresses of staff, for sign-in by email. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('staff')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('email', 'text', (c) => c.notNull())
    .addColumn('email_key', 'text', (c) => c.notNull().unique())
    .addColumn('added_at', 'text', (c) => c.notNull())
    .execute()
}
