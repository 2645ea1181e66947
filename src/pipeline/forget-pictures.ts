import type { App } from '../app.ts'
import { deleteUnusedPictures } from '../store/pictures/pictures.ts'
import { addMs, day } from '../time/clock.ts'

const batchSize = 100
/** Pictures of previews and of earlier seals are kept this long. */
const unusedDays = 7

/**
 * Deletes the pictures that no edition shows, in short transactions. Sent editions stay in the archive and in mailboxes,
 * so their pictures stay too. Returns how many were deleted.
 */
export async function forgetPictures(
  { db, clock, log }: Pick<App, 'db' | 'clock' | 'log'>,
  signal?: AbortSignal,
): Promise<number> {
  const before = addMs(clock.now(), -unusedDays * day)
  let total = 0
  let deleted: number
  do {
    deleted = await deleteUnusedPictures(db, { before, maxRows: batchSize })
    total += deleted
  } while (deleted === batchSize && !signal?.aborted)
  if (total > 0) log.info({ event: 'pictures.deleted', count: total }, 'pictures that no edition shows were deleted')
  return total
}
