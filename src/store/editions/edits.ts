import type { Instant } from '../../time/clock.ts'
import type { Db, EditRow } from '../schema.ts'

export async function addEdit(db: Db, edit: EditRow): Promise<void> {
  await db.insertInto('edits').values(edit).execute()
}

/** Every edit of the edition, including undone ones, the oldest first. */
export function editsOf(db: Db, editionId: string): Promise<EditRow[]> {
  return db.selectFrom('edits').selectAll().where('editionId', '=', editionId).orderBy('number').execute()
}

/** Marks an edit as undone. Returns false if it already was, or if there is none. */
export async function markUndone(db: Db, id: string, who: string, now: Instant): Promise<boolean> {
  const undone = await db
    .updateTable('edits')
    .set({ undoneAt: now, undoneBy: who })
    .where('id', '=', id)
    .where('undoneAt', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return undone !== undefined
}

/** The active exclusions of pending articles, from any edition of the digest. */
export function activeExclusions(db: Db, digest: string): Promise<EditRow[]> {
  return db
    .selectFrom('edits')
    .innerJoin('editions', 'editions.id', 'edits.editionId')
    .innerJoin('ledger', (join) =>
      join.onRef('ledger.articleId', '=', 'edits.target').onRef('ledger.digest', '=', 'editions.digest'),
    )
    .selectAll('edits')
    .where('edits.kind', '=', 'exclude')
    .where('edits.undoneAt', 'is', null)
    .where('editions.digest', '=', digest)
    .where('ledger.backlogAt', 'is', null)
    .orderBy('edits.at')
    .orderBy('edits.id')
    .execute()
}

/** The edits in force of every edition of the digest that was due since then, each with that due time. */
export function editsOfDigest(db: Db, digest: string, since: Instant): Promise<(EditRow & { dueAt: Instant })[]> {
  return db
    .selectFrom('edits')
    .innerJoin('editions', 'editions.id', 'edits.editionId')
    .selectAll('edits')
    .select('editions.dueAt')
    .where('editions.digest', '=', digest)
    .where('editions.dueAt', '>=', since)
    .where('edits.undoneAt', 'is', null)
    .orderBy('editions.dueAt')
    .orderBy('edits.number')
    .execute()
}

/** The edits of the article in all editions, newest edition first. */
export function editsAbout(db: Db, articleId: string) {
  return db
    .selectFrom('edits')
    .innerJoin('editions', 'editions.id', 'edits.editionId')
    .selectAll('edits')
    .select(['editions.digest', 'editions.number as editionNumber', 'editions.dueAt'])
    .where('edits.target', '=', articleId)
    .orderBy('editions.dueAt', 'desc')
    .orderBy('edits.number')
    .execute()
}
