import { answerOf, type SendResult } from '../../mail/smtp/result.ts'
import type { QueuedDelivery } from '../../store/deliveries/deliveries.ts'
import type { Reason } from '../../store/events/reason.ts'
import { type Pass, pauseFor } from '../pass.ts'
import { type RelayVerdicts, turnedDownBy } from '../relays/relay-verdicts.ts'
import type { DeliverNeeds } from '../sending-needs.ts'
import { isInDoubt } from './doubt.ts'
import {
  atRelay,
  confirm,
  inPass,
  isAnotherAccepting,
  notifyOfExcludedRelay,
  requeueTurnedDown,
} from './relay-in-pass.ts'

/** After this many unanswered messages in a row, with no acceptance between them, the edition is paused. */
export const maxUnknowns = 20
/** The same limit for one relay while another relay accepts messages. */
const maxUnknownsOfOne = 10

/**
 * Updates the verdicts on a relay with the result of one message, and pauses the edition if something is wrong with us.
 * A later acceptance makes refusals final; a relay that takes nothing while another does is excluded. Undefined:
 * nothing to wait for.
 */
export function judgeAnswer(
  needs: DeliverNeeds,
  pass: Pass,
  relay: string | null,
  result: SendResult,
  delivery: QueuedDelivery,
): undefined | Promise<void> {
  const { verdicts, breaker } = inPass(needs, pass, relay)
  if (result.kind === 'accepted') {
    breaker.accepted()
    const believed = verdicts.accept()
    return believed && confirm(pass, believed, { suppress: true })
  }
  const { name: provider } = needs.rates.of(delivery.email, relay)
  const refusal = breaker.recordResult(result, { ...delivery, provider, isFirstTry: delivery.attempts === 0 })
  const turnedDown = turnedDownBy(result, delivery, provider)
  if (turnedDown && (!turnedDown.isRefusal || isInDoubt(result, delivery))) verdicts.turnDown(turnedDown)
  return judgeRelay(needs, pass, relay, result, refusal)
}

async function judgeRelay(
  needs: DeliverNeeds,
  pass: Pass,
  relay: string | null,
  result: SendResult,
  pendingRefusal: undefined | Promise<Reason | undefined>,
): Promise<void> {
  const { verdicts } = inPass(needs, pass, relay)
  if (result.kind === 'unknown') verdicts.unknownsInRow += 1
  const refusal = await pendingRefusal
  if (isAnotherAccepting(needs, pass, relay)) {
    const why = refusal ?? suspicionOf(verdicts, result)
    if (why !== undefined) await excludeRelay(needs, pass, relay, why)
    return
  }
  const { unknownsInRow } = verdicts
  const why: Reason | undefined = unknownsInRow >= maxUnknowns ? { code: 'no-answers', count: unknownsInRow } : refusal
  if (why !== undefined) await pauseFor(needs, pass, atRelay(relay, why))
}

/** The suspicion against a relay while another relay accepts messages. */
function suspicionOf({ isSuspect, unknownsInRow }: RelayVerdicts, result: SendResult): Reason | undefined {
  if (unknownsInRow >= maxUnknownsOfOne) return { code: 'relay-no-answers', count: unknownsInRow }
  return isSuspect ? { code: 'relay-takes-nothing-while-others-do', reply: answerOf(result) } : undefined
}

/** Excludes a relay, gives the messages it turned down to the other relays, and notifies the editors. */
async function excludeRelay(needs: DeliverNeeds, pass: Pass, relay: string | null, why: Reason): Promise<void> {
  if (relay === null || pass.excluded.has(relay)) return
  pass.excluded.add(relay)
  needs.relays.named(relay)?.health.distrust({ code: 'relay-distrusted', relay, reason: why })
  const turnedDown = await requeueTurnedDown(needs, pass, relay)
  if (turnedDown.length > 0) {
    pass.slices.rereadFor(turnedDown.map(({ delivery }) => delivery.subscriberId))
    pass.queue.readAgain()
  }
  await notifyOfExcludedRelay(needs, pass, relay, why)
}
