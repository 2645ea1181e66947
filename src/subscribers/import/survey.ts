import { AppError } from '../../errors.ts'
import { cellsOf, type Dialect, type Row, readRows } from './csv.ts'
import { countText } from './plural.ts'
import { isUnmistakable } from './state-words.ts'
import {
  columnState,
  detectTool,
  type Meaning,
  otherColumns,
  type RowState,
  rowState,
  type StateColumn,
  stateColumns,
  stateOfFile,
} from './states.ts'

/** The operator's meanings of states, which go before the known ones; `ignore` imports everyone as active. */
export type StateRules = { mapping: ReadonlyMap<string, Meaning> } | 'ignore'

/** The columns of a file that say who may get mail. */
export type Survey = { columns: StateColumn[]; mapping: ReadonlyMap<string, Meaning>; ofFile?: RowState; tool?: string }

const emptySurvey: Survey = { columns: [], mapping: new Map() }

/** In an error; a file with more has another kind of column. */
const maxUnknownStatesShown = 20

/**
 * Reads a whole file before anything is written, and finds the columns that say who left, by heading or by values.
 * Throws an AppError that names each unknown state with its first line and its count.
 */
export async function surveyStates(file: string, dialect: Dialect, rules: StateRules): Promise<Survey> {
  if (rules === 'ignore') return emptySurvey
  const { others, ...survey } = await detectColumns(file, dialect, rules.mapping)
  const certain = survey.columns.filter(({ needs }) => needs === undefined)
  const doubtful = [...survey.columns.filter(({ needs }) => needs !== undefined), ...others].map(newEvidence)
  let unknown: UnknownStates = new Map()
  for await (const row of readRows(file, dialect)) {
    for (const evidence of doubtful) addEvidence(evidence, row)
    if (!('problem' in row)) countUnknownState(unknown, rowState(cellsOf(row), certain, survey.mapping), row.line)
  }
  const found = doubtful.flatMap(acceptedColumns)
  const columns = [...certain, ...found]
  if (found.some(({ kind }) => kind !== 'other')) unknown = await countUnknown(file, dialect, { ...survey, columns })
  if (unknown.size > 0) throw unknownStatesError(file, unknown)
  return { ...survey, columns }
}

/** What the values of a column say about it, where its heading is not enough. */
type Evidence = { column: StateColumn; excludes: boolean; isCertain: boolean; isAllKnown: boolean }

const newEvidence = (column: StateColumn): Evidence => ({
  column,
  excludes: false,
  isCertain: false,
  isAllKnown: true,
})

function addEvidence(evidence: Evidence, row: Row): void {
  const { column } = evidence.column
  if (!('problem' in row)) addValueEvidence(evidence, cellsOf(row)[column] ?? '')
  else for (const values of row.readings ?? []) addBrokenRowEvidence(evidence, values[column] ?? '')
}

function addValueEvidence(evidence: Evidence, value: string): void {
  if (value === '') return
  const { column } = evidence
  if (column.kind === 'other' && columnState(column, value) !== undefined) evidence.isCertain = true
  const state = columnState(column.kind === 'other' ? { ...column, kind: 'words' } : column, value)
  if (!state) return
  if (state.meaning === undefined) evidence.isAllKnown = false
  else if (state.meaning !== 'active') evidence.excludes = true
}

/** In a broken row a cell may belong to another column, so only an unambiguous word counts. */
function addBrokenRowEvidence(evidence: Evidence, value: string): void {
  if (!isUnmistakable(value)) return
  evidence.isCertain = true
  evidence.excludes = true
}

function acceptedColumns({ column, excludes, isCertain, isAllKnown }: Evidence): StateColumn[] {
  if (column.kind !== 'other') return excludes && (isAllKnown || column.needs === 'one') ? [column] : []
  if (excludes && isAllKnown && !column.isElsewhere) return [{ ...column, needs: 'all' }]
  return isCertain ? [column] : []
}

type UnknownStates = Map<string, { column: string; line: number; count: number }>

/** Counts again when a column such as `state` turned out to hold states: its other values may be unknown ones. */
async function countUnknown(file: string, dialect: Dialect, { columns, mapping }: Survey): Promise<UnknownStates> {
  const unknown: UnknownStates = new Map()
  for await (const row of readRows(file, dialect))
    if (!('problem' in row)) countUnknownState(unknown, rowState(cellsOf(row), columns, mapping), row.line)
  return unknown
}

function countUnknownState(unknown: UnknownStates, state: RowState | undefined, line: number): void {
  if (!state || state.meaning !== undefined) return
  const known = unknown.get(state.state)
  if (known) known.count += 1
  else if (unknown.size <= maxUnknownStatesShown) unknown.set(state.state, { column: state.column, line, count: 1 })
}

async function detectColumns(file: string, dialect: Dialect, mapping: ReadonlyMap<string, Meaning>) {
  for await (const row of readRows(file, dialect)) {
    if ('problem' in row && !row.readings?.[0]) continue
    const names = Object.keys('problem' in row ? (row.readings?.[0] ?? {}) : cellsOf(row))
    const [ofFile, tool] = [stateOfFile(file, names), detectTool(names)]
    const columns = stateColumns(names)
    const others = otherColumns(names).filter(({ column }) => column !== 'email')
    return { columns, others, mapping, ...(ofFile && { ofFile }), ...(tool && { tool }) }
  }
  return { ...emptySurvey, others: [] }
}

function unknownStatesError(file: string, unknown: UnknownStates): AppError {
  const all = [...unknown].slice(0, maxUnknownStatesShown)
  const lines = all.map(
    ([state, { column, line, count }]) =>
      `${file}:${line}: the state "${state.slice(0, 60)}" in the column "${column.slice(0, 60)}" is unknown (${countText(count, 'row')})`,
  )
  if (unknown.size > maxUnknownStatesShown) lines.push(`${file}: … and more`)
  return new AppError('invalid', `${lines.join('\n')}\nNothing was imported.`, {
    hint: `Say what each means, for example --map "${all[0]?.[0].slice(0, 60)}=active" (or left, bounced, skip), or import everybody with --ignore-status.`,
  })
}
