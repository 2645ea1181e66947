import { AppError } from '../../errors.ts'
import { waitingCorrections } from '../../store/corrections/corrections.ts'
import type { CorrectionRow, Db } from '../../store/schema.ts'
import type { Clock, Instant } from '../../time/clock.ts'
import { dismissCorrection } from './decide.ts'

/** Whether a proposed change is a rewording or a story that went on, which pages fold away. */
export function isMinor(row: Pick<CorrectionRow, 'status' | 'class'>): boolean {
  return row.status === 'proposed' && row.class !== 'correction'
}

/** Dismisses the minor changes of all digests that were proposed by then. Returns their number. */
export async function dismissMinorCorrections(
  needs: { db: Db; clock: Clock },
  who: string,
  proposedBy: Instant,
): Promise<number> {
  const waiting = await waitingCorrections(needs.db)
  let dismissed = 0
  for (const row of waiting.filter((one) => isMinor(one) && one.proposedAt <= proposedBy)) {
    try {
      await dismissCorrection(needs, row.id, who)
      dismissed++
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'conflict') throw error // somebody has just decided it
    }
  }
  return dismissed
}
