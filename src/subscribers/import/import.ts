import { AppError } from '../../errors.ts'
import { type StoreError, storeErrorIn } from '../../store/drivers/failure.ts'
import { retryWhileUnreachable } from '../../store/drivers/retry.ts'
import type { Db } from '../../store/schema.ts'
import { type ImportedPage, importPeople, previewImport } from '../../store/subscribers/import.ts'
import type { WaitingClock } from '../../time/clock.ts'
import { type Dialect, detectDialect, readRows } from './csv.ts'
import { countText } from './plural.ts'
import { type ImportReport, ReportCounter } from './report.ts'
import { type RowPerson, readPerson } from './row.ts'
import type { Meaning } from './states.ts'
import { type StateRules, type Survey, surveyStates } from './survey.ts'

export type ImportOptions = {
  /** What the states in the file mean; as we know them if absent. */
  states?: StateRules
  /** Only says what would happen. A new address that is in the file twice, far apart, then counts twice. */
  dryRun?: boolean
  /** Ends the import after the page that is being written. */
  signal?: AbortSignal
}

const pageSize = 500

/** How bad a standing is: of two rows about one person the worse counts, and of two alike the first. */
const standingSeverity: Meaning[] = ['active', 'pending', 'left', 'bounced', 'complained']

/**
 * Imports a CSV file (RFC 4180; comma, semicolon or tab; UTF-8, UTF-16 or, said so in the report, Windows-1252) in pages,
 * in constant memory. Columns: `email`, `name` (or first and last name), `zone` (or `timezone`), a status, and any others
 * as attributes. Whoever left, bounced, complained or never confirmed elsewhere is kept as such and gets nothing; a state
 * that is not known stops the import before anything is written. The worst row about a person counts, wherever it is:
 * those that keep out are stored first. A broken row is reported with its line and loses none of the others. A database that is away is waited for. Throws AppError when the file cannot be read, has no column
 * `email` or an unknown state, and when the database stays away: its hint says how many rows are stored.
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
  const excludedKeys = new Set<string>() // in a dry run nothing is stored that would tell who is kept out
  const run = { needs: { db, clock }, file, digest, dryRun, signal, survey, dialect, counter, keptOut: excludedKeys }
  if (survey.columns.length > 0 || survey.ofFile) await importPart(run, 'kept out')
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
  keptOut: Set<string>
}

/** Reads the file once, and stores in pages those who are kept out, or the others. Rows and problems count the second time. */
async function importPart(run: ImportRun, part: 'kept out' | 'active'): Promise<void> {
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
    const person = 'problem' in found ? found.keptOut : 'skipped' in found ? undefined : found
    if (person && (person.standing === 'active') === (part === 'active')) page.push(person)
    if (page.length >= pageSize) await flush()
  }
  await flush()
}

function countRow(counter: ReportCounter, found: ReturnType<typeof readPerson>): void {
  counter.addRow()
  if ('problem' in found) counter.addProblem({ line: found.line, problem: found.problem })
  else if ('skipped' in found) counter.addKeptOut(found.skipped, 'skip')
  else {
    if (found.zoneProblem) counter.addZoneProblem({ line: found.line, problem: found.zoneProblem })
    if (found.standing !== 'active') counter.addKeptOut(found.state, found.standing)
  }
}

async function storePage(run: ImportRun, page: RowPerson[], rows: { stored: number; read: number }): Promise<void> {
  const { needs, digest, dryRun, counter, keptOut } = run
  const people = onePerAddress(page).filter(({ standing, emailKey }) => standing !== 'active' || !keptOut.has(emailKey))
  const writePage = () =>
    dryRun ? previewImport(needs.db, digest, people) : importPeople(needs.db, digest, people, needs.clock.now())
  const done = await retryWhileUnreachable(needs.clock, writePage).catch((error: unknown) => {
    const outage = storeErrorIn(error)
    throw outage ? interruptedError(outage, rows.stored, rows.read) : error
  })
  if (dryRun) for (const { standing, emailKey } of people) if (standing !== 'active') keptOut.add(emailKey)
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
  const twice = page.filter((person) => person.standing === 'active').length - people.filter(isActive).length
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
  `${email} was subscribed here; the file says "${state}", so nothing is sent to this address any more`
const keptText = (email: string, state: string) =>
  `${email} stays subscribed: the file says "${state}", but it was decided otherwise here since`

/** An import that the database has stopped. What is stored stays: the same command adds the rest. */
function interruptedError(outage: StoreError, stored: number, read: number): AppError {
  const [done, all] = [stored, read].map((count) => count.toLocaleString('en'))
  const progress = `${done} of the ${all} rows read so far are stored. Run the same command again: it adds only people who are missing.`
  return new AppError('unavailable', `the import was interrupted: ${outage.message}`, {
    hint: `${outage.hint} ${progress}`,
    cause: outage,
  })
}

function stoppedError(file: string, stored: number): AppError {
  return new AppError(
    'unavailable',
    `the import of ${file} was stopped: ${countText(stored, 'row')} stored, the rest is not`,
    {
      hint: 'Run the same command again: it adds only people who are missing.',
    },
  )
}
