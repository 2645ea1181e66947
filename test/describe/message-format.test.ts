import { expect, test } from 'vitest'
import { formatMessage, parseMessage } from '../../src/describe/message-format.ts'

const options = { locale: 'en-GB', describe: JSON.stringify, formats: { loud: (text: string) => text.toUpperCase() } }

function format(source: string, values: Record<string, unknown>): string {
  return formatMessage(parseMessage(source), values, options)
}

test('a value stands where it is named, in its format', () => {
  const values = { name: 'Ada', count: 1234, rate: 1.25, wait: 7_200_000, bytes: 2000, reason: { code: 'x' } }
  expect(format('{name} {count} {count, number} {rate, number}', values)).toBe('Ada 1234 1,234 1.3')
  expect(format('{wait, duration} {bytes, size} {name, loud} {reason}', values)).toBe('2 h 2 KB ADA {"code":"x"}')
})

test('a plural takes the exact number first, then the category of the language, then other', () => {
  const source = '{n, plural, =0 {nothing} one {# article by {who}} other {# articles}}'
  expect([0, 1, 1200].map((n) => format(source, { n, who: 'Ada' }))).toEqual([
    'nothing',
    '1 article by Ada',
    '1,200 articles',
  ])
  expect(format('{all, plural, one {# name} other {# names}}', { all: ['a', 'b'] })).toBe('2 names')
})

test('a select takes the value, null or none, then other; without a case it is empty', () => {
  const source = '{a, select, x {is x} null {is null} none {is none} other {is {a}}}'
  expect(['x', null, [], 'y'].map((a) => format(source, { a }))).toEqual(['is x', 'is null', 'is none', 'is y'])
  expect(format('-{a, select, x {is x}}-', { a: 'y' })).toBe('--')
})

test('a list is joined, and of a long one the first three are named', () => {
  expect(format('{all, list, { and }}; {all, first}', { all: ['a', 'b', 'c', 'd'] })).toBe(
    'a and b and c and d; a, b, c, …',
  )
})

test('a value that is missing or does not fit is an error that names it', () => {
  expect(() => format('{who}', {})).toThrow('{who}')
  expect(() => format('{who}', { who: null })).toThrow('{who}')
  expect(() => format('{n, plural, other {#}}', { n: 'one' })).toThrow('{n, plural}')
  expect(() => format('{all, list, {, }}', { all: 'a' })).toThrow('{all, list}')
})

test('a message with wrong syntax is an error that quotes it', () => {
  for (const source of ['{', '{}', '{a', '{a, plural, one {x}', '{a, list}}', '}'])
    expect(() => parseMessage(source), source).toThrow(source)
})
