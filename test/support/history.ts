import { describeEvent, describeReason } from '../../src/describe/describe.ts'
import { type PastEvent, personName } from '../../src/store/events/event.ts'
import { editionEvents, feedEvents } from '../../src/store/events/events.ts'
import type { Reason } from '../../src/store/events/reason.ts'
import type { Json } from '../../src/store/json.ts'
import type { Db } from '../../src/store/schema.ts'

/** The history of an edition, with `who` did it (a name, or the actor) and `what` in words. */
export async function editionHistory(db: Db, edition: string) {
  return (await editionEvents(db, edition)).map(toLine)
}

/** The same of all feeds. */
export async function feedHistory(db: Db) {
  return (await feedEvents(db)).map(toLine)
}

function toLine(event: PastEvent) {
  return { ...event, who: personName(event.actor) ?? event.actor, what: describeEvent(event) }
}

/** A choice, an edition or the like with its reason in words. */
export function inWords<Row extends { reason: Reason | Json<Reason> | null }>(row: Row | undefined) {
  return row && { ...row, reason: row.reason === null ? null : describeReason(row.reason) }
}
