import { expect, test } from 'vitest'
import { fillPattern, type Placeholder } from '../../../src/editions/jobs/subject-pattern.ts'

const all: Record<Placeholder, string> = {
  title: 'Harbour Notes',
  number: '31',
  date: '27 November 2026',
  lead: 'The bridge is open',
  second: 'A school reopens',
  third: 'Trams again',
  count: '12',
}
const none: Record<Placeholder, string> = {
  title: '',
  number: '',
  date: '',
  lead: '',
  second: '',
  third: '',
  count: '',
}

test('every placeholder gives its value', () => {
  const pattern = '{title} {number}, {date}: {lead}; {second} | {third} ({count})'
  expect(fillPattern(pattern, all)).toBe(
    'Harbour Notes 31, 27 November 2026: The bridge is open; A school reopens | Trams again (12)',
  )
})

test.each([
  ['{lead} · {title} {number}', { lead: '' }, 'Harbour Notes 31'],
  ['{lead} · {second} · {third}', { second: '' }, 'The bridge is open · Trams again'],
  ['{lead} · {second} · {third}', { second: '', third: '' }, 'The bridge is open'],
  ['{lead} · {second} · {third}', { lead: '', second: '' }, 'Trams again'],
  ['{lead}, {second} – {third} | {title}', { second: '', third: '' }, 'The bridge is open | Harbour Notes'],
  ['{title} {number}', { number: '' }, 'Harbour Notes'],
  ['{lead} · {second}', { lead: '', second: '' }, ''],
])('%j leaves no separator behind where %j', (pattern, missing, filled) => {
  expect(fillPattern(pattern, { ...all, ...missing })).toBe(filled)
})

test.each(['-5°C on Friday', '– and then?', '· dot', '| bar', 'A, b; c – d - e |', '- - - x'])(
  'the value %j keeps what looks like a separator',
  (lead) => {
    expect(fillPattern('{lead} · {title}', { ...all, lead })).toBe(`${lead} · Harbour Notes`)
    expect(fillPattern('{second} · {lead}', { ...none, lead })).toBe(lead)
  },
)

test.each(['{title}', '{number} {title}', '$& $1 $$', '$`', '\\n', '{{title}}'])(
  'the value %j is not read again',
  (lead) => {
    expect(fillPattern('{lead}', { ...all, lead })).toBe(lead)
  },
)

test('white space and line ends, from the file or from a feed, become single blanks', () => {
  expect(fillPattern('  {lead}\n\t·  {title}\n', { ...all, lead: 'two\r\nlines\u00a0here ' })).toBe(
    'two lines here · Harbour Notes',
  )
})
