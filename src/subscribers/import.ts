import type { WaitingClock } from '../clock.ts'
import { AppError } from '../errors.ts'
import { type StoreError, storeErrorIn } from '../store/failure.ts'
import { type ImportedPage, importPeople, previewImport } from '../store/imports.ts'
import { retryWhileUnreachable } from '../store/retry.ts'
import type { Db } from '../store/schema.ts'
import { readRows, sniff } from './csv.ts'
import { type ImportReport, ReportCounter } from './import-report.ts'
import { type RowPerson, readPerson } from './import-row.ts'
import type { Meaning } from './states.ts'
import { type StateRules, surveyStates } from './survey.ts'
import { counted } from './words.ts'

export type { ImportReport } from './import-report.ts'

export type ImportOptions = {
  /** What the states in the file mean; as we know them if absent. */
  states?: StateRules
  /** Only says what would happen. An address that is in the file twice, far apart, then counts twice. */
  dryRun?: boolean
  /** Ends the import after the page that is being written. */
  signal?: AbortSignal
}

const pageSize = 500

/** How bad a standing is: of two rows about one person the worse counts, and of two alike the first. */
const order: Meaning[] = ['active', 'pending', 'left', 'bounced', 'complained']

/**
 * Imports a CSV file (RFC 4180; comma, semicolon or tab; UTF-8, UTF-16 or, said so in the report, Windows-1252) in pages,
 * in constant memory. Columns: `email`, `name` (or first and last name), `zone` (or `timezone`), a status, and any others
 * as attributes. Whoever left, bounced, complained or never confirmed elsewhere is kept as such and gets nothing; a state
 * that is not known stops the import before anything is written. A broken row is reported with its line and loses none
 * of the others. A database that is away is waited for. Throws AppError when the file cannot be read, has no column
 * `email` or an unknown state, and when the database stays away: its hint says how many rows are stored.
 */
export async function importSubscribers(
  { db, clock }: { db: Db; clock: WaitingClock },
  file: string,
  digest: string,
  { states = { mapping: new Map() }, dryRun = false, signal }: ImportOptions = {},
): Promise<ImportReport & { encoding: string }> {
  const dialect = await sniff(file)
  const survey = await surveyStates(file, dialect, states)
  const counter = new ReportCounter()
  let page: RowPerson[] = []
  let stored = 0
  const flush = async () => {
    const people = onePerAddress(page)
    const keep = () => (dryRun ? previewImport(db, digest, people) : importPeople(db, digest, people, clock.now()))
    const done = await retryWhileUnreachable(clock, keep).catch((error: unknown) => {
      const outage = storeErrorIn(error)
      throw outage ? interrupted(outage, stored, counter.rows) : error
    })
    stored = counter.rows
    countPage(counter, page, people, done)
    page = []
  }
  for await (const row of readRows(file, dialect)) {
    if (signal?.aborted && page.length === 0) throw stopped(file, stored)
    counter.addRow()
    const read = readPerson(row, file, survey)
    if ('problem' in read) counter.addProblem(read)
    else if ('skipped' in read) counter.addKeptOut(read.skipped, 'skip')
    else {
      if (read.zoneProblem) counter.addZoneProblem({ line: row.line, problem: read.zoneProblem })
      page.push(read)
    }
    if (page.length >= pageSize) await flush()
  }
  await flush()
  return { ...counter.report, encoding: dialect.encoding }
}

function onePerAddress(page: RowPerson[]): RowPerson[] {
  const byKey = new Map<string, RowPerson>()
  for (const person of page) {
    const before = byKey.get(person.emailKey)
    if (!before || order.indexOf(person.standing) > order.indexOf(before.standing)) byKey.set(person.emailKey, person)
  }
  return [...byKey.values()]
}

function countPage(counter: ReportCounter, page: RowPerson[], people: RowPerson[], done: ImportedPage): void {
  const twice = page.filter((person) => person.standing === 'active').length - people.filter(isActive).length
  counter.addPeople({ ...done, known: done.known + twice })
  for (const { standing, state } of page) if (standing !== 'active') counter.addKeptOut(state, standing)
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
function interrupted(outage: StoreError, stored: number, read: number): AppError {
  const [done, all] = [stored, read].map((count) => count.toLocaleString('en'))
  const progress = `${done} of the ${all} rows read so far are stored. Run the same command again: it adds only people who are missing.`
  return new AppError('unavailable', `the import was interrupted: ${outage.message}`, {
    hint: `${outage.hint} ${progress}`,
    cause: outage,
  })
}

function stopped(file: string, stored: number): AppError {
  return new AppError(
    'unavailable',
    `the import of ${file} was stopped: ${counted(stored, 'row')} stored, the rest is not`,
    {
      hint: 'Run the same command again: it adds only people who are missing.',
    },
  )
}
