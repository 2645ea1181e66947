import { resolve } from 'node:path'
import type { Config } from '../../config/config.ts'
import type { RejectedJob } from '../../editions/jobs/read-folder.ts'
import { AppError } from '../../errors.ts'
import { type JobReader, jobReaders } from '../../store/system/job-readers.ts'
import { systemClock } from '../../time/clock.ts'
import { printStderr, sanitizeLine } from '../terminal/output.ts'
import { withExistingStore } from '../with-existing-store.ts'

/** Says whether a running `start` will load changed job files. */
export async function reloadText(config: Config): Promise<string> {
  const readers = await activeJobReaders(config)
  if (readers === undefined) return 'If lastword start is running, it loads the change within a minute.'
  if (readers.some((reader) => reader.folder === resolve(config.jobs)))
    return 'lastword start is running and loads the change within a minute.'
  const [other] = readers
  return other
    ? `lastword start is running, but reads the job files in ${sanitizeLine(other.folder)}: change them there too.`
    : 'lastword start is not running: it will load the change when it starts.'
}

/** One line for each job file with errors, with its first problem. */
export function warnOfRejectedJobs(rejected: RejectedJob[]): void {
  for (const { file, message } of rejected) {
    const [first = '', ...others] = message.split('\n')
    const more = others.length > 0 ? ` (and ${others.length} more)` : ''
    printStderr(`warning: ${sanitizeLine(file)} has an error and is ignored: ${sanitizeLine(first)}${more}`)
  }
}

/** Lists the job files that a running `start` rejects, and the version of the digest that it uses. */
export async function warnOfRefusedJobs(config: Config): Promise<void> {
  for (const { folder, rejected } of (await activeJobReaders(config)) ?? []) {
    if (folder !== resolve(config.jobs)) continue
    for (const { file, message, since, runsBy } of rejected) {
      const consequence = runsBy === null ? 'it is ignored' : `its digest uses the version loaded at ${runsBy}`
      printStderr(
        `lastword start rejects ${sanitizeLine(file)} since ${since}: ${consequence}\n  ${sanitizeLine(message)}`,
      )
    }
  }
}

/** The `start` processes on this store; undefined if the store cannot be read. */
async function activeJobReaders(config: Config): Promise<JobReader[] | undefined> {
  try {
    return (await withExistingStore(config, ({ db }) => jobReaders(db, systemClock.now()))) ?? []
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return undefined
  }
}
