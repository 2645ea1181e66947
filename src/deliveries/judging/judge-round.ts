import { answerOf } from '../../mail/smtp/result.ts'
import { isGoing, type Pass } from '../pass.ts'
import type { DeliverNeeds } from '../sending-needs.ts'
import { isAnotherAccepting, notifyOfExcludedRelay, requeueTurnedDown } from './relay-in-pass.ts'

/** The editors are notified after this many refusals by a relay that has accepted no message. */
const minRefused = 3

/**
 * Ends the round: gives what a relay turned down since its last acceptance to the other relays, because a second
 * opinion costs one command. Returns whether there is another round.
 */
export async function settleRound(needs: DeliverNeeds, pass: Pass): Promise<boolean> {
  let isMore = false
  for (const [relay, { verdicts }] of pass.relays) {
    const { accepted, inDoubt, isSuspect } = verdicts
    if (relay === null || inDoubt.length === 0 || !isGoing(pass)) continue
    if (!isAnotherAccepting(needs, pass, relay)) continue
    const last = inDoubt.at(-1)
    const isNews = isSuspect || (accepted === 0 && inDoubt.length >= minRefused)
    pass.excluded.add(relay)
    await requeueTurnedDown(needs, pass, relay)
    const reply = last ? answerOf(last) : ''
    if (isNews) await notifyOfExcludedRelay(needs, pass, relay, { code: 'relay-takes-nothing', reply })
    isMore = true
  }
  return isMore
}
