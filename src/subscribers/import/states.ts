import { basename } from 'node:path'
import { classifyColumn, type StateColumn } from './headings.ts'
import {
  classifyAnswer,
  isUnmistakable,
  meaningOf,
  normalizeWord,
  parseInstantMs,
  type Standing,
} from './state-words.ts'

export type { StateColumn } from './headings.ts'
export type { Standing } from './state-words.ts'

/** `skip`: the row is not imported at all. */
export type Meaning = Standing | 'skip'

/**
 * The state in a row as the file writes it, and its meaning; without a meaning it is unknown. `since`: when it began, in
 * milliseconds since 1970, if the file says so.
 */
export type RowState = { state: string; column: string; meaning?: Meaning; since?: number }

/** The columns whose heading says that they hold states. */
export function stateColumns(columns: string[]): StateColumn[] {
  const paying = detectTool(columns) === 'Substack' ? 'activesubscription' : undefined // there it means a paying subscriber
  return columns
    .filter((column) => normalizeWord(column) !== paying)
    .flatMap((column) => classifyColumn(column) ?? [])
    .filter(({ kind }) => kind !== 'other')
}

/** The columns with a neutral heading, whose values may be states. */
export function otherColumns(columns: string[]): StateColumn[] {
  return columns.flatMap((column) => classifyColumn(column) ?? []).filter(({ kind }) => kind === 'other')
}

/** The state in one cell; undefined if it does not exclude the person. */
export function columnState(column: StateColumn, value: string): RowState | undefined {
  if (column.kind === 'other') return otherColumnState(column, value)
  if (column.kind === 'words')
    return namedState(column, value) ?? { state: value.toLowerCase() || emptyState, column: column.column }
  if (column.kind === 'wanted' || column.kind === 'confirmed' || column.kind === 'valid')
    return permissionState(column, value)
  return endingState(column, column.kind, value)
}

function namedState({ column }: StateColumn, value: string): RowState | undefined {
  const meaning = meaningOf(value)
  return meaning && { state: value.toLowerCase(), column, meaning }
}

/** In characters; the rest of a longer cell is not searched. */
const maxTagsLength = 1000

/** Each word counts, as in a cell of tags. */
function otherColumnState(column: StateColumn, value: string): RowState | undefined {
  if (column.needs === 'all') return namedState(column, value)
  const word = [value, ...value.slice(0, maxTagsLength).split(/[,;|]/)].map((one) => one.trim()).find(isUnmistakable)
  return word === undefined ? undefined : namedState(column, word)
}

const refusedMeanings = { wanted: 'left', confirmed: 'pending', valid: 'bounced' } as const

function permissionState({ column, kind, needs }: StateColumn, value: string): RowState | undefined {
  const answer = classifyAnswer(value)
  if (answer === 'yes' || answer === 'date') return undefined
  if (answer === 'no')
    return {
      state: `${column}: ${value.toLowerCase()}`,
      column,
      meaning: refusedMeanings[kind as keyof typeof refusedMeanings],
    }
  if (answer === 'nothing') return needs ? undefined : { state: `${column}: ${emptyState}`, column }
  return namedState({ column, kind }, value) ?? { state: value.toLowerCase(), column }
}

function endingState({ column, kind, form }: StateColumn, meaning: Standing, value: string): RowState | undefined {
  const answer = classifyAnswer(value)
  if (answer === 'no' || answer === 'nothing') return undefined
  if (form === 'count') return countState({ column, kind }, meaning, value)
  const since = answer === 'date' ? parseInstantMs(value) : undefined
  if (answer !== 'words') return { state: column, column, meaning, ...(since !== undefined && { since }) }
  if (meaning === 'bounced' && /soft|transient|tempor/i.test(value)) return undefined
  if (form !== 'details' && !/^(?:hard|permanent)$/i.test(value))
    return namedState({ column, kind }, value) ?? { state: value.toLowerCase(), column }
  return { state: column, column, meaning }
}

/** Bounces may be temporary, so only the operator can say what a number of them means. */
function countState({ column }: StateColumn, meaning: Standing, value: string): RowState | undefined {
  if (!/^\d+(?:\.0+)?$/.test(value)) return { state: value.toLowerCase(), column }
  if (Number(value) === 0) return undefined
  const isCertain = meaning !== 'bounced' || /hard/.test(column)
  return { state: `${column}: more than 0`, column, ...(isCertain && { meaning }) }
}

/** The name of an empty cell in reports and in `--map`. */
const emptyState = '(empty)'

/** The most severe state counts: a person may have left and bounced. */
const severityOrder: Meaning[] = ['active', 'skip', 'pending', 'left', 'bounced', 'complained']
const severity = ({ meaning }: RowState) => (meaning ? severityOrder.indexOf(meaning) : severityOrder.length)

/**
 * The most severe state in the columns of a row. The operator's `mapping` (state in lower case → meaning) goes before the
 * known meanings; an unknown state goes before all others, since the operator has to give its meaning.
 */
export function rowState(
  values: Record<string, string>,
  columns: StateColumn[],
  mapping: ReadonlyMap<string, Meaning>,
): RowState | undefined {
  const found = columns.flatMap((one) => {
    const state = columnState(one, values[one.column] ?? '')
    const mapped = state && mapping.get(state.state)
    return state ? [mapped ? { ...state, meaning: mapped } : state] : []
  })
  const [worst, ...others] = found.sort((one, other) => severity(other) - severity(one))
  const dated = others.find(({ meaning, since }) => meaning === worst?.meaning && since !== undefined)
  return worst && worst.since === undefined && dated ? { ...worst, since: dated.since as number } : worst
}

/** Mailchimp exports an audience as several files; the name of some is the only sign of the state. */
const mailchimpFiles: Record<string, Standing> = { unsubscribed: 'left', cleaned: 'bounced', nonsubscribed: 'pending' }

export function stateOfFile(file: string, columns: string[]): RowState | undefined {
  const [, state = ''] = /^(unsubscribed|cleaned|nonsubscribed)_/.exec(basename(file)) ?? []
  const meaning = mailchimpFiles[state]
  return meaning && detectTool(columns) === 'Mailchimp' ? { state, column: 'name of the file', meaning } : undefined
}

/** The tool that exported a file, by headings that only it uses. */
export function detectTool(columns: string[]): string | undefined {
  const spelled = new Set(columns.map(normalizeWord))
  const hasAll = (...names: string[]) => names.every((name) => spelled.has(name))
  if (hasAll('uuid', 'attributes', 'status')) return 'listmonk'
  if (['leid', 'euid', 'memberrating', 'unsubcampaigntitle', 'cleancampaigntitle'].some((name) => spelled.has(name)))
    return 'Mailchimp'
  if (hasAll('subscribedtoemails')) return 'Ghost'
  if (hasAll('emaildisabled') || hasAll('emailsdisabled')) return 'Substack'
  if (hasAll('externalid', 'status')) return 'Keila'
  if (hasAll('emailblacklisted') || hasAll('emailblocklisted')) return 'Brevo'
  return undefined
}
