import { basename } from 'node:path'

/**
 * What a file of subscribers says of a person. `pending`: they never confirmed. `bounced` and `complained` are about the
 * address, for all digests; `left` is about the digest that the file is imported into.
 */
export type Standing = 'active' | 'pending' | 'left' | 'bounced' | 'complained'

/** `skip`: the row is not imported at all. */
export type Meaning = Standing | 'skip'

/**
 * How a column tells of a person: `words` names a state, `unclear` may be a state or something else (a region, a kind of
 * customer), the others say yes or no, or when.
 */
type Kind = 'words' | 'unclear' | 'wanted' | 'confirmed' | 'left' | 'bounced' | 'complained'

export type StateColumn = { column: string; kind: Kind }

/** What one row says: its state as the file writes it, and what that means; without a meaning it is not known. */
export type RowState = { state: string; column: string; meaning?: Meaning }

/** Letters and digits in lower case: `Un-subscribed`, `UNSUB_TIME` and `unsub time` are spelled alike. */
const plain = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '')

const wordsFor: Record<Standing, string[]> = {
  active: [
    'active',
    'enabled',
    'subscribed',
    'subscriber',
    'confirmed',
    'optedin',
    'optin',
    'singleoptin',
    'doubleoptin',
  ]
    .concat(['regular', 'premium', 'trialed', 'gifted', 'churning', 'unpaid', 'pastdue', 'free', 'paid', 'comped'])
    .concat(['complimentary', 'verified']),
  pending: [
    'unconfirmed',
    'notconfirmed',
    'pending',
    'pendingconfirmation',
    'awaitingconfirmation',
    'unactivated',
  ].concat(['unverified', 'nonsubscribed', 'notsubscribed', 'neversubscribed', 'transactional', 'validating']),
  left: ['unsubscribed', 'unsubscribe', 'unsub', 'unsubscriber', 'globallyunsubscribed', 'optedout', 'optout', 'left']
    .concat([
      'blocklisted',
      'blacklisted',
      'blocked',
      'banned',
      'disabled',
      'deleted',
      'removed',
      'archived',
      'inactive',
    ])
    .concat(['cancelled', 'canceled', 'suppressed', 'suspended', 'revoked', 'withdrawn', 'spammy'])
    .concat(['donotemail', 'donotmail', 'donotcontact']),
  bounced: [
    'bounced',
    'bounce',
    'hardbounce',
    'hardbounced',
    'cleaned',
    'undeliverable',
    'unreachable',
    'invalid',
  ].concat(['invalidemail']),
  complained: [
    'complained',
    'complaint',
    'complainer',
    'spamcomplaint',
    'abuse',
    'spam',
    'markedasspam',
    'reportedspam',
  ].concat(['junk']),
}

const meanings = new Map(
  Object.entries(wordsFor).flatMap(([meaning, words]) => words.map((word) => [word, meaning as Standing])),
)

/** The column headings that tell of people in the exports of other tools, spelled as by `plain`. */
const columnKinds: [Kind, RegExp][] = [
  [
    'words',
    /^(?:(?:subscri(?:ption|ber)|e?mail|(?:e?mail)?marketing|contact|member|list|emailsubscription|emailpermission)?status|subscri(?:ption|ber)state|emailstate|subscribertype)$/,
  ],
  ['unclear', /^(?:state|type)$/],
  [
    'wanted',
    /^(?:subscribed(?:toemails?|tonewsletter)?|(?:email)?opt(?:ed)?in|(?:accepts|receives?)(?:email)?(?:marketing|newsletters?|emails?)|(?:email|marketing)consent|emailsenabled|emailenabled)$/,
  ],
  ['confirmed', /^(?:is)?confirmed$/],
  [
    'left',
    /^(?:is|has|date|time)?(?:email|global|globally)?(?:unsub(?:scri(?:be[dr]?|ption))?|opt(?:ed)?out|(?:e?mails?)?(?:deleted|removed|disabled)|b(?:lock|lack)listed)(?:at|on|time|date|(?:from|of)(?:all)?(?:e?mails?)?)?$/,
  ],
  ['bounced', /^(?:is|date|time|hard|email)*(?:cleaned|clean|bounced?|undeliverable)(?:at|on|time|date)?$/],
  [
    'complained',
    /^(?:is|date|time)?(?:(?:spam)?complain(?:t|ed)|markedasspam|abuse(?:report|complaint)?)(?:at|on|time|date)?$/,
  ],
]

/** Which of these columns tell whether a person may be written to. */
export function stateColumns(columns: string[]): StateColumn[] {
  return columns.flatMap((column) => {
    const kind = columnKinds.find(([, heading]) => heading.test(plain(column)))?.[0]
    return kind ? [{ column, kind }] : []
  })
}

/** What a value of an unclear column would mean as a state, if it keeps somebody out. */
export function keepsOut(value: string): boolean {
  return !['active', undefined].includes(meanings.get(plain(value)))
}

const yes = new Set(['yes', 'y', 'true', 't', '1', 'x', 'on'])
const no = new Set(['no', 'n', 'false', 'f', '0', 'off', 'never', 'none', 'null', 'nil', 'na'])

/** An instant as exports write it: a date with separators, or seconds since 1970. */
const isDate = (value: string) =>
  /\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}|\d{1,2} \p{L}+ \d{4}|\p{L}+ \d{1,2},? \d{4}|^\d{8,13}$/u.test(value)

/** What the value of one column says; undefined: nothing that keeps anybody out. */
function stateIn({ column, kind }: StateColumn, value: string): RowState | undefined {
  const word = plain(value)
  if (kind === 'words' || kind === 'unclear') {
    const meaning = meanings.get(word)
    return { state: value.toLowerCase() || emptyState, column, ...(meaning && { meaning }) }
  }
  const isYes = yes.has(word) || isDate(value)
  const isNo = no.has(word) || (value !== '' && word === '')
  const named = meanings.get(word)
  if (kind === 'wanted' || kind === 'confirmed') {
    if (isYes) return undefined
    if (isNo) {
      const meaning = column.includes('subscribed') ? 'left' : 'pending'
      return { state: `${column}: ${value.toLowerCase()}`, column, meaning }
    }
    if (value === '') return { state: `${column}: ${emptyState}`, column }
    return { state: value.toLowerCase(), column, ...(named && { meaning: named }) }
  }
  if (isNo || value === '') return undefined
  if (isYes) return { state: column, column, meaning: kind }
  return { state: value.toLowerCase(), column, ...(named && { meaning: named }) }
}

/** How an empty cell is called in reports and in `--map`. */
export const emptyState = '(empty)'

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
  return found.sort((one, other) => weight(other) - weight(one))[0]
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
  const spelled = new Set(columns.map(plain))
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
