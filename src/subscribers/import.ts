import type { WaitingClock } from '../clock.ts'
import { AppError } from '../errors.ts'
import { type StoreError, storeErrorIn } from '../store/failure.ts'
import { retryWhileUnreachable } from '../store/retry.ts'
import type { Db } from '../store/schema.ts'
import { addSubscribers, type NewSubscriber } from '../store/subscribers.ts'
import { countSuppressed } from '../store/suppressions.ts'
import { isZone } from '../zone.ts'
import { addressKey, parseAddress } from './address.ts'
import { type Row, readRows, sniff } from './csv.ts'

export type ImportReport = {
  /** Rows read, without the heading. */
  rows: number
  added: number
  /** Subscribed before, or left: left as they were. */
  known: number
  /** Suppressed: whatever they subscribe to, nothing is sent to them. */
  suppressed: number
  /** Rows that could not be read, each with its line. The rest is imported all the same. */
  problems: { line: number; problem: string }[]
  problemCount: number
  /** Rows that were imported without a zone, because the one they name is none. */
  zoneProblems: { line: number; problem: string }[]
  zoneProblemCount: number
}

const pageSize = 500
const problemsKept = 100
const zoneColumns = ['zone', 'timezone', 'time zone', 'time_zone']

/**
 * Imports a CSV file (RFC 4180; comma, semicolon or tab; UTF-8, UTF-16 or, said so in the report, Windows-1252) in pages,
 * in constant memory. Columns: `email`, `name`, `zone` (or `timezone`), and any others as attributes. A broken row is reported with its line and
 * loses none of the others. A database that is away is waited for. Throws AppError when the file cannot be read or has no
 * column `email`, and when the database stays away: its hint says how many rows are stored.
 */
export async function importSubscribers(
  { db, clock }: { db: Db; clock: WaitingClock },
  file: string,
  digest: string,
): Promise<ImportReport & { encoding: string }> {
  const dialect = await sniff(file)
  const report: ImportReport = {
    rows: 0,
    added: 0,
    known: 0,
    suppressed: 0,
    problems: [],
    problemCount: 0,
    zoneProblems: [],
    zoneProblemCount: 0,
  }
  let page: NewSubscriber[] = []
  let stored = 0
  const flush = async () => {
    const unique = new Map(page.toReversed().map((person) => [person.emailKey, person])) // of two rows the first counts
    const people = [...unique.values()].toReversed()
    const keep = async () => ({
      added: await addSubscribers(db, digest, people, clock.now()),
      suppressed: await countSuppressed(db, [...unique.keys()]),
    })
    const { added, suppressed } = await retryWhileUnreachable(clock, keep).catch((error: unknown) => {
      const outage = storeErrorIn(error)
      throw outage ? interrupted(outage, stored, report.rows) : error
    })
    stored = report.rows
    report.added += added
    report.suppressed += suppressed
    report.known += page.length - added - suppressed
    page = []
  }
  for await (const row of readRows(file, dialect)) {
    report.rows += 1
    const person = toSubscriber(row, file)
    if ('problem' in person) addProblem(report, person)
    else page.push(withZone(person, row, report))
    if (page.length >= pageSize) await flush()
  }
  await flush()
  return { ...report, encoding: dialect.encoding }
}

/** An import that the database has stopped. What is stored stays: the same command adds the rest. */
function interrupted(outage: StoreError, stored: number, read: number): AppError {
  const [done, all] = [stored, read].map((count) => count.toLocaleString('en'))
  const progress = `${done} of the ${all} rows read so far are stored. Run the same command again: it adds only people who are missing.`
  return new AppError('unavailable', `the import was interrupted: ${outage.message}`, {
    hint: `${outage.hint} ${progress}`,
    cause: outage,
  })
}

function toSubscriber(row: Row, file: string): NewSubscriber | { line: number; problem: string } {
  if ('problem' in row) return row
  const { email: given = '', name = '', ...attributes } = row.values
  const { line } = row
  if (Object.values(row.values).some((value) => value.includes('\ufffd')))
    return { line, problem: 'has letters that are not in the encoding of the file' }
  const email = parseAddress(given)
  if (!email) {
    return { line, problem: given ? `"${given.slice(0, 100)}" is not an email address` : 'has no email address' }
  }
  const proof = `import of ${file}, line ${line}`
  return { email, emailKey: addressKey(email), name: plainName(name), attributes, proof }
}

/** The person with the zone of the row; one that is none is reported, and the person comes without. */
function withZone(person: NewSubscriber, row: Row, report: ImportReport): NewSubscriber {
  const { attributes, ...rest } = person
  const named = zoneColumns.find((column) => column in attributes)
  if (named === undefined) return person
  const { [named]: zone = '', ...others } = attributes
  if (zone === '') return { ...rest, attributes: others }
  if (isZone(zone)) return { ...rest, attributes: others, zone }
  report.zoneProblemCount += 1
  const problem = `"${zone.slice(0, 100)}" is not an IANA time zone such as "Europe/London": that of the digest counts`
  if (report.zoneProblems.length < problemsKept) report.zoneProblems.push({ line: row.line, problem })
  return { ...rest, attributes: others }
}

/** One line without controls (PostgreSQL keeps no NUL), of 200 letters at most. */
function plainName(name: string): string {
  const plain = name.replace(/[\s\p{Cc}]+/gu, ' ').trim()
  return [...plain].slice(0, 200).join('')
}

function addProblem(report: ImportReport, problem: { line: number; problem: string }): void {
  report.problemCount += 1
  if (report.problems.length < problemsKept) report.problems.push(problem)
}
