import type { Clock, Instant } from '../clock.ts'
import { sendsOnlyToThisMachine } from '../launch-check.ts'
import { lockDigest } from '../store/digests.ts'
import { lockEdition, moveEdition, note, variantsOf, withdrawVariants } from '../store/editions.ts'
import type { EditionRow } from '../store/schema.ts'
import { transaction } from '../store/transaction.ts'
import { wallAt } from '../zone.ts'
import { mendedProblems, type ObstacleNeeds } from './approval-rules.ts'
import type { Digest } from './digest.ts'
import { giveBackAll } from './review.ts'

type Needs = ObstacleNeeds & { clock: Clock }

/**
 * Takes the seal off an edition that must not go out as it was sealed, with the same choice, so that it is sealed again:
 * it waits for approval and bears the date of an earlier day, or it was sealed with a setting that has been changed since.
 * One that an editor let go out in spite of that stays as it is. The old bytes are kept as withdrawn. Returns whether it did.
 */
export async function unsealOutdated(needs: Needs, edition: EditionRow, digest: Digest): Promise<boolean> {
  const reason = await whyOutdated(needs, edition, digest)
  if (reason === undefined) return false
  const now = needs.clock.now()
  return await transaction(needs.db, async (trx) => {
    await lockDigest(trx, digest.name, now)
    const current = await lockEdition(trx, edition.id)
    if (!current || current.status !== edition.status || current.sealedAt !== edition.sealedAt) return false
    await withdrawVariants(trx, edition.id, now)
    await giveBackAll(trx, edition.id, now)
    const change = { status: 'composed' as const, sealedAt: null, approvedAt: null, datedAt: dateOf(current, now) }
    await moveEdition(trx, edition.id, [edition.status], change)
    await note(trx, edition.id, 'lastword', `sealed again: ${reason}`, now)
    return true
  })
}

/** Why it has to be sealed again, in words. */
async function whyOutdated(
  { db, config, clock }: Needs,
  edition: EditionRow,
  digest: Digest,
): Promise<string | undefined> {
  const waits = edition.status === 'sealed' || (edition.status === 'held' && edition.approvedAt === null)
  const isApproved = edition.status === 'approved' && edition.audienceAt === null && edition.overriddenAt === null
  if (!waits && !isApproved) return undefined
  if (waits && bearsEarlierDay(edition, digest, clock.now()))
    return 'it waits since an earlier day, and bears the date of today'
  if (sendsOnlyToThisMachine(config)) return undefined
  const [variant] = await variantsOf(db, edition.id)
  const mended = variant ? mendedProblems(config, digest, variant) : []
  if (mended.length === 0) return undefined
  return mended.map(({ setting, value }) => `${setting} was ${value}`).join(', ')
}

/** Whether readers would see the date of a day that is over in the digest's zone. */
function bearsEarlierDay(edition: EditionRow, { zone }: Digest, now: Instant): boolean {
  return wallAt(zone, edition.datedAt ?? edition.dueAt).date < wallAt(zone, now).date
}

/** The day that it bears next: of its due time, or of today if that is over. */
function dateOf({ dueAt }: EditionRow, now: Instant): Instant {
  return dueAt > now ? dueAt : now
}
