import { describeReason } from '../describe/describe.ts'
import { AppError } from '../errors.ts'
import { addSendingStop, currentSendingStop, endSendingStop } from '../store/deliveries/sending-stop.ts'
import type { Reason } from '../store/events/reason.ts'
import type { Db, SendingStopRow } from '../store/schema.ts'
import type { Clock } from '../time/clock.ts'

type Needs = { db: Db; clock: Clock }

/**
 * Stops the sending of every digest in every process, from the next claim. Throws AppError `conflict` if it is already
 * stopped.
 */
export async function stopAllSending({ db, clock }: Needs, decision: { who: string; reason: string }): Promise<void> {
  if (await addSendingStop(db, decision, clock.now())) return
  const sendingStop = await currentSendingStop(db)
  throw new AppError(
    'conflict',
    sendingStop ? describeReason(sendingStopReason(sendingStop)) : 'all sending was resumed just now',
  )
}

/**
 * Resumes all sending where it stopped. `seen`: the ID of the stop shown on a page; throws AppError `conflict` if
 * sending is not stopped, or was stopped again since.
 */
export async function resumeAllSending({ db, clock }: Needs, who: string, seen?: string): Promise<SendingStopRow> {
  const ended = await endSendingStop(db, who, clock.now(), seen)
  if (ended) return ended
  const other = seen === undefined ? undefined : await currentSendingStop(db)
  if (other)
    throw new AppError(
      'conflict',
      `nothing was resumed: ${other.who} stopped all sending again since: ${other.reason}`,
      {
        hint: 'Go back to the studio and decide again.',
      },
    )
  throw new AppError('conflict', 'sending is not stopped')
}

/** The reason why nothing is sent while all sending is stopped. */
export function sendingStopReason({ at, who, reason: words }: SendingStopRow): Reason {
  return { code: 'all-sending-stopped', at, who, words }
}
