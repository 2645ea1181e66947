import { type Kysely, sql } from 'kysely'

/** A story has copies, an article that editions pass over comes to an end, and a feed has an order. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .alterTable('articles')
    .addColumn('place', 'integer', (c) => c.notNull().defaultTo(0))
    .execute()
  await db.schema.alterTable('choices').addColumn('last_at', 'text').execute()

  const ledger = db.schema.alterTable('ledger')
  await ledger.dropColumn('own_at').execute()
  await ledger.addColumn('unlike', 'text', (c) => c.references('articles.id')).execute()
  await ledger.addColumn('compared_at', 'text').execute()
  await ledger.addColumn('lapsed_in', 'text', (c) => c.references('editions.id')).execute()

  // What is settled was compared in its time; what is pending is compared once more, by the rules of today.
  await sql`update ledger set compared_at = enrolled_at where edition_id is not null or backlog_at is not null`.execute(
    db,
  )
  await sql`update ledger set compared_at = enrolled_at where article_id in (select article_id from letters)`.execute(
    db,
  )
  // From here on `same_as` names the first article of the story, which has none itself. Chains were three long at most.
  for (let round = 0; round < 4; round++) {
    await sql`
      update ledger set same_as = (
        select first.same_as from ledger as first
        where first.digest = ledger.digest and first.article_id = ledger.same_as
      )
      where exists (
        select 1 from ledger as first
        where first.digest = ledger.digest and first.article_id = ledger.same_as and first.same_as is not null
      )`.execute(db)
  }
  await sql`update ledger set same_as = null where same_as = article_id`.execute(db)

  const index = (name: string) => db.schema.createIndex(name).on('ledger')
  await index('ledger_pending')
    .columns(['digest', 'article_id'])
    .where(sql<boolean>`edition_id is null and backlog_at is null`)
    .execute()
  await index('ledger_uncompared').columns(['digest', 'article_id']).where(sql<boolean>`compared_at is null`).execute()
  await index('ledger_enrolled').columns(['digest', 'enrolled_at']).execute()
  await index('ledger_lapsed').column('lapsed_in').execute()
  await index('ledger_article').column('article_id').execute()
  await sql`create index ledger_story on ledger (digest, coalesce(same_as, article_id))`.execute(db)
}
