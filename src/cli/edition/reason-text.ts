import { reasonWithText } from '../../describe/describe.ts'
import type { Reason } from '../../store/events/reason.ts'
import type { Json } from '../../store/json.ts'

/** A row for JSON output, with its reason as data and in words. */
export function withReasonText<Row extends { reason: Json<Reason> | null }>(row: Row) {
  return { ...row, reason: row.reason && reasonWithText(row.reason) }
}
