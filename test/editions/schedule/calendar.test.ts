import { describe, expect, test } from 'vitest'
import type { Digest } from '../../../src/editions/digest.ts'
import { readDigest } from '../../../src/editions/jobs/read-job.ts'
import { schedule as scheduleSchema } from '../../../src/editions/jobs/schedule-schema.ts'
import { runsWithGaps } from '../../../src/editions/schedule/calendar-runs.ts'
import { dueRuns, runsAfter } from '../../../src/editions/schedule/due-runs.ts'

const weekly = readDigest('fixtures/jobs/minimal.yml', 'templates')
const textOf = (calendar: unknown) => scheduleSchema.parse(calendar)
const short = (instant: string) => instant.replace(':00.000Z', '')

function runs(calendar: unknown, zone: string, after: string, count: number) {
  return runsAfter({ schedule: textOf(calendar), zone }, `${after}.000Z`, count).map(short)
}

describe('every number of weeks or months', () => {
  test('counts the weeks from the date of the first run, wherever one begins to look', () => {
    const fortnightly = { every: '2 weeks', from: '2026-01-09', at: '07:00' }
    const all = runs(fortnightly, 'Europe/London', '2025-06-01T00:00:00', 60)
    expect(all.slice(0, 3)).toEqual(['2026-01-09T07:00', '2026-01-23T07:00', '2026-02-06T07:00'])
    for (const [index, run] of all.slice(0, -1).entries())
      expect(runs(fortnightly, 'Europe/London', `${run}:00`, 1)).toEqual([all[index + 1]])
  })

  test('the time is that of the zone on both sides of a clock change, at it and after it', () => {
    const at = (from: string, time: string) =>
      runs({ every: '1 week', from, at: time }, 'Europe/London', '2026-01-01T00:00:00', 2)
    expect(at('2026-03-22', '01:30')).toEqual(['2026-03-22T01:30', '2026-03-29T01:00'])
    expect(at('2026-03-29', '07:00')).toEqual(['2026-03-29T06:00', '2026-04-05T06:00'])
    expect(at('2026-10-18', '01:30')).toEqual(['2026-10-18T00:30', '2026-10-25T00:30'])
  })

  test('a month without the day has its last day, and later months the day again', () => {
    const monthly = { every: '1 month', from: '2027-12-31', at: '07:00' }
    const days = runs(monthly, 'UTC', '2027-12-31T07:00:00', 4)
    expect(days.map((run) => run.slice(0, 10))).toEqual(['2028-01-31', '2028-02-29', '2028-03-31', '2028-04-30'])
    const leap = runs({ every: '12 months', from: '2028-02-29', at: '07:00' }, 'UTC', '2028-01-01T00:00:00', 5)
    expect(leap.map((run) => run.slice(0, 10))).toEqual([
      '2028-02-29',
      '2029-02-28',
      '2030-02-28',
      '2031-02-28',
      '2032-02-29',
    ])
  })
})

