import type { Db } from '../../store/schema.ts'
import type { Clock } from '../../time/clock.ts'
import { Admission } from './admission.ts'
import type { Limit } from './limit.ts'
import { type WarmUp, warmUpQuota } from './warm-up.ts'
import { SendWindow, type Window } from './window.ts'

/** The limits for every message of an edition: the send window and the daily warm-up quota. */
export function editionAdmission(
  needs: { db: Db; clock: Clock },
  { window, warmUp, zone }: { window?: Window | undefined; warmUp?: WarmUp | undefined; zone: string },
): Admission {
  const limits: Limit[] = []
  if (window) limits.push(new SendWindow(needs.clock, window, zone))
  if (warmUp) limits.push(warmUpQuota(needs, warmUp))
  return new Admission(limits)
}
