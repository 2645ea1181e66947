import { brakeNow } from '../store/deliveries/brake.ts'
import { countDeliveries, type DeliveryCounts } from '../store/deliveries/deliveries.ts'
import { brakeWords } from './brake.ts'
import { finishSending, isBeingSent } from './finish.ts'
import { editionAdmission } from './limits/edition-admission.ts'
import type { Wait } from './limits/limit.ts'
import { sendDue } from './rounds.ts'
import type { DeliverNeeds, SendOptions, UnknownRule } from './sending-needs.ts'
import { startSending } from './start.ts'

export type DeliverOptions = SendOptions & { unknown: UnknownRule }

export type DeliverReport = {
  counts: DeliveryCounts
  finished: boolean
  /** Why the pass ended before everything was tried, in words; null if nothing more can be done now. */
  stopped: string | null
  /** It was not the relay: somebody or a rule paused or cancelled the edition, or stopped all sending. */
  over: boolean
  /** When the next pass will have something to do, and why not before; null if it ended, stopped, or is somebody else's. */
  wait: Wait | null
}

/**
 * Sends what an approved edition still owes, here and now: all steps one after another, with every slice that is due. Stop
 * it anywhere and call it again: nobody is lost, nobody is repeated but by the rule for `unknown`.
 */
export async function deliver(needs: DeliverNeeds, editionId: string, options: DeliverOptions): Promise<DeliverReport> {
  const { db, rules } = needs
  const brake = await brakeNow(db)
  if (brake) return await notNow(needs, editionId, { stopped: brakeWords(brake), over: true })
  const gate = editionAdmission(needs, rules ?? { zone: 'UTC' })
  try {
    const shut = (await isBeingSent(needs, editionId)) ? await gate.blockedReason() : undefined
    if (shut) return await notNow(needs, editionId, { wait: shut })
    const edition = await startSending(needs, editionId, options.unknown)
    const { stopped, over, wait } = await sendDue(needs, edition, options, gate)
    const { counts, finished, isOut, wait: next } = await finishSending(needs, editionId, options.unknown)
    if (finished) return { counts, finished, stopped: null, over: false, wait: null }
    return { counts, finished, stopped, over, wait: stopped === null && isOut ? (wait ?? next) : null }
  } finally {
    await gate.close()
  }
}

/** Nothing is begun, for the reason given. */
async function notNow({ db }: DeliverNeeds, editionId: string, why: Partial<DeliverReport>): Promise<DeliverReport> {
  const counts = await countDeliveries(db, editionId)
  return { counts, finished: false, stopped: null, over: false, wait: null, ...why }
}
