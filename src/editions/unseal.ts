import { sendsOnlyToCatchers } from '../config/launch-check.ts'
import { lockDigest } from '../store/digests/digests.ts'
import { transaction } from '../store/drivers/transaction.ts'
import { lockEdition } from '../store/editions/editions.ts'
import { variantsOf } from '../store/editions/variants.ts'
import { addEvent } from '../store/events/events.ts'
import type { Reason } from '../store/events/reason.ts'
import type { EditionRow } from '../store/schema.ts'
import type { Clock, Instant } from '../time/clock.ts'
import { wallTimeAt } from '../time/zone.ts'
import type { Digest } from './digest.ts'
import { reopen } from './edits/reopen.ts'
import { type ObstacleNeeds, resolvedProblems } from './review/approval-rules.ts'

type Needs = ObstacleNeeds & { clock: Clock }

/**
 * Reopens an edition with the same choices to seal it again, if it waits for approval with an earlier date, or a
 * setting with a problem was fixed since and the obstacles were not overridden. Returns whether it was reopened; the
 * old bytes are kept as withdrawn.
 */
export async function unsealOutdated(needs: Needs, edition: EditionRow, digest: Digest): Promise<boolean> {
  const reasons = await outdatedReasons(needs, edition, digest)
  if (reasons.length === 0) return false
  const now = needs.clock.now()
  return await transaction(needs.db, async (trx) => {
    await lockDigest(trx, digest.name, now)
    const current = await lockEdition(trx, edition.id)
    if (!current || current.status !== edition.status || current.sealedAt !== edition.sealedAt) return false
    await reopen({ db: trx, clock: needs.clock }, edition, { datedAt: nextDate(current, now) })
    await addEvent(trx, { kind: 'edition.unsealed', actor: 'system', edition: edition.id, data: { reasons } }, now)
    return true
  })
}

/** The reasons to seal the edition again; empty if there are none. */
async function outdatedReasons({ db, config, clock }: Needs, edition: EditionRow, digest: Digest): Promise<Reason[]> {
  const isWaiting = edition.status === 'sealed' || edition.status === 'held'
  const isApproved = edition.status === 'approved' && edition.overriddenAt === null
  if (!isWaiting && !isApproved) return []
  if (isWaiting && hasEarlierDate(edition, digest, clock.now())) return [{ code: 'dated-earlier' }]
  if (sendsOnlyToCatchers(config)) return []
  const [variant] = await variantsOf(db, edition.id)
  const resolved = variant ? resolvedProblems(config, digest, variant) : []
  return resolved.map(({ setting, value }) => ({ code: 'setting-was', setting, value }))
}

/** Whether the printed date is before today in the digest's zone. */
function hasEarlierDate(edition: EditionRow, { zone }: Digest, now: Instant): boolean {
  return wallTimeAt(zone, edition.datedAt ?? edition.dueAt).date < wallTimeAt(zone, now).date
}

/** The next printed date: the due time, or now if that has passed. */
function nextDate({ dueAt }: EditionRow, now: Instant): Instant {
  return dueAt > now ? dueAt : now
}
