import { sendsOnlyToThisMachine } from '../config/launch-check.ts'
import { lockDigest } from '../store/digests/digests.ts'
import { transaction } from '../store/drivers/transaction.ts'
import { addHistory, lockEdition, variantsOf } from '../store/editions/editions.ts'
import type { EditionRow } from '../store/schema.ts'
import type { Clock, Instant } from '../time/clock.ts'
import { wallTimeAt } from '../time/zone.ts'
import { type ObstacleNeeds, resolvedProblems } from './approval-rules.ts'
import type { Digest } from './digest.ts'
import { reopen } from './edits/reopen.ts'

type Needs = ObstacleNeeds & { clock: Clock }

/**
 * Takes the seal off an edition that must not go out as it was sealed, with the same choice, so that it is sealed again:
 * it waits for approval and bears the date of an earlier day, or it was sealed with a setting that has been changed since.
 * One that an editor let go out in spite of that stays as it is. The old bytes are kept as withdrawn. Returns whether it did.
 */
export async function unsealOutdated(needs: Needs, edition: EditionRow, digest: Digest): Promise<boolean> {
  const reason = await outdatedReason(needs, edition, digest)
  if (reason === undefined) return false
  const now = needs.clock.now()
  return await transaction(needs.db, async (trx) => {
    await lockDigest(trx, digest.name, now)
    const current = await lockEdition(trx, edition.id)
    if (!current || current.status !== edition.status || current.sealedAt !== edition.sealedAt) return false
    await reopen({ db: trx, clock: needs.clock }, edition, { datedAt: nextDate(current, now) })
    await addHistory(trx, edition.id, 'lastword', `sealed again: ${reason}`, now)
    return true
  })
}

/** Why it has to be sealed again, in words. */
async function outdatedReason(
  { db, config, clock }: Needs,
  edition: EditionRow,
  digest: Digest,
): Promise<string | undefined> {
  const isWaiting = edition.status === 'sealed' || edition.status === 'held'
  const isApproved = edition.status === 'approved' && edition.overriddenAt === null
  if (!isWaiting && !isApproved) return undefined
  if (isWaiting && hasEarlierDate(edition, digest, clock.now()))
    return 'it waits since an earlier day, and bears the date of today'
  if (sendsOnlyToThisMachine(config)) return undefined
  const [variant] = await variantsOf(db, edition.id)
  const resolved = variant ? resolvedProblems(config, digest, variant) : []
  if (resolved.length === 0) return undefined
  return resolved.map(({ setting, value }) => `${setting} was ${value}`).join(', ')
}

/** Whether readers would see the date of a day that is over in the digest's zone. */
function hasEarlierDate(edition: EditionRow, { zone }: Digest, now: Instant): boolean {
  return wallTimeAt(zone, edition.datedAt ?? edition.dueAt).date < wallTimeAt(zone, now).date
}

/** The day that it bears next: of its due time, or of today if that is over. */
function nextDate({ dueAt }: EditionRow, now: Instant): Instant {
  return dueAt > now ? dueAt : now
}
