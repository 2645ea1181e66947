import { expect, test } from 'vitest'
import { describeReason } from '../../src/describe/describe.ts'
import { type Health, healthOf } from '../../src/feeds/health.ts'
import type { Reason } from '../../src/store/events/reason.ts'
import { toJson } from '../../src/store/json.ts'
import type { FeedRow } from '../../src/store/schema.ts'
import { addMs, day, hour } from '../../src/time/clock.ts'

const now = '2026-11-27T07:00:00.000Z'
const ago = (milliseconds: number) => addMs(now, -milliseconds)
const health = (feed: Partial<FeedRow>) => withMessage(healthOf({ ...fine, ...feed }, day, now))

test('a feed that works says how much it shows', () => {
  expect(health({})).toEqual({ state: 'ok', message: 'works; 3.5 articles a week', isTrouble: false })
  expect(health({ weekly: 2239.9 })).toMatchObject({ message: 'works; 2,240 articles a week' })
  expect(health({ weekly: 1 })).toMatchObject({ message: 'works; 1 article a week' })
  expect(health({ weekly: null })).toMatchObject({ state: 'ok', message: 'works; it never had an article' })
  expect(health({ succeededAt: null })).toMatchObject({ state: 'new', isTrouble: false })
})

test('a feed that fails is trouble when it has failed for as long as the rule says', () => {
  const failing = { error: failure('feeds.example answered 500'), failures: 4 }
  expect(health({ ...failing, failingSince: ago(day - 1) })).toMatchObject({ state: 'failing', isTrouble: false })
  expect(health({ ...failing, failingSince: ago(26 * hour) })).toEqual({
    state: 'failing',
    message: 'has failed for 26 h (4 times in a row): feeds.example answered 500',
    isTrouble: true,
  })
  expect(health({ error: failure('no'), failures: 1, failingSince: ago(hour) }).message).toContain('(once)')
})

test('a feed whose articles all came within a week is never called silent: nobody knows its habits', () => {
  const once = { firstItemAt: ago(30 * day), newestItemAt: ago(30 * day - hour), longestSilence: 17 * 60 }
  expect(health(once)).toMatchObject({ state: 'ok' })
  expect(health({ ...once, firstItemAt: ago(37 * day) })).toMatchObject({ state: 'silent' })
})

test('a feed is silent when nothing came for longer than ever before, by our last look', () => {
  const longestSilence = (7 * day) / 1000
  expect(health({ newestItemAt: ago(7 * day), longestSilence })).toMatchObject({ state: 'ok' })
  expect(health({ newestItemAt: ago(8 * day), longestSilence })).toEqual({
    state: 'silent',
    message: 'has had nothing new for 8 days; it was never silent for longer than 7 days',
    isTrouble: true,
  })
  expect(health({ newestItemAt: ago(8 * day), longestSilence, succeededAt: ago(2 * day) }).state).toBe('ok')
})

test('with less than 14 days of past nothing is known of its silences', () => {
  const quiet = { newestItemAt: ago(5 * day), longestSilence: (day / 1000) * 2 }
  expect(health({ ...quiet, firstItemAt: ago(13 * day) }).state).toBe('ok')
  expect(health({ ...quiet, firstItemAt: ago(14 * day) }).state).toBe('silent')
  expect(health({ newestItemAt: ago(99 * day), firstItemAt: ago(99 * day), longestSilence: null }).state).toBe('ok')
})

test('a feed whose articles wait for an editor is trouble at once, and says why; where it fails, that comes first', () => {
  const held = { count: 8, reason: { code: 'flood' as const, count: 8, usual: 1 } }
  const waits = (feed: Partial<FeedRow>) => withMessage(healthOf({ ...fine, ...feed }, day, now, held))
  expect(waits({})).toEqual({
    state: 'waits',
    message: 'has 8 articles that wait for an editor: 8 new articles at once, where 1 are usual',
    isTrouble: true,
  })
  expect(waits({ error: failure('no'), failures: 1, failingSince: ago(hour) }).state).toBe('failing')
})

test('a feed that is gone is trouble at once', () => {
  expect(health({ goneAt: ago(hour), error: failure('it is gone') })).toMatchObject({ state: 'gone', isTrouble: true })
})

const failure = (message: string) => toJson<Reason>({ code: 'feed-unreachable', message })

/** With what a person reads. */
function withMessage({ reason, ...health }: Health) {
  return { ...health, message: describeReason(reason) }
}

const fine: FeedRow = {
  id: 'one',
  url: 'https://feeds.example/feed',
  title: 'The Magazine',
  siteUrl: null,
  etag: null,
  lastModified: null,
  createdAt: ago(100 * day),
  fetchedAt: now,
  succeededAt: now,
  failures: 0,
  error: null,
  rejected: 0,
  address: null,
  goneAt: null,
  nextFetchAt: null,
  ttl: null,
  failingSince: null,
  firstItemAt: ago(100 * day),
  newestItemAt: ago(day),
  longestSilence: (7 * day) / 1000,
  weekly: 3.5,
  bodiesAt: null,
  newPublisherAt: null,
  newPublisher: null,
  notOursAt: null,
}
