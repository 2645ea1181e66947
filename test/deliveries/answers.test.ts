import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { answerRules, type Cause, causeOf, causes } from '../../src/deliveries/answers.ts'
import { oneLine, toResult, type Verb } from '../../src/deliveries/delivery.ts'

const folder = 'fixtures/answers'

/** The last command, and what the server answered to it. */
function caseOf(file: string) {
  const [command = '', ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n')
  const verb: Verb = command.startsWith('MAIL') ? 'MAIL' : command.startsWith('RCPT') ? 'RCPT' : 'dot'
  const text = lines.join('\n')
  return { verb, text, code: Number(text.slice(0, 3)) }
}

const cases = (under: string) =>
  readdirSync(under)
    .filter((file) => file.endsWith('.txt'))
    .map((file) => [file.replace('.txt', ''), join(under, file)] as const)

describe.each([folder, join(folder, 'not')])('what the servers answer in %s', (under) => {
  test.each(cases(under))('%s', (_, file) => {
    const { verb, text, code } = caseOf(file)
    const { kind } = toResult(verb, { code, text })
    const cause = causeOf(oneLine(text))
    const { suppresses } = causes[cause]
    expect({ kind, cause, suppresses }).toEqual(
      JSON.parse(readFileSync(file.replace('.txt', '.expected.json'), 'utf8')),
    )
  })
})

test.each(cases(join(folder, 'not')))('%s never suppresses the person', (_, file) => {
  const { verb, text, code } = caseOf(file)
  expect(causes[causeOf(oneLine(text))].about).toBe('us')
  expect(toResult(verb, { code, text }).kind).toBe('rejected')
})

test('every cause and every rule has a case', () => {
  const texts = [...cases(folder), ...cases(join(folder, 'not'))].map(([, file]) => oneLine(caseOf(file).text))
  const met = new Set<Cause>(texts.map(causeOf))
  expect([...met].sort()).toEqual(Object.keys(causes).sort())
  const bare = texts.map((text) => text.replace(/[^\s<>():;]+@[^\s<>():;]+/g, '@'))
  const deciding = new Set(bare.map((text) => answerRules.find(({ match }) => match.test(text))))
  expect(answerRules.filter((rule) => !deciding.has(rule)).map(({ match }) => match)).toEqual([])
})

test('whatever is said to MAIL FROM is about us, and what was put off is no judgement', () => {
  expect(toResult('MAIL', { code: 550, text: '550 5.1.1 no such user' }).kind).toBe('rejected')
  expect(causeOf('450 4.2.1 the mailbox is inactive and has been disabled')).toBe('unclear')
  expect(causeOf('given up after 6 tries; the last answer: 550 5.1.1 no such user')).toBe('unclear')
  expect(causeOf('the relay does not take zoë@example.org: it offers no SMTPUTF8')).toBe('unclear')
})

test('an answer of any length is judged at once', () => {
  for (const text of ['550 mailbox '.repeat(80), `550 user ${'a'.repeat(990)}`, `550 ${'sending '.repeat(120)}`])
    expect(causeOf(oneLine(text))).toBeTypeOf('string')
})
