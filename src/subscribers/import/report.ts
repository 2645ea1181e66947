import type { Meaning } from './states.ts'

/** A remark about one line of the file. */
export type LineNote = { line: number; problem: string }

export type ImportReport = {
  /** Rows read, without the heading and blank rows. */
  rows: number
  added: number
  /** Subscribed already, or unsubscribed here: not changed. */
  known: number
  /** Suppressed here, so they get nothing. */
  suppressed: number
  /** People who get nothing because of their state in the file, by state; the most frequent first. */
  states: { state: string; meaning: Exclude<Meaning, 'active'>; count: number }[]
  /** People who were subscribed here, and left, bounced or complained elsewhere. */
  unsubscribedHere: number
  /** Rows that could not be read; the others are imported. */
  problems: LineNote[]
  problemCount: number
  /** Rows imported without a zone, because theirs is not an IANA zone. */
  zoneProblems: LineNote[]
  zoneProblemCount: number
  /** Addresses subscribed here and not elsewhere, with what was done. */
  changes: LineNote[]
  changeCount: number
}

const maxNotes = 100

/** Counts the results of an import, and keeps the first hundred notes of each kind. */
export class ReportCounter {
  readonly #report: ImportReport = {
    rows: 0,
    added: 0,
    known: 0,
    suppressed: 0,
    states: [],
    unsubscribedHere: 0,
    problems: [],
    problemCount: 0,
    zoneProblems: [],
    zoneProblemCount: 0,
    changes: [],
    changeCount: 0,
  }
  readonly #states = new Map<string, ImportReport['states'][number]>()

  get rows(): number {
    return this.#report.rows
  }

  addRow(): void {
    this.#report.rows += 1
  }

  addPeople({ added, known, suppressed }: Pick<ImportReport, 'added' | 'known' | 'suppressed'>): void {
    this.#report.added += added
    this.#report.known += known
    this.#report.suppressed += suppressed
  }

  addExcluded(state: string, meaning: Exclude<Meaning, 'active'>): void {
    const key = `${meaning} ${state}`
    const counted = this.#states.get(key) ?? { state, meaning, count: 0 }
    this.#states.set(key, { ...counted, count: counted.count + 1 })
  }

  addProblem(note: LineNote): void {
    this.#report.problemCount += 1
    if (this.#report.problems.length < maxNotes) this.#report.problems.push(note)
  }

  addZoneProblem(note: LineNote): void {
    this.#report.zoneProblemCount += 1
    if (this.#report.zoneProblems.length < maxNotes) this.#report.zoneProblems.push(note)
  }

  addChange(note: LineNote, unsubscribed: boolean): void {
    this.#report.changeCount += 1
    if (unsubscribed) this.#report.unsubscribedHere += 1
    if (this.#report.changes.length < maxNotes) this.#report.changes.push(note)
  }

  get report(): ImportReport {
    return { ...this.#report, states: [...this.#states.values()].sort((one, other) => other.count - one.count) }
  }
}
