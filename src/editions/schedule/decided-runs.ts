import type { Log } from '../../log.ts'
import {
  editionDueAt,
  type FutureSkip,
  futureSkips,
  isFromFuture,
  isKnownFault,
  lastDueBy,
  reopenRuns,
} from '../../store/digests/clock-faults.ts'
import { type DigestMarks, digestMarks, findDigestMarks, resetFirstSeen } from '../../store/digests/digests.ts'
import type { Db } from '../../store/schema.ts'
import type { Instant } from '../../time/clock.ts'
import type { Digest } from '../digest.ts'
import { runsAfter } from './due-runs.ts'

/** A clock that was ahead recorded runs of a digest as decided too early. */
export type ClockFault = {
  digest: string
  /** The wrong mark: runs up to this instant were recorded as decided. */
  aheadUntil: Instant
  /** The correct mark: runs up to this instant are decided. */
  trueDecidedUntil: Instant
  /** The runs that were wrongly recorded as skipped, and are open again. */
  skips: FutureSkip[]
}

/**
 * The instant up to which the runs of the digest are decided. A mark left by a clock that was ahead is ignored: runs it
 * skipped too early are reopened and logged once, and editions it made are kept.
 */
export async function runsDecidedUntil(
  { db, log }: { db: Db; log: Log },
  digest: Digest,
  now: Instant,
): Promise<Instant> {
  const marks = await digestMarks(db, digest.name, now)
  const fault = await clockFaultIn(db, digest, marks, now)
  if (!fault) return marks.decidedUntil
  await resetFirstSeen(db, digest.name, now)
  if ((await hasSilencedRuns(db, digest, fault)) && (await reopenRuns(db, fault, now))) {
    const { aheadUntil, skips } = fault
    log.warn(
      { event: 'clock.was_ahead', digest: digest.name, aheadUntil, reopened: skips.length },
      clockFaultText(fault),
    )
  }
  return fault.trueDecidedUntil
}

/** The clock fault that prevents runs of the digest, if there is one. Changes nothing. */
export async function findClockFault(db: Db, digest: Digest, now: Instant): Promise<ClockFault | undefined> {
  const marks = await findDigestMarks(db, digest.name)
  const fault = marks && (await clockFaultIn(db, digest, marks, now))
  return fault && (await hasSilencedRuns(db, digest, fault)) ? fault : undefined
}

/** The fault as a message for operators. */
export function clockFaultText({ digest, aheadUntil }: Pick<ClockFault, 'digest' | 'aheadUntil'>): string {
  return `${digest}: a clock that was ahead recorded its runs until ${aheadUntil} as decided; they are open again, and each is made when it is due`
}

/**
 * Detects a wrong mark by the recording time of the run at the mark, which is in the future. If that run was reopened
 * already, the recorded fault identifies the mark.
 */
async function clockFaultIn(
  db: Db,
  digest: Digest,
  { firstSeenAt, decidedUntil }: DigestMarks,
  now: Instant,
): Promise<ClockFault | undefined> {
  const newest = await editionDueAt(db, digest.name, decidedUntil)
  const isWrong = isFromFuture(newest?.composedAt ?? decidedUntil, now)
  if (!isWrong && (newest || !(await isKnownFault(db, digest.name, decidedUntil)))) return undefined
  const last = await lastDueBy(db, digest.name, now)
  const knownSince = firstSeenAt < now ? firstSeenAt : now
  const decided = last !== undefined && last > knownSince ? last : knownSince
  const skips = await futureSkips(db, digest.name, decided, now)
  return { digest: digest.name, aheadUntil: decidedUntil, trueDecidedUntil: decided, skips }
}

/** Whether the fault prevents any run. A clock set back after runs were made leaves a future mark too, but prevents none. */
async function hasSilencedRuns(
  db: Db,
  digest: Digest,
  { trueDecidedUntil: decided, aheadUntil, skips }: ClockFault,
): Promise<boolean> {
  if (skips.length > 0) return true
  const [next] = runsAfter(digest, decided, 1, aheadUntil)
  return next !== undefined && (await editionDueAt(db, digest.name, next)) === undefined
}
