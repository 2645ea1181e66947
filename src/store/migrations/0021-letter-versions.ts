import { createHash } from 'node:crypto'
import { type Kysely, sql } from 'kysely'

const page = 500

/**
 * A letter has a version, which each rewording raises, so that nobody overwrites words that they have not seen; and the
 * SHA-256 of its text without regard to case and blanks, by which the same letter is found again. Frozen.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .alterTable('letters')
    .addColumn('version', 'integer', (c) => c.notNull().defaultTo(1))
    .execute()
  await db.schema
    .alterTable('letters')
    .addColumn('text_hash', 'text', (c) => c.notNull().defaultTo(''))
    .execute()
  for (let after = ''; ; ) {
    const { rows } = await sql<{ id: string; text: string }>`select article_id as id, text from letters
      where article_id > ${after} and withdrawn_at is null order by article_id limit ${sql.lit(page)}`.execute(db)
    for (const { id, text } of rows)
      await sql`update letters set text_hash = ${hashOf(text)} where article_id = ${id}`.execute(db)
    const last = rows.at(-1)
    if (!last) break
    after = last.id
  }
  await db.schema.createIndex('letters_text').on('letters').columns(['text_hash']).execute()
}

function hashOf(text: string): string {
  const folded = text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()
  return createHash('sha256').update(folded).digest('hex')
}
