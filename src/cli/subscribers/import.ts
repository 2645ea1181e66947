import type { App } from '../../app.ts'
import type { Digest } from '../../editions/digest.ts'
import { AppError } from '../../errors.ts'
import { importSubscribers } from '../../subscribers/import/import.ts'
import { countText } from '../../subscribers/import/plural.ts'
import type { ImportReport, LineNote } from '../../subscribers/import/report.ts'
import type { Meaning } from '../../subscribers/import/states.ts'
import { print, printJson, printStderr, sanitizeLine } from '../terminal/output.ts'
import { stopSignal } from '../with-app.ts'

export type ImportOptions = {
  digest?: string
  map: Map<string, Meaning>
  ignoreStatus?: boolean
  dryRun?: boolean
  json?: boolean
}

export const statusMeanings: Meaning[] = ['active', 'pending', 'left', 'bounced', 'complained', 'skip']

/** Adds one `STATE=MEANING`; the state may contain `=`. AppError `invalid` for another meaning. */
export function addMapping(option: string, before: Map<string, Meaning>): Map<string, Meaning> {
  const at = option.lastIndexOf('=')
  const meaning = statusMeanings.find(
    (one) =>
      one ===
      option
        .slice(at + 1)
        .trim()
        .toLowerCase(),
  )
  if (at < 0 || !meaning)
    throw new AppError(
      'invalid',
      `--map ${option}: expected STATE=MEANING, where the meaning is ${statusMeanings.join(', ')}`,
    )
  return new Map([...before, [option.slice(0, at).trim().toLowerCase(), meaning]])
}

/** Imports a file, prints remarks on its lines to stderr, and a summary. */
export async function importFile(app: App, digest: Digest, file: string, options: ImportOptions): Promise<void> {
  const { map: mapping, ignoreStatus, dryRun = false } = options
  if (ignoreStatus && mapping.size > 0)
    throw new AppError('invalid', '--map and --ignore-status cannot be used together')
  const report = await importSubscribers(app, file, digest.name, {
    states: ignoreStatus ? 'ignore' : { mapping },
    dryRun,
    signal: stopSignal(),
  })
  if (options.json) return printJson(report)
  printLineNotes(file, report)
  if (report.encoding !== 'utf-8')
    printStderr(`${file} is not UTF-8: it was read as ${report.encoding}. Check a name with an accent.`)
  print(`${summary(report, digest.name)}${dryRun ? '. Nothing was imported: this was a dry run' : ''}`)
}

function printLineNotes(file: string, report: ImportReport): void {
  const { problems, zoneProblems, changes } = report
  const notes: LineNote[] = [...problems, ...zoneProblems, ...changes].sort((one, other) => one.line - other.line)
  for (const { line, problem } of notes) printStderr(`${file}:${line}: ${sanitizeLine(problem)}`)
  const more = [
    [report.problemCount - problems.length, 'invalid'],
    [report.zoneProblemCount - zoneProblems.length, 'without a zone'],
    [report.changeCount - changes.length, 'subscribed here but not elsewhere'],
  ] as const
  for (const [count, kind] of more) if (count > 0) printStderr(`… and ${count} more ${kind}`)
}

const excludedMeanings = [
  ['left', 'unsubscribed elsewhere'],
  ['bounced', 'bounced elsewhere'],
  ['complained', 'complained of spam elsewhere'],
  ['pending', 'not confirmed'],
  ['skip', 'skipped'],
] as const

function summary(report: ImportReport, digest: string): string {
  const { rows, added, known, suppressed, states, unsubscribedHere, problemCount } = report
  const parts = [`${added} added to ${digest}`, `${known} already subscribed`]
  if (suppressed > 0) parts.push(`${suppressed} suppressed (they get nothing)`)
  for (const [meaning, label] of excludedMeanings) {
    const these = states.filter((one) => one.meaning === meaning)
    const count = these.reduce((sum, one) => sum + one.count, 0)
    if (count > 0)
      parts.push(`${count} ${label} (${these.map((one) => `${one.count} ${sanitizeLine(one.state)}`).join(', ')})`)
  }
  parts.push(`${problemCount} invalid`)
  const ended =
    unsubscribedHere > 0 ? `; ${countText(unsubscribedHere, 'person', 'people')} no longer subscribed here` : ''
  return `${countText(rows, 'row')}: ${parts.join(', ')}${ended}`
}
