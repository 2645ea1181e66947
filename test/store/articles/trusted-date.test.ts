import { expect, test } from 'vitest'
import { trustedDate } from '../../../src/store/articles/forgotten.ts'

const seenAt = '2026-11-27T12:00:00.000Z'

test.each([
  ['2026-11-26T09:00:00.000Z', true],
  ['2026-11-28T11:00:00.000Z', true],
  ['2026-11-28T13:00:00.000Z', false],
  ['1990-01-01T00:00:00.000Z', true],
  ['1989-12-31T23:59:59.000Z', false],
  ['1970-01-01T00:00:00.000Z', false],
])('a date of %s, first seen on 27 November 2026, is trusted: %s', (publishedAt, isTrusted) => {
  expect(trustedDate({ publishedAt, seenAt })).toBe(isTrusted ? publishedAt : null)
})
