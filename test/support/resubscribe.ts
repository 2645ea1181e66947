import type { Clock } from '../../src/clock.ts'
import type { Db } from '../../src/store/schema.ts'
import type { Act } from '../../src/subscribers/leave.ts'
import {
  askToResubscribe,
  type Confirmed,
  confirmResubscription,
  type Request,
} from '../../src/subscribers/resubscribe.ts'

/** Asks to be subscribed again, and confirms it as if by the link in the email. */
export async function resubscribe(needs: { db: Db; clock: Clock }, act: Act): Promise<Request | Confirmed> {
  const asked = await askToResubscribe(needs, act)
  if (asked !== 'asked') return asked
  const { id } = await needs.db
    .selectFrom('confirmations')
    .select('id')
    .where('subscriberId', '=', act.subscriberId)
    .where('digest', '=', act.digest)
    .executeTakeFirstOrThrow()
  return await confirmResubscription(needs, id)
}
