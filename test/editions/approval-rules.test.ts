import { expect, test } from 'vitest'
import type { LaunchProblem } from '../../src/config/launch-check.ts'
import { describeSentence } from '../../src/describe/describe.ts'
import { approvalObstacles, resolvedProblems } from '../../src/editions/review/approval-rules.ts'
import { periodMsAt } from '../../src/editions/schedule/due-runs.ts'

const fine = { articles: 3, subject: 'Trams', bytes: 90_000, newer: undefined, settings: [], sealed: [] }
const url: LaunchProblem = {
  fault: 'private-address',
  setting: 'web.url',
  value: 'http://box',
  file: 'config',
  path: [],
}

test('an edition with an article, a subject and good settings meets no obstacle', () => {
  expect(approvalObstacles(fine)).toEqual([])
})

test('each obstacle is found, and has a sentence', () => {
  const bytes = 1024 * 1024 + 1
  const lacks = { articles: 0, subject: ' ', bytes, newer: { number: 4 } }
  const all = approvalObstacles({ ...lacks, settings: [url], sealed: [url] })
  const codes = ['setting', 'sealed', 'no-articles', 'empty-subject', 'too-large', 'newer-sent']
  expect(all.map(({ code }) => code)).toEqual(codes)
  for (const obstacle of all) expect(describeSentence(obstacle)).toMatch(/^[A-Za-z][\w.]* .+\.$/)
  expect(describeSentence({ code: 'newer-sent', number: null })).toBe('A newer edition was sent already.')
})

const head = (webUrl: string, replyTo = 'desk@harbour.net') =>
  JSON.stringify({ webUrl, publication: { site: 'https://harbour.net' }, replyTo, from: { address: 'w@harbour.net' } })
const config = {
  publication: { site: 'https://harbour.net', contact: 'desk@harbour.net', address: '1 Quay Street' },
  web: { url: 'https://news.harbour.net' },
} as Parameters<typeof resolvedProblems>[0]
const digest = { from: { name: 'W', address: 'w@harbour.net' } }

test('sealed bytes have to be sealed again only where today’s settings would make them better', () => {
  const mended = (sealed: { head: string; text: string }, change: object = {}, of: object = {}) =>
    resolvedProblems({ ...config, ...change }, { ...digest, ...of }, sealed).map(({ setting }) => setting)
  expect(mended({ head: head('http://box:3000'), text: '' })).toEqual(['web.url'])
  expect(mended({ head: head('http://box:3000'), text: '' }, { web: { url: 'http://localhost' } })).toEqual([])
  expect(mended({ head: head('https://old.harbour.net'), text: '' })).toEqual([])
  const text = 'You get this …\nExample Publishing Ltd, 1 Market Street, Manchester M1 1AA\n'
  expect(mended({ head: head('https://news.harbour.net'), text })).toEqual(['publication.address'])
  const replyTo = 'a@example.org'
  expect(mended({ head: head('https://news.harbour.net', replyTo), text: '' }, {}, { replyTo })).toEqual([])
  expect(mended({ head: head('https://news.harbour.net', replyTo), text: '' })).toEqual(['publication.contact'])
})

test('the time between two editions is that to the next run, or between the next two', () => {
  const weekly = { schedule: '0 7 * * FRI', zone: 'UTC' }
  const days = (schedule: typeof weekly, at: string) => periodMsAt(schedule, at) / 86_400_000
  expect(days(weekly, '2026-11-27T07:00:00.000Z')).toBe(7)
  expect(days(weekly, '2026-11-25T12:34:56.000Z')).toBe(7)
  expect(days({ schedule: '0 7 * * MON,THU', zone: 'UTC' }, '2026-11-26T07:00:00.000Z')).toBe(4)
})
