import { type Kysely, SqliteAdapter, sql } from 'kysely'

/**
 * Readers' letters leave `articles`, `ledger` and their false feeds for a table of their own, under the ids that they have.
 * A choice is about an article or about a letter. Frozen.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.dropIndex('letters_text').execute()
  await db.schema.alterTable('letters').renameTo('letters_before').execute()
  await createLetters(db)
  await copyLetters(db)
  await letChoicesHoldLetters(db)
  await deleteLetterArticles(db)
}

async function createLetters(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('letters')
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('digest', 'text', (c) => c.notNull())
    .addColumn('headline', 'text', (c) => c.notNull())
    .addColumn('text', 'text', (c) => c.notNull())
    .addColumn('text_hash', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('place', 'text', (c) => c.notNull())
    .addColumn('received_at', 'text', (c) => c.notNull())
    .addColumn('entered_at', 'text', (c) => c.notNull())
    .addColumn('entered_by', 'text', (c) => c.notNull())
    .addColumn('edited_at', 'text')
    .addColumn('edited_by', 'text')
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('withdrawn_at', 'text')
    .addColumn('withdrawn_by', 'text')
    .addColumn('edition_id', 'text', (c) => c.references('editions.id'))
    .addPrimaryKeyConstraint('letters_key', ['id'])
    .execute()
  await db.schema.createIndex('letters_text').on('letters').columns(['digest', 'text_hash']).execute()
  await db.schema.createIndex('letters_edition').on('letters').columns(['edition_id', 'digest']).execute()
}

async function copyLetters(db: Kysely<never>): Promise<void> {
  await sql`insert into letters (id, digest, headline, text, text_hash, name, place, received_at, entered_at, entered_by,
      edited_at, edited_by, version, withdrawn_at, withdrawn_by, edition_id)
    select articles.id, ledger.digest, articles.title, letter.text, letter.text_hash, articles.author, letter.place,
      coalesce(articles.published_at, articles.seen_at), articles.seen_at, letter.entered_by, letter.edited_at,
      letter.edited_by, letter.version, letter.withdrawn_at, letter.withdrawn_by, ledger.edition_id
    from letters_before letter
    join articles on articles.id = letter.article_id
    join ledger on ledger.article_id = letter.article_id`.execute(db)
}

async function letChoicesHoldLetters(db: Kysely<never>): Promise<void> {
  if (db.getExecutor().adapter instanceof SqliteAdapter) await rebuildChoices(db)
  else {
    await db.schema.alterTable('choices').dropConstraint('choices_key').execute()
    await sql`alter table choices alter column article_id drop not null`.execute(db)
  }
  await db.schema
    .alterTable('choices')
    .addColumn('letter_id', 'text', (c) => c.references('letters.id'))
    .execute()
  await sql`update choices set letter_id = article_id, article_id = null
    where article_id in (select id from letters)`.execute(db)
  const index = (name: string) => db.schema.createIndex(name).on('choices').unique()
  await index('choices_key').columns(['edition_id', 'article_id']).execute()
  await index('choices_letter').columns(['letter_id', 'edition_id']).execute()
}

/** SQLite cannot drop a NOT NULL: the table is copied, with every column that it has by now (https://sqlite.org/lang_altertable.html §7). */
async function rebuildChoices(db: Kysely<never>): Promise<void> {
  const made = await sql<{ type: string; sql: string }>`select type, sql from sqlite_master
    where tbl_name = 'choices' and sql is not null`.execute(db)
  const table = made.rows.find(({ type }) => type === 'table')?.sql ?? ''
  const rebuilt = table
    .replace(/^create table "?choices"?/i, 'create table choices_rebuilt')
    .replace(/("article_id" text) not null/i, '$1')
    .replace(/,\s*constraint "choices_key" primary key \("edition_id", "article_id"\)/i, '')
  if (rebuilt.length >= table.length || /primary key/i.test(rebuilt)) throw new Error(`cannot rebuild: ${table}`)
  await sql.raw(rebuilt).execute(db)
  await sql`insert into choices_rebuilt select * from choices`.execute(db)
  await sql`drop table choices`.execute(db)
  await sql`alter table choices_rebuilt rename to choices`.execute(db)
  for (const { type, sql: text } of made.rows) if (type === 'index') await sql.raw(text).execute(db)
}

async function deleteLetterArticles(db: Kysely<never>): Promise<void> {
  await sql`delete from ledger where article_id in (select id from letters)`.execute(db)
  await db.schema.dropTable('letters_before').execute()
  await sql`delete from articles where kind = 'letter'`.execute(db)
  await sql`delete from feeds where kind = 'letterbox'`.execute(db)
  for (const name of ['articles', 'feeds']) await db.schema.alterTable(name).dropColumn('kind').execute()
}
