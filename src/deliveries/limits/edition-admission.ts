import type { Db } from '../../store/schema.ts'
import type { Clock } from '../../time/clock.ts'
import { Admission } from './admission.ts'
import type { Limit } from './limit.ts'
import { type WarmUp, warmUpQuota } from './warm-up.ts'
import { SendWindow, type Window } from './window.ts'

/** The limits for every message of an edition: the send window and the daily warm-up quota. Without rules: none. */
export function editionAdmission(
  needs: { db: Db; clock: Clock },
  rules: { window?: Window | undefined; warmUp?: WarmUp | undefined; zone: string } | undefined,
): Admission {
  const limits: Limit[] = []
  if (rules?.window) limits.push(new SendWindow(needs.clock, rules.window, rules.zone))
  if (rules?.warmUp) limits.push(warmUpQuota(needs, rules.warmUp))
  return new Admission(limits)
}
