import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { causeOf, replyMeaning } from '../../../src/mail/reply-rules/answers.ts'
import { type Cause, causes } from '../../../src/mail/reply-rules/cause.ts'
import { replyRules } from '../../../src/mail/reply-rules/reply-rules.ts'
import { oneLine } from '../../../src/mail/reply-rules/reply-text.ts'
import { toResult, type Verb } from '../../../src/mail/smtp/result.ts'

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
  expect(replyMeaning(oneLine(text)).about).toBe('us')
  expect(toResult(verb, { code, text }).kind).toBe('rejected')
})

test('every cause and every rule has a case', () => {
  const texts = [...cases(folder), ...cases(join(folder, 'not'))].map(([, file]) => oneLine(caseOf(file).text))
  const met = new Set<Cause>(texts.map(causeOf))
  expect([...met].sort()).toEqual(Object.keys(causes).sort())
  const bare = texts.map((text) => text.replace(/[^\s<>():;]+@[^\s<>():;]+/g, '@'))
  const deciding = new Set(bare.map((text) => replyRules.find(({ match }) => match.test(text))))
  expect(replyRules.filter((rule) => !deciding.has(rule)).map(({ match }) => match)).toEqual([])
})

const aboutUs = [
  'blocked',
  'on our block list',
  'blacklisted',
  'poor reputation',
  'banned',
  'listed at dnsbl.example',
  'spam',
  'unsolicited bulk mail',
  'a virus',
  'phishing',
  'limit exceeded',
  'sending limit',
  'over the limit of 100',
  'rate limited',
  'throttled',
  'too many messages',
  'too many recipients this hour',
  'sending quota exceeded',
  'denied by policy',
  'SPF failed',
  'sender address rejected',
  'service refused',
]
const aboutRoom = ['over quota', 'quota', 'mailbox full', 'the mailbox exceeds its size', 'storage limit reached']

test.each([...aboutUs, ...aboutRoom])('"%s" suppresses nobody at once, whatever code stands beside it', (words) => {
  for (const code of ['550', '550 5.1.1', '551 5.1.6', '554 5.1.10', '550 5.0.0'])
    for (const reply of [
      `${code} ${words}`,
      `${code} <ann@example.org>: ${words}`,
      `${code} refused: ${words} (#5.1.1)`,
    ]) {
      expect([reply, replyMeaning(reply).suppresses]).not.toEqual([reply, 'at once'])
      if (aboutUs.includes(words)) expect([reply, replyMeaning(reply).about]).toEqual([reply, 'us'])
      else expect([reply, causeOf(reply)]).toEqual([reply, 'mailbox-full'])
    }
})

test('a refused sender is answered by two settings, and whatever no setting answers has no advice', () => {
  const { advice } = replyMeaning(
    '553 5.7.1 <bounces@magazine.example>: Sender address rejected: not owned by user ann',
  )
  for (const setting of ['relay.personalReturnPath: false', 'relay.returnPath']) expect(advice).toContain(setting)
  expect(replyMeaning('550 5.1.1 User unknown').advice).toBeUndefined()
  expect(replyMeaning('250 2.0.0 Ok').advice).toBeUndefined()
})

test('whatever is said to MAIL FROM is about us, and what was put off is no judgement', () => {
  expect(toResult('MAIL', { code: 550, text: '550 5.1.1 no such user' }).kind).toBe('rejected')
  expect(causeOf('450 4.2.1 the mailbox is inactive and has been disabled')).toBe('unclear')
  expect(causeOf('given up after 6 tries; the last answer: 550 5.1.1 no such user')).toBe('unclear')
  expect(causeOf('the relay does not take zoë@example.org: it offers no SMTPUTF8')).toBe('unclear')
})

test('an answer of any length is judged at once', () => {
  const words = [
    'over ',
    'sender ',
    'IP ',
    'account ',
    'a header ',
    'no ',
    'not ',
    'exceeds ',
    '发件人',
    'your domain ',
  ]
  for (const text of words.map((word) => `550 ${word.repeat(1000)}`))
    expect(causeOf(oneLine(text))).toBeTypeOf('string')
  for (const text of ['550 mailbox '.repeat(80), `550 user ${'a'.repeat(990)}`, `550 ${'sending '.repeat(120)}`])
    expect(causeOf(oneLine(text))).toBeTypeOf('string')
})
