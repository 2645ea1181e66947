import { AppError } from '../../errors.ts'
import { type StoreError, storeErrorIn } from '../../store/drivers/failure.ts'
import { retryWhileUnreachable } from '../../store/drivers/retry.ts'
import type { Db } from '../../store/schema.ts'
import { type ImportedPage, importPeople, previewImport } from '../../store/subscribers/import.ts'
import { formatNumber } from '../../text/words.ts'
import type { WaitingClock } from '../../time/clock.ts'
import { type Dialect, detectDialect, readRows } from './csv.ts'
import { countText } from './plural.ts'
import { type ImportReport, ReportCounter } from './report.ts'
import { type RowPerson, readPerson } from './row.ts'
import type { Meaning } from './states.ts'
import { type StateRules, type Survey, surveyStates } from './survey.ts'

export type ImportOptions = {
  /** What the states in the file mean; the known meanings if absent. */
  states?: StateRules
  /** Changes nothing and reports what would happen. A new address on two pages of the file counts twice. */
  dryRun?: boolean
  /** Ends the import after the current page. */
  signal?: AbortSignal
}

const pageSize = 500

/** The standings in order of severity: of two rows about one person the more severe counts, else the first. */
const standingSeverity: Meaning[] = ['active', 'pending', 'left', 'bounced', 'complained']

/**
 * Imports a CSV file (RFC 4180; comma, semicolon or tab; UTF-8, UTF-16 or Windows-1252) in pages, in constant memory.
 * Columns: `email`, `name` (or first and last name), `zone` (or `timezone`), a status, and any others as attributes.
 * People who left, bounced, complained or never confirmed elsewhere are stored as such and get nothing; they are stored
 * first, because the most severe row about a person counts. Broken rows are reported by line. Waits for a database that is
 * away. Throws AppError for a file that cannot be read, has no column `email` or an unknown state (before anything is
 * written), and for a database that stays away: its hint says how many rows are stored.
 */
export async function importSubscribers(
  { db, clock }: { db: Db; clock: WaitingClock },
  file: string,
  digest: string,
  { states = { mapping: new Map() }, dryRun = false, signal }: ImportOptions = {},
): Promise<ImportReport & { encoding: string }> {
  const dialect = await detectDialect(file)
  const survey = await surveyStates(file, dialect, states)
  const counter = new ReportCounter()
  const run = {
    needs: { db, clock },
    file,
    digest,
    dryRun,
    signal,
    survey,
    dialect,
    counter,
    excludedKeys: new Set<string>(),
  }
  if (survey.columns.length > 0 || survey.ofFile) await importPart(run, 'excluded')
  await importPart(run, 'active')
  return { ...counter.report, encoding: dialect.encoding }
}

type ImportRun = {
  needs: { db: Db; clock: WaitingClock }
  file: string
  digest: string
  dryRun: boolean
  signal: AbortSignal | undefined
  survey: Survey
  dialect: Dialect
  counter: ReportCounter
  /** Of people who get nothing. Only a dry run needs them, since it stores nobody. */
  excludedKeys: Set<string>
}

/** Reads the file once and stores one part of its people in pages. Rows and problems are counted with the active part. */
async function importPart(run: ImportRun, part: 'excluded' | 'active'): Promise<void> {
  const { file, survey, dialect, signal, counter } = run
  let page: RowPerson[] = []
  let read = 0
  let stored = 0
  const flush = async () => {
    await storePage(run, page, { stored, read })
    stored = read
    page = []
  }
  for await (const row of readRows(file, dialect)) {
    if (signal?.aborted && page.length === 0) throw stoppedError(file, stored)
    read += 1
    const found = readPerson(row, file, survey)
    if (part === 'active') countRow(counter, found)
    const person = personIn(found)
    if (person && isActive(person) === (part === 'active')) page.push(person)
    if (page.length >= pageSize) await flush()
  }
  await flush()
}

function personIn(found: ReturnType<typeof readPerson>): RowPerson | undefined {
  if ('problem' in found) return found.excluded
  return 'skipped' in found ? undefined : found
}

function countRow(counter: ReportCounter, found: ReturnType<typeof readPerson>): void {
  counter.addRow()
  if ('problem' in found) counter.addProblem({ line: found.line, problem: found.problem })
  else if ('skipped' in found) counter.addExcluded(found.skipped, 'skip')
  else {
    if (found.zoneProblem) counter.addZoneProblem({ line: found.line, problem: found.zoneProblem })
    if (found.standing !== 'active') counter.addExcluded(found.state, found.standing)
  }
}

async function storePage(run: ImportRun, page: RowPerson[], rows: { stored: number; read: number }): Promise<void> {
  const { needs, digest, dryRun, counter, excludedKeys } = run
  const people = onePerAddress(page).filter((person) => !isActive(person) || !excludedKeys.has(person.emailKey))
  const writePage = () =>
    dryRun ? previewImport(needs.db, digest, people) : importPeople(needs.db, digest, people, needs.clock.now())
  const done = await retryWhileUnreachable(needs.clock, writePage).catch((error: unknown) => {
    const outage = storeErrorIn(error)
    throw outage ? interruptedError(outage, rows.stored, rows.read) : error
  })
  if (dryRun) for (const person of people) if (!isActive(person)) excludedKeys.add(person.emailKey)
  countPage(counter, page, people, done)
}

function onePerAddress(page: RowPerson[]): RowPerson[] {
  const byKey = new Map<string, RowPerson>()
  for (const person of page) {
    const before = byKey.get(person.emailKey)
    if (!before || standingSeverity.indexOf(person.standing) > standingSeverity.indexOf(before.standing))
      byKey.set(person.emailKey, person)
  }
  return [...byKey.values()]
}

function countPage(counter: ReportCounter, page: RowPerson[], people: RowPerson[], done: ImportedPage): void {
  const twice = page.filter(isActive).length - people.filter(isActive).length
  counter.addPeople({ ...done, known: done.known + twice })
  const byKey = new Map(people.map((person) => [person.emailKey, person]))
  const changes = [
    ...done.ended.map((key) => ({ key, isEnded: true })),
    ...done.keptHere.map((key) => ({ key, isEnded: false })),
  ].flatMap(({ key, isEnded }) => {
    const person = byKey.get(key)
    return person ? [{ ...person, isEnded }] : []
  })
  for (const { line, email, state, isEnded } of changes.sort((one, other) => one.line - other.line))
    counter.addChange({ line, problem: isEnded ? endedText(email, state) : keptText(email, state) }, isEnded)
}

const isActive = ({ standing }: RowPerson) => standing === 'active'
const endedText = (email: string, state: string) =>
  `${email} was subscribed here; the file says "${state}", so this address gets no more mail`
const keptText = (email: string, state: string) =>
  `${email} stays subscribed: the file says "${state}", but that was changed here since`

function interruptedError(outage: StoreError, stored: number, read: number): AppError {
  const [done, all] = [stored, read].map(formatNumber)
  const progress = `${done} of the ${all} rows read so far are stored. Run the same command again: it adds only people who are missing.`
  return new AppError('unavailable', `the import was interrupted: ${outage.message}`, {
    hint: `${outage.hint} ${progress}`,
    cause: outage,
  })
}

function stoppedError(file: string, stored: number): AppError {
  return new AppError(
    'unavailable',
    `the import of ${file} was stopped: ${countText(stored, 'row')} stored, the rest not`,
    {
      hint: 'Run the same command again: it adds only people who are missing.',
    },
  )
}
