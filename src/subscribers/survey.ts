import { AppError } from '../errors.ts'
import { type Dialect, readRows } from './csv.ts'
import {
  keepsOut,
  type Meaning,
  type RowState,
  rowState,
  type StateColumn,
  stateColumns,
  stateOfFile,
  toolOf,
} from './states.ts'
import { counted } from './words.ts'

/** What the states in a file are to mean: as we know them, with the operator's own meanings first; or nothing at all. */
export type StateRules = { mapping: ReadonlyMap<string, Meaning> } | 'ignore'

/** How a file tells who may be written to. */
export type Survey = { columns: StateColumn[]; mapping: ReadonlyMap<string, Meaning>; ofFile?: RowState; tool?: string }

const nothingTold: Survey = { columns: [], mapping: new Map() }

/** So many states that are not known are named; a file with more has some other kind of column. */
const maxNamed = 20

/**
 * Reads a file through, where it has a column that tells who left, before anything is written. Throws an AppError that
 * names each state that is not known, with its first line and how often it stands in the file.
 */
export async function surveyStates(file: string, dialect: Dialect, rules: StateRules): Promise<Survey> {
  if (rules === 'ignore') return nothingTold
  const survey = await columnsOf(file, dialect, rules.mapping)
  if (survey.columns.length === 0) return survey
  const unknown = new Map<string, { column: string; line: number; count: number }>()
  const unclear = new Map(survey.columns.filter(({ kind }) => kind === 'unclear').map(({ column }) => [column, false]))
  for await (const row of readRows(file, dialect)) {
    if ('problem' in row) continue
    for (const column of unclear.keys()) if (keepsOut(row.values[column] ?? '')) unclear.set(column, true)
    const clear = survey.columns.filter(({ kind }) => kind !== 'unclear')
    count(unknown, rowState(row.values, clear, survey.mapping), row.line)
  }
  const columns = survey.columns.filter(({ column }) => unclear.get(column) ?? true)
  if ([...unclear.values()].includes(true)) await countUnclear(file, dialect, { ...survey, columns }, unknown)
  if (unknown.size > 0) throw unknownStates(file, unknown)
  return { ...survey, columns }
}

type Unknown = Map<string, { column: string; line: number; count: number }>

/** A column such as `state` is read as one of states only because it holds one: its other values are looked at now. */
async function countUnclear(file: string, dialect: Dialect, survey: Survey, unknown: Unknown): Promise<void> {
  unknown.clear()
  for await (const row of readRows(file, dialect))
    if (!('problem' in row)) count(unknown, rowState(row.values, survey.columns, survey.mapping), row.line)
}

function count(unknown: Unknown, state: RowState | undefined, line: number): void {
  if (!state || state.meaning !== undefined) return
  const known = unknown.get(state.state)
  if (known) known.count += 1
  else if (unknown.size <= maxNamed) unknown.set(state.state, { column: state.column, line, count: 1 })
}

async function columnsOf(file: string, dialect: Dialect, mapping: ReadonlyMap<string, Meaning>): Promise<Survey> {
  for await (const row of readRows(file, dialect)) {
    if ('problem' in row) continue
    const names = Object.keys(row.values)
    const [ofFile, tool] = [stateOfFile(file, names), toolOf(names)]
    return { columns: stateColumns(names), mapping, ...(ofFile && { ofFile }), ...(tool && { tool }) }
  }
  return nothingTold
}

function unknownStates(file: string, unknown: Unknown): AppError {
  const all = [...unknown].slice(0, maxNamed)
  const lines = all.map(
    ([state, { column, line, count }]) =>
      `${file}:${line}: the state "${state.slice(0, 60)}" in the column "${column.slice(0, 60)}" is not known (${counted(count, 'row')})`,
  )
  if (unknown.size > maxNamed) lines.push(`${file}: … and more`)
  return new AppError('invalid', `${lines.join('\n')}\nNothing was imported.`, {
    hint: `Say what each means, for example --map "${all[0]?.[0].slice(0, 60)}=active" (or left, bounced, skip), or import everybody with --ignore-status.`,
  })
}
