import type { Db, EditionRow } from '../../store/schema.ts'
import type { Clock, Instant } from '../../time/clock.ts'
import { wallTimeText } from '../../time/zone.ts'
import { canaryReasons } from './canary.ts'
import { quotaWait, relayQuota } from './daily-quota.ts'
import { localTimeReasons } from './local-time.ts'
import { slowProviderReasons } from './provider-rate.ts'
import type { Rules } from './rules.ts'
import { warmUpRule } from './warm-up.ts'
import { windowWait } from './window.ts'

/**
 * Why an edition that may be sent is not completely sent, as text for a person, from the store: another process may be
 * sending it. Empty if nothing delays it.
 */
export async function whyWaiting(
  { db, clock }: { db: Db; clock: Clock },
  edition: EditionRow,
  rules: Rules | undefined,
): Promise<string[]> {
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

async function ruleReasons(db: Db, { window, warmUp, relays, zone }: Rules, now: Instant): Promise<string[]> {
  const reasons: string[] = []
  const closed = window && windowWait(window, zone, now)
  if (closed) reasons.push(closed.reason)
  const warmedUp = warmUp && (await quotaWait(db, warmUpRule(warmUp), now))
  if (warmedUp) reasons.push(`${warmedUp.reason}; sending continues on ${wallTimeText(warmUp.zone, warmedUp.until)}`)
  const exhausted = await exhaustedRelays(db, relays, now)
  if (exhausted) reasons.push(exhausted)
  return reasons
}

/** All relays together: while one relay has quota left, there is no wait. */
async function exhaustedRelays(db: Db, relays: Rules['relays'], now: Instant): Promise<string | undefined> {
  const reasons: string[] = []
  for (const { name, perDay } of relays) {
    const wait = perDay === undefined ? undefined : await quotaWait(db, relayQuota(name, perDay), now)
    if (!wait) return undefined
    reasons.push(wait.reason)
  }
  return reasons.length > 0 ? reasons.join('; ') : undefined
}
