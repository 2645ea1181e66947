import { type Kysely, type RawBuilder, sql } from 'kysely'

/**
 * One history of facts, and reasons as codes with values. Sentences of before are kept: as events of the kind `note`, and
 * as reasons of the code `text`. A withdrawn seal is known by its date, no longer by its name. Frozen.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await createEvents(db)
  await sql`insert into events (id, at, actor, kind, edition, data)
    select id, at, case when who = 'lastword' then 'system' when who like 'rule: %' then 'rule'
      when who = 'operator, by lastword run' then 'cli' else 'person:' || who end,
      'note', edition_id, '{"text":' || ${jsonText('what')} || '}' from history`.execute(db)
  await sql`insert into events (id, at, actor, kind, feed, data)
    select id, at, 'system', 'note', feed_id, '{"text":' || ${jsonText('what')} || '}' from feed_history`.execute(db)
  await db.schema.dropTable('history').execute()
  await db.schema.dropTable('feed_history').execute()

  for (const [table, column] of [
    ['editions', 'reason'],
    ['choices', 'reason'],
    ['feeds', 'error'],
    ['rejections', 'reason'],
    ['ledger', 'quarantine_reason'],
    ['ledger', 'cut_reason'],
    ['corrections', 'evidence'],
    ['corrections', 'undone_why'],
  ] as const)
    await sql`update ${sql.table(table)} set ${sql.ref(column)} = '{"code":"text","text":' || ${jsonText(column)} || '}'
      where ${sql.ref(column)} is not null`.execute(db)
}

async function createEvents(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('events')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('actor', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('edition', 'text')
    .addColumn('article', 'text')
    .addColumn('subscriber', 'text')
    .addColumn('feed', 'text')
    .addColumn('data', 'text', (c) => c.notNull())
    .execute()
  for (const subject of ['edition', 'article', 'subscriber', 'feed'])
    await db.schema
      .createIndex(`events_${subject}`)
      .on('events')
      .columns([subject, 'id'])
      .where(sql<boolean>`${sql.ref(subject)} is not null`)
      .execute()
}

/** The text of a column as a JSON string (RFC 8259 §7), in SQL that both engines have. */
function jsonText(column: string): RawBuilder<string> {
  const escapes = [
    ['\\', '\\\\'],
    ['"', '\\"'],
    ...Array.from({ length: 31 }, (_, index) => {
      const code = index + 1
      return [String.fromCharCode(code), `\\u${code.toString(16).padStart(4, '0')}`]
    }),
  ]
  const escaped = escapes.reduce(
    (text, [from, to]) => sql<string>`replace(${text}, ${from}, ${to})`,
    sql<string>`${sql.ref(column)}`,
  )
  return sql<string>`'"' || ${escaped} || '"'`
}
