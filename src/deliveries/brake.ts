import { AppError } from '../errors.ts'
import { brakeNow, putBrakeOn, takeBrakeOff } from '../store/deliveries/brake.ts'
import type { BrakeRow, Db } from '../store/schema.ts'
import type { Clock } from '../time/clock.ts'

type Needs = { db: Db; clock: Clock }

/** Stops the sending of every digest in every process, from the next claim on. AppError `conflict` if it is on already. */
export async function brakeOn({ db, clock }: Needs, decision: { who: string; reason: string }): Promise<void> {
  if (await putBrakeOn(db, decision, clock.now())) return
  const brake = await brakeNow(db)
  throw new AppError('conflict', brake ? brakeWords(brake) : 'somebody took the brake off at this very moment')
}

/**
 * Lets everything go on where it stopped. `seen`: the id of the brake that a page showed. AppError `conflict` if the brake
 * is not on, or is another one: somebody put it on again since.
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
  throw new AppError('conflict', 'the brake is not on')
}

/** "the brake is on since …, by Ada: the wrong list". */
export function brakeWords({ at, who, reason }: BrakeRow): string {
  return `the brake is on since ${at}, by ${who}: ${reason}`
}
