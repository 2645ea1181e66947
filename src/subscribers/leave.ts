import type { Clock } from '../clock.ts'
import { addOutcome } from '../store/outcomes.ts'
import type { Db } from '../store/schema.ts'
import { endSubscription, renewSubscription, subscriberById } from '../store/subscribers.ts'
import { transaction } from '../store/transaction.ts'

/** A person's own act, with the edition whose link they used and the way they took. */
export type Act = { subscriberId: string; digest: string; editionId: string | null; how: string }

/** Ends the subscription at once (RFC 8058 §3.1). Doing it twice changes nothing. Returns whether it ended now. */
export async function leave({ db, clock }: { db: Db; clock: Clock }, act: Act): Promise<boolean> {
  return await transaction(db, async (trx) => {
    const ended = await endSubscription(trx, act.digest, act.subscriberId, clock.now())
    if (ended) await addOutcome(trx, outcome('leave', act), clock.now())
    return ended
  })
}

/** What coming back came to. Of a suppressed person the subscription is renewed, and still nothing is sent. */
export type Return = 'back' | 'suppressed' | 'had not left'

/** Takes back somebody who left and asks for it with their own link. */
export async function comeBack({ db, clock }: { db: Db; clock: Clock }, act: Act): Promise<Return> {
  return await transaction(db, async (trx) => {
    const proof = `asked for by ${act.how} on ${clock.now()}`
    const renewed = await renewSubscription(trx, act.digest, act.subscriberId, proof, clock.now())
    if (!renewed) return 'had not left'
    await addOutcome(trx, outcome('return', act), clock.now())
    return (await subscriberById(trx, act.subscriberId))?.suppressedAt == null ? 'back' : 'suppressed'
  })
}

function outcome(kind: 'leave' | 'return', { subscriberId, editionId, digest, how }: Act) {
  return { kind, subscriberId, editionId, detail: `${digest}, by ${how}` }
}
