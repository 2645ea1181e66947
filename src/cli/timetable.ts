import { type Command, InvalidArgumentError } from 'commander'
import { requireDigest } from '../app.ts'
import { type Config, readProcessConfig } from '../config/config.ts'
import { zoneSendsOf } from '../deliveries/limits/local-time.ts'
import { type WarmUp, warmUpDay } from '../deliveries/limits/warm-up.ts'
import { windowAt } from '../deliveries/limits/window.ts'
import { describeReason } from '../describe/describe.ts'
import type { Digest } from '../editions/digest.ts'
import { readJobFolder } from '../editions/jobs/read-folder.ts'
import { runsWithGaps } from '../editions/schedule/calendar-runs.ts'
import { AppError } from '../errors.ts'
import { type Instant, systemClock } from '../time/clock.ts'
import { clockFaultTexts } from './checks/clock-faults.ts'
import { warnOfRefusedJobs, warnOfRejectedJobs } from './checks/job-files.ts'
import { formatTable, print, printJson, printStderr, sanitizeLine } from './terminal/output.ts'
import { configFile } from './with-app.ts'
import { withExistingStore } from './with-existing-store.ts'

export function addTimetableCommand(program: Command): void {
  program
    .command('timetable [digest]')
    .description('print the next runs of each digest or of one, in its zone and in UTC, with the reason for each gap')
    .option('--runs <number>', 'number of runs for each digest', parsePositiveInteger, 12)
    .option('--json', 'one JSON line for each run')
    .action(async (name: string | undefined, options: { runs: number; json?: boolean }, command: Command) => {
      const config = readProcessConfig(configFile(command))
      await warnOfRefusedJobs(config) // first, since this command may reject the same file
      const folder = readJobFolder(config.jobs, config.templates)
      const { rejected } = folder
      const digests = name === undefined ? folder.digests : [requireDigest(folder, name)]
      warnOfRejectedJobs(rejected)
      const runs = digests.flatMap((digest) => nextRuns(digest, options.runs, config.pace.warmUp))
      if (options.json) for (const run of runs) printJson(run)
      else if (runs.length > 0)
        print(formatTable(runs.map((run) => [run.digest, run.local, run.zone, run.dueAt, noteOf(run)])))
      if (folder.digests.length + rejected.length === 0)
        printStderr(`There is no digest yet: put a job file into ${config.jobs}.`)
      await warnOfClockFaults(config, digests)
    })
}

/** The effects of a wrong clock are in the store, if there is one. */
async function warnOfClockFaults(config: Config, digests: Digest[]): Promise<void> {
  try {
    const texts = await withExistingStore(config, ({ db }) => clockFaultTexts({ db, clock: systemClock, digests }))
    for (const text of texts ?? []) printStderr(text)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    printStderr(`the database was not checked: ${sanitizeLine(error.message)}`)
  }
}

function nextRuns(digest: Digest, count: number, warmUp: WarmUp | undefined) {
  const { name, zone } = digest
  const local = new Intl.DateTimeFormat('en-GB', { timeZone: zone, dateStyle: 'full', timeStyle: 'short' })
  return runsWithGaps(digest, systemClock.now(), count).map(({ dueAt, shift, skipped }) => {
    const reason = skipped?.reason ?? shift
    return {
      digest: name,
      dueAt,
      local: local.format(new Date(dueAt)),
      zone,
      goes: skipped ? '' : sendTimesText(digest, warmUp, dueAt),
      skipped: skipped !== null,
      reason: reason && describeReason(reason),
    }
  })
}

function noteOf({ goes, skipped, reason }: ReturnType<typeof nextRuns>[number]): string {
  const gap = skipped ? `skipped: ${reason}` : reason
  return [gap, goes].filter(Boolean).join('; ')
}

/** The zones with the earliest and the latest local time. */
const [first, last] = ['Pacific/Kiritimati', 'Pacific/Pago_Pago'] as const

/** When the copies of a run are sent, if not at once. */
function sendTimesText(digest: Digest, warmUp: WarmUp | undefined, dueAt: Instant): string {
  const { window, zone, localTime, canary } = digest
  const state = window && windowAt(window, zone, dueAt)
  const maxMessages = warmUp && warmUpDay(warmUp, dueAt).limit
  const [from, to] = zoneSendsOf(digest, dueAt, [first, last]).map(({ at }) => at)
  const parts = [
    localTime && `at the subscriber's local time: ${from} to ${to}`,
    state && (state.isOpen ? `until ${state.until}` : `from ${state.until}, when the window opens`),
    canary && `a first part, the rest ${canary.wait} later`,
    maxMessages != null && `at most ${maxMessages} messages that day`,
  ]
  return parts.filter((part) => typeof part === 'string').join('; ')
}

function parsePositiveInteger(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('expected a whole number from 1.')
  return number
}
