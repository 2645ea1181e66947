import { AppError } from '../errors.ts'
import { brakeNow, putBrakeOn, takeBrakeOff } from '../store/deliveries/brake.ts'
import type { BrakeRow, Db } from '../store/schema.ts'
import type { Clock } from '../time/clock.ts'

type Needs = { db: Db; clock: Clock }

/**
 * Stops the sending of every digest in every process, from the next claim. Throws AppError `conflict` if it is already
 * stopped.
 */
export async function brakeOn({ db, clock }: Needs, decision: { who: string; reason: string }): Promise<void> {
  if (await putBrakeOn(db, decision, clock.now())) return
  const brake = await brakeNow(db)
  throw new AppError('conflict', brake ? brakeWords(brake) : 'somebody resumed all sending just now')
}

/**
 * Resumes all sending where it stopped. `seen`: the ID of the stop shown on a page; throws AppError `conflict` if
 * sending is not stopped, or was stopped again since.
 */
export async function brakeOff({ db, clock }: Needs, who: string, seen?: string): Promise<BrakeRow> {
  const brake = await takeBrakeOff(db, who, clock.now(), seen)
  if (brake) return brake
  const other = seen === undefined ? undefined : await brakeNow(db)
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

/** "all sending has been stopped since … by Ada: the wrong list". */
export function brakeWords({ at, who, reason }: BrakeRow): string {
  return `all sending has been stopped since ${at} by ${who}: ${reason}`
}
