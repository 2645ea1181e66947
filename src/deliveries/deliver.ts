import { countDeliveries, type DeliveryCounts } from '../store/deliveries/deliveries.ts'
import { currentSendingStop } from '../store/deliveries/sending-stop.ts'
import type { Reason } from '../store/events/reason.ts'
import { finishSending, isBeingSent } from './finish.ts'
import { editionAdmission } from './limits/edition-admission.ts'
import type { Wait } from './limits/limit.ts'
import { sendDue } from './rounds.ts'
import type { DeliverNeeds, SendOptions, UnknownRule } from './sending-needs.ts'
import { sendingStopReason } from './sending-stop.ts'
import { startSending } from './start.ts'

export type DeliverOptions = SendOptions & { unknown: UnknownRule }

export type DeliverReport = {
  counts: DeliveryCounts
  finished: boolean
  /** Why the pass ended early; null if nothing more can be done now. */
  stopped: Reason | null
  /** The edition was paused or cancelled, or all sending stopped; the relay was not the cause. */
  over: boolean
  /**
   * When the next pass has work, and why not before; null if the edition ended or stopped, or another process sends it.
   */
  wait: Wait | null
}

/**
 * Runs all steps of sending an approved edition in this process, with every due slice. Safe to stop and repeat: no
 * recipient is lost, and none gets a second copy except by the rule for `unknown`.
 */
export async function deliver(needs: DeliverNeeds, editionId: string, options: DeliverOptions): Promise<DeliverReport> {
  const { db, rules } = needs
  const sendingStop = await currentSendingStop(db)
  if (sendingStop) return await notNow(needs, editionId, { stopped: sendingStopReason(sendingStop), over: true })
  const admission = editionAdmission(needs, rules)
  try {
    const blocked = (await isBeingSent(needs, editionId)) ? await admission.blockedReason() : undefined
    if (blocked) return await notNow(needs, editionId, { wait: blocked })
    const edition = await startSending(needs, editionId, options.unknown)
    const { stopped, over, wait } = await sendDue(needs, edition, options, admission)
    const { counts, finished, isOut, wait: next } = await finishSending(needs, editionId, options.unknown)
    if (finished) return { counts, finished, stopped: null, over: false, wait: null }
    return { counts, finished, stopped, over, wait: stopped === null && isOut ? (wait ?? next) : null }
  } finally {
    await admission.close()
  }
}

/** The report of a call that sends nothing, with the reason. */
async function notNow({ db }: DeliverNeeds, editionId: string, why: Partial<DeliverReport>): Promise<DeliverReport> {
  const counts = await countDeliveries(db, editionId)
  return { counts, finished: false, stopped: null, over: false, wait: null, ...why }
}
