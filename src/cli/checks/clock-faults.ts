import type { App } from '../../app.ts'
import { clockFaultText, findClockFault } from '../../editions/schedule/decided-runs.ts'

/** One sentence for each digest with effects of a clock that was ahead. */
export async function clockFaultTexts({
  db,
  clock,
  digests,
}: Pick<App, 'db' | 'clock' | 'digests'>): Promise<string[]> {
  const faults = await Promise.all(digests.map((digest) => findClockFault(db, digest, clock.now())))
  return faults.flatMap((fault) => (fault ? [clockFaultText(fault)] : []))
}
