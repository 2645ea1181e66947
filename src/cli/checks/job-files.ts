import { resolve } from 'node:path'
import type { Config } from '../../config/config.ts'
import type { RejectedJob } from '../../editions/jobs/read-folder.ts'
import { AppError } from '../../errors.ts'
import { type JobReader, jobReaders } from '../../store/system/job-readers.ts'
import { systemClock } from '../../time/clock.ts'
import { printStderr, sanitizeLine } from '../terminal/output.ts'
import { withExistingStore } from '../with-existing-store.ts'

/** What becomes of a change in the job files, in one sentence: whether a `start` that is running takes it over. */
export async function reloadText(config: Config): Promise<string> {
  const readers = await activeJobReaders(config)
  if (readers === undefined) return 'Whether lastword start is running is not known; one that is takes it over.'
  if (readers.some((reader) => reader.folder === resolve(config.jobs)))
    return 'lastword start is running, and takes it over within a minute.'
  const [other] = readers
  return other
    ? `lastword start is running, but reads the job files in ${sanitizeLine(other.folder)}: change them there as well.`
    : 'lastword start is not running: it reads this when it starts.'
}

/** One line for each job file that this command leaves out, with the first problem of the file. */
export function warnOfRejectedJobs(rejected: RejectedJob[]): void {
  for (const { file, message } of rejected) {
    const [first = '', ...others] = message.split('\n')
    const more = others.length > 0 ? ` (and ${others.length} more)` : ''
    printStderr(`warning: ${sanitizeLine(file)} has an error, and is left out: ${sanitizeLine(first)}${more}`)
  }
}

/** Tells of the job files that a running `start` refuses, and by which version their digests run. */
export async function warnOfRefusedJobs(config: Config): Promise<void> {
  for (const { folder, rejected } of (await activeJobReaders(config)) ?? []) {
    if (folder !== resolve(config.jobs)) continue
    for (const { file, message, since, runsBy } of rejected) {
      const consequence = runsBy === null ? 'it is left out' : `its digest runs by the version read at ${runsBy}`
      printStderr(
        `lastword start refuses ${sanitizeLine(file)} since ${since}: ${consequence}\n  ${sanitizeLine(message)}`,
      )
    }
  }
}

/** The `start` processes on this store; undefined where the store does not answer. */
async function activeJobReaders(config: Config): Promise<JobReader[] | undefined> {
  try {
    return (await withExistingStore(config, ({ db }) => jobReaders(db, systemClock.now()))) ?? []
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return undefined
  }
}