describe('skipped dates', () => {
  const gaps = (calendar: unknown, after: string, count: number) =>
    runsWithGaps({ schedule: textOf(calendar), zone: 'Europe/London' }, `${after}.000Z`, count).map(
      ({ dueAt, shift, skipped }) => [dueAt.slice(0, 10), (skipped?.reason ?? shift)?.code ?? ''],
    )

  test('are no runs, with the day of the zone and both ends of a range', () => {
    const daily = { cron: '30 0 * * *', skip: ['2026-06-10', { from: '2026-06-12', to: '2026-06-13' }] }
    expect(runs(daily, 'Europe/London', '2026-06-08T12:00:00', 3)).toEqual([
      '2026-06-08T23:30',
      '2026-06-10T23:30',
      '2026-06-13T23:30',
    ])
  })

  test.each(['before', 'after'])('a run is shifted to the nearest free day %s', (shift) => {
    const skip = [{ from: '2026-05-23', to: '2026-05-25', name: 'Spring holiday' }]
    const expected = shift === 'before' ? '2026-05-22' : '2026-05-26'
    expect(gaps({ cron: '0 7 * * MON', skip, shift }, '2026-05-18T12:00:00', 2)).toEqual([
      [expected, 'run-shifted'],
      ['2026-06-01', ''],
    ])
  })

  test('a run is not shifted to or past another one, which has its articles', () => {
    const skip = ['2026-12-24', '2026-12-25']
    expect(gaps({ cron: '0 7 * * THU,FRI', skip, shift: 'after' }, '2026-12-20T12:00:00', 2)).toEqual([
      ['2026-12-24', 'run-not-shifted'],
      ['2026-12-26', 'run-shifted'],
      ['2026-12-31', ''],
    ])
    expect(gaps({ cron: '0 7 * * *', skip, shift: 'before' }, '2026-12-22T12:00:00', 2)).toEqual([
      ['2026-12-23', ''],
      ['2026-12-24', 'run-not-shifted'],
      ['2026-12-25', 'run-not-shifted'],
      ['2026-12-26', ''],
    ])
    const towards = [
      { on: '2026-12-24', shift: 'after' },
      { on: '2026-12-26', shift: 'before' },
    ]
    expect(gaps({ cron: '0 7 24,26 12 *', skip: towards }, '2026-12-20T12:00:00', 1)).toEqual([
      ['2026-12-25', 'run-shifted'],
    ])
  })

  test('a shift keeps the local time over a clock change', () => {
    const moved = { cron: '0 7 * * SUN', skip: ['2026-03-29'], shift: 'before' }
    expect(runs(moved, 'Europe/London', '2026-03-27T00:00:00', 1)).toEqual(['2026-03-28T07:00'])
  })

  test('a pause ends with the first run of its date', () => {
    const paused = { cron: '0 7 * * *', pauseUntil: '2027-03-01' }
    expect(runs(paused, 'UTC', '2026-12-01T00:00:00', 1)).toEqual(['2027-03-01T07:00'])
    expect(gaps(paused, '2026-12-01T00:00:00', 1)).toEqual([
      ['2026-12-01', 'run-paused'],
      ['2027-03-01', ''],
    ])
  })
})

describe('a calendar that is changed', () => {
  const zone = 'UTC'
  const shifted = (shift: string) =>
    textOf({ cron: '0 7 * * MON', skip: [{ on: '2026-05-25', name: 'Holiday', shift }] })
  const plain = '0 7 * * MON'

  /** The runs that are made over two weeks, looked for every hour, where the calendar changes at an instant. */
  function made(before: string, after: string, at: string): string[] {
    const changes = [
      { schedule: before, zone, at: '2026-05-18T08:00:00.000Z' },
      { schedule: after, zone, at: `${at}:00.000Z` },
    ]
    const days: string[] = []
    let decided = '2026-05-18T08:00:00.000Z'
    for (let now = Date.parse(decided); now < Date.parse('2026-06-02T00:00:00Z'); now += 3_600_000) {
      const instant = new Date(now).toISOString()
      const known = changes.filter((change) => change.at <= instant)
      const digest: Digest = { ...weekly, zone, schedule: known.at(-1)?.schedule ?? '' }
      for (const run of dueRuns(digest, decided, instant, undefined, known)) {
        if (run.missed === null && !run.skipped) days.push(run.dueAt.slice(5, 10))
        decided = run.dueAt
      }
    }
    return days
  }

  test.each([
    ['a shift after is added before the run', plain, 'after', '2026-05-24T10:00', ['05-26', '06-01']],
    ['a shift after is added after the run', plain, 'after', '2026-05-25T10:00', ['05-25', '06-01']],
    ['a shift before is added in time', plain, 'before', '2026-05-20T10:00', ['05-24', '06-01']],
    ['a shift before is added too late', plain, 'before', '2026-05-24T10:00', ['05-24', '06-01']],
    ['a shift before is added after the run', plain, 'before', '2026-05-25T10:00', ['05-25', '06-01']],
  ])('makes each run once where %s', (_, before, shift, at, days) => {
    expect(made(before, shifted(shift), at)).toEqual(days)
  })

  test.each([
    ['after, on the skipped day', 'after', '2026-05-25T10:00', ['05-26', '06-01']],
    ['after, when it was made', 'after', '2026-05-26T10:00', ['05-26', '06-01']],
    ['before, when it was made', 'before', '2026-05-24T10:00', ['05-24', '06-01']],
    ['before, in time', 'before', '2026-05-20T10:00', ['05-25', '06-01']],
  ])('makes each run once where a shift is removed: %s', (_, shift, at, days) => {
    expect(made(shifted(shift), plain, at)).toEqual(days)
  })
})
