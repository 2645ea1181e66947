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

/** A clock that was ahead put down runs of a digest as decided before their time. */
export type ClockFault = {
  digest: string
  /** So far ahead the runs were put down as decided. */
  aheadUntil: Instant
  /** Up to when they are, in truth. */
  trueDecidedUntil: Instant
  /** The runs that it put down as skipped, and that are open again. */
  skips: FutureSkip[]
}

/**
 * The instant up to which the runs of the digest are decided. A mark that a clock which was ahead left behind is not
 * obeyed: what it put down as skipped before its time is open again, and reported once; what it made is made.
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

/** The same as a question: the fault by which runs of the digest would not be made, if there is one. */
export async function findClockFault(db: Db, digest: Digest, now: Instant): Promise<ClockFault | undefined> {
  const marks = await findDigestMarks(db, digest.name)
  const fault = marks && (await clockFaultIn(db, digest, marks, now))
  return fault && (await hasSilencedRuns(db, digest, fault)) ? fault : undefined
}

/** For a person. */
export function clockFaultText({ digest, aheadUntil }: Pick<ClockFault, 'digest' | 'aheadUntil'>): string {
  return `${digest}: a clock that was ahead put down its runs until ${aheadUntil} as decided; they are open again, and each is made when it is due`
}

/**
 * The mark stands where the newest run was decided, so a wrong mark is known by when that was put down; one whose run was
 * opened again, by the record of the fault.
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

/** A clock that was set back over runs that were made leaves a mark ahead as well, and silences nothing. */
async function hasSilencedRuns(
  db: Db,
  digest: Digest,
  { trueDecidedUntil: decided, aheadUntil, skips }: ClockFault,
): Promise<boolean> {
  if (skips.length > 0) return true
  const [next] = runsAfter(digest, decided, 1, aheadUntil)
  return next !== undefined && (await editionDueAt(db, digest.name, next)) === undefined
}
