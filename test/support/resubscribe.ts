import type { Db } from '../../src/store/schema.ts'
import type { SubscriberAction } from '../../src/subscribers/leave.ts'
import {
  type ConfirmationResult,
  confirmResubscription,
  type ResubscribeResult,
  requestResubscription,
} from '../../src/subscribers/resubscribe.ts'
import type { Clock } from '../../src/time/clock.ts'

/** Asks to be subscribed again, and confirms it as if by the link in the email. */
export async function resubscribe(
  needs: { db: Db; clock: Clock },
  act: SubscriberAction,
): Promise<ResubscribeResult | ConfirmationResult> {
  const asked = await requestResubscription(needs, act)
  if (asked !== 'asked') return asked
  const { id } = await needs.db
    .selectFrom('confirmations')
    .select('id')
    .where('subscriberId', '=', act.subscriberId)
    .where('digest', '=', act.digest)
    .executeTakeFirstOrThrow()
  return await confirmResubscription(needs, id)
}
