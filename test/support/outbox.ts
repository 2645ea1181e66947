import type { App } from '../../src/app.ts'
import { addWaitingNotices } from '../../src/pipeline/notices/waiting-edition.ts'
import { type OutboxSender, sendOutbox } from '../../src/pipeline/outbox.ts'
import { fromJson } from '../../src/store/json.ts'
import type { Db } from '../../src/store/schema.ts'

/** What the schedule does about notices of editions: adds those that are due, and sends what waits. Returns how many went out. */
export async function sendEditionNotices(app: App, relays: OutboxSender['relays']): Promise<number> {
  await addWaitingNotices(app)
  return await sendOutbox(app, { relays, signers: [] })
}

/** The notices about an edition, the oldest first, sent or not. */
export async function noticesOf(db: Db, edition: string) {
  const rows = await db.selectFrom('outbox').selectAll().orderBy('id').execute()
  return rows
    .map(({ kind, facts, sentAt, failedAt }) => ({
      ...(fromJson(facts) as { edition?: string }),
      kind,
      sentAt,
      failedAt,
    }))
    .filter((one) => one.edition === edition)
}
