import type { ImportedPerson } from '../store/imports.ts'
import { isZone } from '../zone.ts'
import { addressKey, readAddress } from './address.ts'
import type { Row } from './csv.ts'
import { nameIn, tidyName } from './name.ts'
import { rowState, type Standing } from './states.ts'
import type { Survey } from './survey.ts'

/** One row as a person, with the state that the file gives; or what is wrong with it, or that it is to be skipped. */
export type RowPerson = ImportedPerson & { line: number; state: string; zoneProblem: string | undefined }

const zoneColumns = ['zone', 'timezone', 'time zone', 'time_zone']

export function readPerson(
  row: Row,
  file: string,
  survey: Survey,
): RowPerson | { line: number; problem: string } | { skipped: string } {
  if ('problem' in row) return row
  const { line, values } = row
  const { email: given = '', name: _, ...others } = values
  if (Object.values(values).some((value) => value.includes('\ufffd')))
    return { line, problem: 'has letters that are not in the encoding of the file' }
  const address = readAddress(given)
  if ('problem' in address) return { line, ...address }
  const { meaning = 'active', state, column } = worst(survey, values)
  if (meaning === 'skip') return { skipped: state }
  const { attributes, zone, zoneProblem } = splitZone(others)
  return {
    line,
    email: address.email,
    emailKey: addressKey(address.email),
    name: nameIn(values) || tidyName(address.name),
    attributes,
    ...(zone !== undefined && { zone }),
    standing: meaning,
    state,
    proof: proofOf(meaning, { state, column, tool: survey.tool }, `import of ${file}, line ${line}`),
    zoneProblem,
  }
}

/** What the row says; a file whose name says who is in it, as Mailchimp's are, says it of everybody. */
function worst({ columns, mapping, ofFile }: Survey, values: Record<string, string>) {
  const state = rowState(values, columns, mapping)
  const mapped = ofFile && { ...ofFile, meaning: mapping.get(ofFile.state) ?? ofFile.meaning }
  const found = !state || state.meaning === 'active' ? (mapped ?? state) : state
  return found ?? { state: '', column: '' }
}

const before: Record<Standing, string> = {
  active: '',
  pending: 'not confirmed',
  left: 'left',
  bounced: 'bounced',
  complained: 'complained of spam',
}

function proofOf(
  standing: Standing,
  { state, column, tool }: { state: string; column: string; tool: string | undefined },
  source: string,
): string {
  if (standing === 'active') return source
  const place = tool ? `in ${tool}` : 'elsewhere'
  const words = state === column ? state : `${column}: ${state}`
  return `${before[standing]} ${place} before the import (${words}), ${source}`
}

function splitZone(attributes: Record<string, string>) {
  const named = zoneColumns.find((column) => Object.hasOwn(attributes, column))
  if (named === undefined) return { attributes, zoneProblem: undefined }
  const { [named]: zone = '', ...others } = attributes
  if (zone === '') return { attributes: others, zoneProblem: undefined }
  if (isZone(zone)) return { attributes: others, zone, zoneProblem: undefined }
  const zoneProblem = `"${zone.slice(0, 100)}" is not an IANA time zone such as "Europe/London": that of the digest counts`
  return { attributes: others, zoneProblem }
}
