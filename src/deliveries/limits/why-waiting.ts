import type { Reason } from '../../store/events/reason.ts'
import type { Db, EditionRow } from '../../store/schema.ts'
import type { Clock, Instant } from '../../time/clock.ts'
import { canaryReasons } from './canary.ts'
import { quotaWait, relayQuota } from './daily-quota.ts'
import { localTimeReasons } from './local-time.ts'
import { slowProviderReasons } from './provider-rate.ts'
import type { Rules } from './rules.ts'
import { warmUpRule } from './warm-up.ts'
import { windowWait } from './window.ts'

/**
 * Why an edition that may be sent is not completely sent, from the store: another process may be sending it. Empty if nothing delays it.
 */
export async function whyWaiting(
  { db, clock }: { db: Db; clock: Clock },
  edition: EditionRow,
  rules: Rules | undefined,
): Promise<Reason[]> {
  if (edition.status !== 'approved' && edition.status !== 'sending') return []
  const now = clock.now()
  const zone = rules?.zone ?? 'UTC'
  return [
    ...(rules ? await ruleReasons(db, rules, now) : []),
    ...(rules?.canary ? await canaryReasons(db, edition.id, rules.canary, zone) : []),
    ...(await localTimeReasons(db, edition.id, zone, now)),
    ...(edition.status === 'sending' ? await slowProviderReasons(db, zone, now) : []),
  ]
}

async function ruleReasons(db: Db, { window, warmUp, relays, zone }: Rules, now: Instant): Promise<Reason[]> {
  const reasons: Reason[] = []
  const closed = window && windowWait(window, zone, now)
  if (closed) reasons.push(closed.reason)
  const warmedUp = warmUp && (await quotaWait(db, warmUpRule(warmUp), now))
  if (warmedUp) reasons.push(warmedUp.reason)
  return [...reasons, ...(await exhaustedRelays(db, relays, now))]
}

/** All relays together: while one relay has quota left, there is no wait. */
async function exhaustedRelays(db: Db, relays: Rules['relays'], now: Instant): Promise<Reason[]> {
  const reasons: Reason[] = []
  for (const { name, perDay } of relays) {
    const wait = perDay === undefined ? undefined : await quotaWait(db, relayQuota(name, perDay), now)
    if (!wait) return []
    reasons.push(wait.reason)
  }
  return reasons
}
