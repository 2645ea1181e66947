import { type Command, InvalidArgumentError } from 'commander'
import { systemClock } from '../clock.ts'
import { configHere } from '../config.ts'
import { type Digest, readDigests } from '../editions/digest.ts'
import { runsAfter } from '../editions/due.ts'
import { print, printJson, table } from './output.ts'
import { configFile } from './with-app.ts'

export function addTimetableCommand(program: Command): void {
  program
    .command('timetable')
    .description('print when each digest runs next, in its own zone and in UTC')
    .option('--runs <number>', 'how many runs of each', wholeNumber, 12)
    .option('--json', 'one JSON line a run')
    .action((options: { runs: number; json?: boolean }, command: Command) => {
      const config = configHere(configFile(command))
      const runs = readDigests(config.jobs, config.templates).flatMap((digest) => nextRuns(digest, options.runs))
      if (options.json) for (const run of runs) printJson(run)
      else print(table(runs.map((run) => [run.digest, run.local, run.zone, run.dueAt])))
    })
}

function nextRuns(digest: Digest, count: number) {
  const { name, zone } = digest
  const local = new Intl.DateTimeFormat('en-GB', { timeZone: zone, dateStyle: 'full', timeStyle: 'short' })
  return runsAfter(digest, systemClock.now(), count).map((dueAt) => ({
    digest: name,
    dueAt,
    local: local.format(new Date(dueAt)),
    zone,
  }))
}

export function wholeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('expected a whole number from 1.')
  return number
}
