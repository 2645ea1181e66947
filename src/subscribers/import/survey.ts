import { AppError } from '../../errors.ts'
import { cellsOf, type Dialect, readRows } from './csv.ts'
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

/** What the states in a file are to mean: as we know them, with the operator's own meanings first; or nothing at all. */
export type StateRules = { mapping: ReadonlyMap<string, Meaning> } | 'ignore'

/** How a file tells who may be written to. */
export type Survey = { columns: StateColumn[]; mapping: ReadonlyMap<string, Meaning>; ofFile?: RowState; tool?: string }

const emptySurvey: Survey = { columns: [], mapping: new Map() }

/** So many states that are not known are named; a file with more has some other kind of column. */
const maxUnknownStates = 20

/**
 * Reads a file through before anything is written, to find the columns that tell who left: by their heading, or by what
 * is in them. Throws an AppError that names each state that is not known, with its first line and how often it is there.
 */
export async function surveyStates(file: string, dialect: Dialect, rules: StateRules): Promise<Survey> {
  if (rules === 'ignore') return emptySurvey
  const { others, ...survey } = await detectColumns(file, dialect, rules.mapping)
  const certain = survey.columns.filter(({ needs }) => needs === undefined)
  const doubtful = [...survey.columns.filter(({ needs }) => needs !== undefined), ...others].map(newEvidence)
  let unknown: UnknownStates = new Map()
  for await (const row of readRows(file, dialect)) {
    if ('problem' in row) {
      for (const values of row.readings ?? []) for (const evidence of doubtful) addBrokenRowEvidence(evidence, values)
      continue
    }
    const values = cellsOf(row)
    for (const evidence of doubtful) addEvidence(evidence, values[evidence.column.column] ?? '')
    countUnknownState(unknown, rowState(values, certain, survey.mapping), row.line)
  }
  const found = doubtful.flatMap(acceptedColumns)
  const columns = [...certain, ...found]
  if (found.some(({ kind }) => kind !== 'other')) unknown = await countUnknown(file, dialect, { ...survey, columns })
  if (unknown.size > 0) throw unknownStatesError(file, unknown)
  return { ...survey, columns }
}

/** What the values of a column say that does not tell by its heading. */
type Evidence = { column: StateColumn; keepsOut: boolean; isCertain: boolean; isAllKnown: boolean }

const newEvidence = (column: StateColumn): Evidence => ({
  column,
  keepsOut: false,
  isCertain: false,
  isAllKnown: true,
})

function addEvidence(evidence: Evidence, value: string): void {
  if (value === '') return
  const { column } = evidence
  if (column.kind === 'other' && columnState(column, value) !== undefined) evidence.isCertain = true
  const state = columnState(column.kind === 'other' ? { ...column, kind: 'words' } : column, value)
  if (!state) return
  if (state.meaning === undefined) evidence.isAllKnown = false
  else if (state.meaning !== 'active') evidence.keepsOut = true
}

/** In a broken row a cell may be that of another column: only a word that cannot be mistaken tells of this one. */
function addBrokenRowEvidence(evidence: Evidence, values: Record<string, string>): void {
  if (!isUnmistakable(values[evidence.column.column] ?? '')) return
  evidence.isCertain = true
  evidence.keepsOut = true
}

function acceptedColumns({ column, keepsOut, isCertain, isAllKnown }: Evidence): StateColumn[] {
  if (column.kind !== 'other') return keepsOut && (isAllKnown || column.needs === 'one') ? [column] : []
  if (keepsOut && isAllKnown && !column.isElsewhere) return [{ ...column, needs: 'all' }]
  return isCertain ? [column] : []
}

type UnknownStates = Map<string, { column: string; line: number; count: number }>

/** A column such as `state` is read as one of states only because it holds one: its other values are looked at now. */
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
  else if (unknown.size <= maxUnknownStates) unknown.set(state.state, { column: state.column, line, count: 1 })
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
  const all = [...unknown].slice(0, maxUnknownStates)
  const lines = all.map(
    ([state, { column, line, count }]) =>
      `${file}:${line}: the state "${state.slice(0, 60)}" in the column "${column.slice(0, 60)}" is not known (${countText(count, 'row')})`,
  )
  if (unknown.size > maxUnknownStates) lines.push(`${file}: … and more`)
  return new AppError('invalid', `${lines.join('\n')}\nNothing was imported.`, {
    hint: `Say what each means, for example --map "${all[0]?.[0].slice(0, 60)}=active" (or left, bounced, skip), or import everybody with --ignore-status.`,
  })
}
