import { expect, test } from 'vitest'
import { maximum, replay, wireMaximum } from '../support/replay.ts'

test('a quarter of a busy feed, an agency that has some of it, and 50 restarts: every article once to everybody, none lost, no archive mailed', async () => {
  const report = await replay({
    weeks: 14,
    restarts: 50,
    brokenIn: 2,
    loginIn: 4,
    moves: [3, 6],
    agencyShare: 0.3,
    flood: 8,
  })
  expect(report).toMatchObject({ twice: [], missing: [], unexplained: [], restarts: 50 })
  for (const archived of report.archived) {
    expect(archived).toBeGreaterThanOrEqual(maximum)
    expect(archived).toBeLessThanOrEqual(maximum + wireMaximum) // as many as a first edition holds
  }
  expect(report.storms).toEqual(['feed 1', 'feed 2', 'wire 2']) // both moves of the site, and the agency's flood
  expect(report.published).toBeGreaterThan(200)
  expect(report.messages).toBeGreaterThan(2 * 9)
}, 300_000)
