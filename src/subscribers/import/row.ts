import { describeReason } from '../../describe/describe.ts'
import type { ImportedPerson } from '../../store/subscribers/import.ts'
import { isTimeZone } from '../../time/zone.ts'
import { addressKey, readAddress } from '../address.ts'
import { nameFromColumns, tidyName } from '../name.ts'
import { cellsOf, type Row } from './csv.ts'
import { type RowState, rowState, type Standing } from './states.ts'
import type { Survey } from './survey.ts'

/** A row as a person, with the state as the file writes it. */
export type RowPerson = ImportedPerson & { line: number; state: string; zoneProblem: string | undefined }

/** `excluded`: a person who gets no mail, as far as the broken row says. */
export type BrokenRow = { line: number; problem: string; excluded?: RowPerson }

const zoneColumns = ['zone', 'timezone', 'time zone', 'time_zone']

/** Reads a row as a person, or as a broken row; `skipped` is a state that is not imported. */
export function readPerson(row: Row, file: string, survey: Survey): RowPerson | BrokenRow | { skipped: string } {
  if ('problem' in row) return brokenRow(row, row.readings ?? [], file, survey)
  const { line, values } = row
  const cells = cellsOf(row)
  if (Object.values(values).some((value) => value.includes('\ufffd'))) {
    const problem = 'has characters that do not fit the encoding of the file'
    return brokenRow({ line, problem }, [cells], file, survey)
  }
  const address = readAddress(values.email ?? '')
  if ('problem' in address) return { line, ...address }
  const { meaning = 'active', ...found } = worstState(survey, cells)
  if (meaning === 'skip') return { skipped: found.state }
  return personOf({ values, address }, meaning, found, { file, line, isBroken: false }, survey.tool)
}

/** A person who left must not get mail because a comma in their name was not quoted. */
function brokenRow(
  { line, problem }: { line: number; problem: string },
  readings: Record<string, string>[],
  file: string,
  survey: Survey,
): BrokenRow {
  for (const values of readings) {
    const address = readAddress(values.email ?? '')
    const { meaning = 'active', ...found } = worstState(survey, values)
    if ('problem' in address || !(meaning === 'left' || meaning === 'bounced' || meaning === 'complained')) continue
    const source = { file, line, isBroken: true }
    const person = personOf({ values: {}, address }, meaning, found, source, survey.tool)
    const message = `${problem}; it says "${found.state}" for ${address.email}, which counts`
    return { line, problem: message, excluded: person }
  }
  return { line, problem }
}

function personOf(
  { values, address }: { values: Record<string, string>; address: { email: string; name: string } },
  standing: Standing,
  { state, column, since }: Omit<RowState, 'meaning'>,
  source: { file: string; line: number; isBroken: boolean },
  tool: string | undefined,
): RowPerson {
  const { email: _, name: __, ...others } = values
  const { attributes, zone, zoneProblem } = splitZone(others)
  const ownColumn = state === column ? null : column
  const evidence = { code: 'imported' as const, standing, state, column: ownColumn, tool: tool ?? null, ...source }
  return {
    line: source.line,
    email: address.email,
    emailKey: addressKey(address.email),
    name: nameFromColumns(values) || tidyName(address.name),
    attributes,
    ...(zone !== undefined && { zone }),
    ...(since !== undefined && { since }),
    standing,
    state,
    evidence,
    proof: describeReason(evidence),
    zoneProblem,
  }
}

/** The state in the row, or the one in the name of the file (Mailchimp), which holds for every row. */
function worstState({ columns, mapping, ofFile }: Survey, values: Record<string, string>): RowState {
  const state = rowState(values, columns, mapping)
  const meaning = ofFile && (mapping.get(ofFile.state) ?? ofFile.meaning)
  const mapped = ofFile && { ...ofFile, ...(meaning && { meaning }) }
  const found = !state || state.meaning === 'active' ? (mapped ?? state) : state
  return found ?? { state: '', column: '' }
}

function splitZone(attributes: Record<string, string>) {
  const named = zoneColumns.find((column) => Object.hasOwn(attributes, column))
  if (named === undefined) return { attributes, zoneProblem: undefined }
  const { [named]: zone = '', ...others } = attributes
  if (zone === '') return { attributes: others, zoneProblem: undefined }
  if (isTimeZone(zone)) return { attributes: others, zone, zoneProblem: undefined }
  const zoneProblem = `"${zone.slice(0, 100)}" is not an IANA time zone such as "Europe/London": the zone of the digest is used`
  return { attributes: others, zoneProblem }
}
