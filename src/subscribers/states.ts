import { basename } from 'node:path'
import { columnOf, type StateColumn } from './state-headings.ts'
import { answerOf, instantOf, isUnmistakable, meaningOf, type Standing, spell } from './state-words.ts'

export type { StateColumn } from './state-headings.ts'
export type { Standing } from './state-words.ts'

/** `skip`: the row is not imported at all. */
export type Meaning = Standing | 'skip'

/**
 * What one row says: its state as the file writes it, and what that means; without a meaning it is not known. `since`:
 * when it began, in milliseconds since 1970, where the file says so.
 */
export type RowState = { state: string; column: string; meaning?: Meaning; since?: number }

/** Which of these columns tell by their heading whether a person may be sent mail. */
export function stateColumns(columns: string[]): StateColumn[] {
  const paying = toolOf(columns) === 'Substack' ? 'activesubscription' : undefined // there it means that they pay
  return columns
    .filter((column) => spell(column) !== paying)
    .flatMap((column) => columnOf(column) ?? [])
    .filter(({ kind }) => kind !== 'other')
}

/** Those whose heading says nothing, and whose values may. */
export function otherColumns(columns: string[]): StateColumn[] {
  return columns.flatMap((column) => columnOf(column) ?? []).filter(({ kind }) => kind === 'other')
}

/** What a column says of one row; undefined: nothing that keeps anybody out. */
export function stateIn(column: StateColumn, value: string): RowState | undefined {
  if (column.kind === 'other') return inOther(column, value)
  if (column.kind === 'words')
    return named(column, value) ?? { state: value.toLowerCase() || emptyState, column: column.column }
  if (column.kind === 'wanted' || column.kind === 'confirmed' || column.kind === 'valid')
    return inPermission(column, value)
  return inEnding(column, column.kind, value)
}

function named({ column }: StateColumn, value: string): RowState | undefined {
  const meaning = meaningOf(value)
  return meaning && { state: value.toLowerCase(), column, meaning }
}

/** So many characters of a cell are looked through for one of several words. */
const longestTags = 1000

/** Each of several words counts, as in a cell of tags. */
function inOther(column: StateColumn, value: string): RowState | undefined {
  if (column.needs === 'all') return named(column, value)
  const word = [value, ...value.slice(0, longestTags).split(/[,;|]/)].map((one) => one.trim()).find(isUnmistakable)
  return word === undefined ? undefined : named(column, word)
}

const refusals = { wanted: 'left', confirmed: 'pending', valid: 'bounced' } as const

function inPermission({ column, kind, needs }: StateColumn, value: string): RowState | undefined {
  const answer = answerOf(value)
  if (answer === 'yes' || answer === 'date') return undefined
  if (answer === 'no')
    return { state: `${column}: ${value.toLowerCase()}`, column, meaning: refusals[kind as keyof typeof refusals] }
  if (answer === 'nothing') return needs ? undefined : { state: `${column}: ${emptyState}`, column }
  return named({ column, kind }, value) ?? { state: value.toLowerCase(), column }
}

function inEnding({ column, kind, form }: StateColumn, meaning: Standing, value: string): RowState | undefined {
  const answer = answerOf(value)
  if (answer === 'no' || answer === 'nothing') return undefined
  if (form === 'count') return inCount({ column, kind }, meaning, value)
  const since = answer === 'date' ? instantOf(value) : undefined
  if (answer !== 'words') return { state: column, column, meaning, ...(since !== undefined && { since }) }
  if (meaning === 'bounced' && /soft|transient|tempor/i.test(value)) return undefined
  if (form !== 'details' && !/^(?:hard|permanent)$/i.test(value))
    return named({ column, kind }, value) ?? { state: value.toLowerCase(), column }
  return { state: column, column, meaning }
}

/** A bounce may be a passing one, so nobody but the operator can say what a number of them means. */
function inCount({ column }: StateColumn, meaning: Standing, value: string): RowState | undefined {
  if (!/^\d+(?:\.0+)?$/.test(value)) return { state: value.toLowerCase(), column }
  if (Number(value) === 0) return undefined
  const isCertain = meaning !== 'bounced' || /hard/.test(column)
  return { state: `${column}: more than 0`, column, ...(isCertain && { meaning }) }
}

/** How an empty cell is called in reports and in `--map`. */
const emptyState = '(empty)'

/** The worst counts: a person who left and whose address bounced is both. */
const order: Meaning[] = ['active', 'skip', 'pending', 'left', 'bounced', 'complained']
const weight = ({ meaning }: RowState) => (meaning ? order.indexOf(meaning) : order.length)

/**
 * What a row says of its person, by the columns that tell of it; an operator's `mapping` (state → meaning, in lower case)
 * goes before what we know. A state that is not known goes before all others, as somebody has to say what it means.
 */
export function rowState(
  values: Record<string, string>,
  columns: StateColumn[],
  mapping: ReadonlyMap<string, Meaning>,
): RowState | undefined {
  const found = columns.flatMap((one) => {
    const state = stateIn(one, values[one.column] ?? '')
    const mapped = state && mapping.get(state.state)
    return state ? [mapped ? { ...state, meaning: mapped } : state] : []
  })
  const [worst, ...others] = found.sort((one, other) => weight(other) - weight(one))
  const dated = others.find(({ meaning, since }) => meaning === worst?.meaning && since !== undefined)
  return worst && worst.since === undefined && dated ? { ...worst, since: dated.since as number } : worst
}

/** Mailchimp exports an audience as several files, and some of them tell only by their name who is in them. */
const mailchimpFiles: Record<string, Standing> = { unsubscribed: 'left', cleaned: 'bounced', nonsubscribed: 'pending' }

export function stateOfFile(file: string, columns: string[]): RowState | undefined {
  const [, state = ''] = /^(unsubscribed|cleaned|nonsubscribed)_/.exec(basename(file)) ?? []
  const meaning = mailchimpFiles[state]
  return meaning && toolOf(columns) === 'Mailchimp' ? { state, column: 'name of the file', meaning } : undefined
}

/** The tool that wrote a file with these columns, by the headings that only it has. */
export function toolOf(columns: string[]): string | undefined {
  const spelled = new Set(columns.map(spell))
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
