import { describe, expect, test } from 'vitest'
import { describeReason } from '../../../src/describe/describe.ts'
import type { Digest } from '../../../src/editions/digest.ts'
import { readDigest } from '../../../src/editions/jobs/read-job.ts'
import { dueRuns, missedReason, runsAfter, withoutServedRuns } from '../../../src/editions/schedule/due-runs.ts'

const weekly = readDigest('fixtures/jobs/minimal.yml', 'templates')

function digest(zone: string, schedule: string, within = '12h'): Digest {
  return { ...weekly, zone, schedule, missed: { within } }
}

const runs = (zone: string, schedule: string, after: string, count: number) =>
  runsAfter({ zone, schedule }, `${after}.000Z`, count).map((run) => run.replace(':00.000Z', ''))

/** The instants of the runs to be made, and of those missed. */
function due(of: Digest, decided: string, now: string) {
  const all = dueRuns(of, `${decided}.000Z`, `${now}.000Z`)
  const times = (some: typeof all) => some.map(({ dueAt }) => dueAt.replace(':00.000Z', ''))
  return {
    made: times(all.filter((run) => run.missed === null)),
    missed: times(all.filter((run) => run.missed !== null)),
  }
}

test('with local time a run begins with its first zone, and is late only after its own hour', () => {
  const local: Digest = { ...digest('Europe/London', '0 7 * * FRI'), localTime: true }
  const first = (dueAt: string) => new Date(Date.parse(dueAt) - 13 * 3_600_000).toISOString()
  const due = (now: string) => dueRuns(local, '2026-11-26T00:00:00.000Z', `${now}.000Z`, first)
  expect(due('2026-11-26T17:59:59')).toEqual([])
  expect(due('2026-11-26T18:00:00')).toEqual([{ dueAt: '2026-11-27T07:00:00.000Z', missed: null }])
  expect(due('2026-11-27T19:00:00')).toEqual([{ dueAt: '2026-11-27T07:00:00.000Z', missed: null }])
  expect(due('2026-11-27T19:00:01')[0]?.missed).toMatchObject({
    code: 'missed-too-late',
    lateMs: 12 * 3_600_000 + 1000,
  })
})

test('with local time a run is replaced by a newer one only if that was due as well, and not if it has only begun', () => {
  const daily: Digest = { ...digest('Europe/London', '0 7 * * *'), localTime: true }
  const first = (dueAt: string) => new Date(Date.parse(dueAt) - 13 * 3_600_000).toISOString()
  const due = (now: string) => dueRuns(daily, '2026-11-26T07:00:00.000Z', `${now}.000Z`, first)
  expect(due('2026-11-27T18:30:00')).toEqual([
    { dueAt: '2026-11-27T07:00:00.000Z', missed: null },
    { dueAt: '2026-11-28T07:00:00.000Z', missed: null },
  ])
  expect(due('2026-11-28T18:30:00')).toEqual([
    { dueAt: '2026-11-27T07:00:00.000Z', missed: { code: 'missed-too-late', lateMs: 35.5 * 3_600_000, within: '12h' } },
    { dueAt: '2026-11-28T07:00:00.000Z', missed: null },
    { dueAt: '2026-11-29T07:00:00.000Z', missed: null },
  ])
})

test('a run is served by an edition that was made by hand from its due time on and before the next', () => {
  const runs = ['2026-11-13', '2026-11-20', '2026-11-27'].map((date) => ({
    dueAt: `${date}T07:00:00.000Z`,
    missed: null,
  }))
  const left = (...times: string[]) => withoutServedRuns(runs, times).map(({ dueAt }) => dueAt.slice(8, 10))
  expect(left()).toEqual(['13', '20', '27'])
  expect(left('2026-11-20T07:00:01.000Z')).toEqual(['13', '27'])
  expect(left('2026-11-20T06:59:59.000Z')).toEqual(['20', '27'])
  expect(left('2026-12-01T07:00:00.000Z')).toEqual(['13', '20'])
  expect(left('2026-11-27T07:00:00.000Z')).toEqual(['13', '20', '27']) // its own edition, not one made by hand
})

test('runs that were missed are told of in one sentence', () => {
  const halfHourly = digest('UTC', '*/30 * * * *', '20m')
  const text = (now: string) => {
    const reason = missedReason(dueRuns(halfHourly, '2026-11-24T08:00:00.000Z', `${now}.000Z`))
    return reason && describeReason(reason)
  }
  expect(text('2026-11-24T08:30:00')).toBeUndefined()
  expect(text('2026-11-24T08:55:00')).toBe('missed by 25 min; the rule makes up for 20m')
  expect(text('2026-11-27T09:05:00')).toBe(
    '145 runs, due from 2026-11-24T08:30:00.000Z to 2026-11-27T08:30:00.000Z; the newest of them was missed by 35 min; the rule makes up for 20m',
  )
})

describe('the wall clock of the zone counts', () => {
  test.each([
    ['Europe/London', '2026-11-27T07:00', '2027-07-02T06:00'],
    ['Asia/Kathmandu', '2026-11-27T01:15', '2027-07-02T01:15'],
    ['America/Los_Angeles', '2026-11-27T15:00', '2027-07-02T14:00'],
    ['Pacific/Kiritimati', '2026-11-26T17:00', '2027-07-01T17:00'],
    ['UTC', '2026-11-27T07:00', '2027-07-02T07:00'],
  ])('Friday seven o’clock in %s is %s in winter and %s in summer of London', (zone, winter, summer) => {
    expect(runs(zone, '0 7 * * FRI', '2026-11-26T12:00:00', 1)).toEqual([winter])
    expect(runs(zone, '0 7 * * FRI', '2027-07-01T12:00:00', 1)).toEqual([summer])
  })

  test('the same Friday may be a Thursday in Greenwich', () => {
    expect(runs('Pacific/Auckland', '0 7 * * FRI', '2026-11-25T00:00:00', 1)).toEqual(['2026-11-26T18:00'])
  })
})

describe('on the night when clocks go forward', () => {
  test.each([
    ['Europe/London', '30 1 * * *', '2026-03-28T02:00:00', '2026-03-29T01:00', '2026-03-30T00:30'],
    ['Europe/Berlin', '30 2 * * *', '2026-03-28T02:00:00', '2026-03-29T01:00', '2026-03-30T00:30'],
    ['Europe/Berlin', '0 2 * * *', '2026-03-28T02:00:00', '2026-03-29T01:00', '2026-03-30T00:00'],
    ['America/New_York', '30 2 * * *', '2026-03-07T08:00:00', '2026-03-08T07:00', '2026-03-09T06:30'],
    ['Australia/Lord_Howe', '15 2 * * *', '2026-10-02T16:00:00', '2026-10-03T15:30', '2026-10-04T15:15'],
    ['Africa/Cairo', '0 0 * * *', '2026-04-23T12:00:00', '2026-04-23T22:00', '2026-04-24T21:00'],
  ])(
    '%s %s, which is left out, runs at the change, once, and the next day at its time',
    (zone, schedule, after, first, second) => {
      expect(runs(zone, schedule, after, 2)).toEqual([first, second])
    },
  )

  test('a weekly edition at the missing time is not lost until next week', () => {
    expect(runs('Europe/London', '30 1 * * SUN', '2026-03-27T00:00:00', 2)).toEqual([
      '2026-03-29T01:00',
      '2026-04-05T00:30',
    ])
  })

  test.each([
    ['Europe/London', '0,20,40 1 * * *', ['2026-03-29T01:00', '2026-03-30T00:00']],
    ['Europe/London', '30 1,5 * * *', ['2026-03-29T01:00', '2026-03-29T04:30', '2026-03-30T00:30']],
    ['Europe/London', '15,45 0-1 * * *', ['2026-03-29T00:15', '2026-03-29T00:45', '2026-03-29T01:00']],
    ['Australia/Lord_Howe', '0,15,45 2 * * *', ['2026-10-03T15:30', '2026-10-03T15:45', '2026-10-04T15:00']],
  ])(
    'in %s the missing times of the list %s are one run at the change, and the others keep their times',
    (zone, list, times) => {
      const after = zone === 'Europe/London' ? '2026-03-28T12:00:00' : '2026-10-03T00:00:00'
      expect(runs(zone, list, after, times.length)).toEqual(times)
    },
  )

  test('the run at the change is made, whenever the tick comes', () => {
    const of = digest('Europe/London', '30 1 * * SUN')
    expect(due(of, '2026-03-28T00:00:00', '2026-03-29T00:59:59').made).toEqual([])
    expect(due(of, '2026-03-28T00:00:00', '2026-03-29T01:00:00').made).toEqual(['2026-03-29T01:00'])
    expect(due(of, '2026-03-29T01:00:00', '2026-03-29T01:30:00')).toEqual({ made: [], missed: [] })
  })
})

describe('on the night when clocks go back', () => {
  test.each([
    ['Europe/London', '30 1 * * *', '2026-10-24T02:00:00', '2026-10-25T00:30', '2026-10-26T01:30'],
    ['Europe/Berlin', '30 2 * * *', '2026-10-24T02:00:00', '2026-10-25T00:30', '2026-10-26T01:30'],
    ['America/New_York', '30 1 * * *', '2026-10-31T08:00:00', '2026-11-01T05:30', '2026-11-02T06:30'],
    ['Australia/Lord_Howe', '45 1 * * *', '2026-04-03T15:00:00', '2026-04-04T14:45', '2026-04-05T15:15'],
  ])('%s %s, which comes twice, runs the first time only', (zone, schedule, after, first, second) => {
    expect(runs(zone, schedule, after, 2)).toEqual([first, second])
  })

  test('a tick, a restart or a second scheduler between the two gives no second run', () => {
    const of = digest('Europe/London', '30 1 * * SUN')
    const first = '2026-10-25T00:30:00'
    expect(due(of, '2026-10-24T00:00:00', first).made).toEqual(['2026-10-25T00:30'])
    for (const decided of [first, '2026-10-25T00:45:00', '2026-10-25T01:00:00', '2026-10-25T01:29:59'])
      for (const now of ['2026-10-25T01:30:00', '2026-10-25T03:00:00'])
        expect(due(of, decided, now)).toEqual({ made: [], missed: [] })
  })

  test.each([
    ['0,30 1 * * *', ['2026-10-25T00:00', '2026-10-25T00:30', '2026-10-26T01:00']],
    ['30 1,5 * * *', ['2026-10-25T00:30', '2026-10-25T05:30', '2026-10-26T01:30']],
  ])('the list %s in London runs each of its times once', (list, times) => {
    expect(runs('Europe/London', list, '2026-10-24T12:00:00', 3)).toEqual(times)
  })

  test('every hour is every hour', () => {
    expect(runs('Europe/London', '30 * * * *', '2026-10-24T23:00:00', 3)).toEqual([
      '2026-10-24T23:30',
      '2026-10-25T00:30',
      '2026-10-25T01:30',
    ])
  })
})

describe('what is due', () => {
  const friday = digest('Europe/London', '0 7 * * FRI')

  test('is nothing before its time and one run at it, to the millisecond', () => {
    expect(dueRuns(friday, '2026-11-26T00:00:00.000Z', '2026-11-27T06:59:59.999Z')).toEqual([])
    expect(dueRuns(friday, '2026-11-26T00:00:00.000Z', '2026-11-27T07:00:00.000Z')).toEqual([
      { dueAt: '2026-11-27T07:00:00.000Z', missed: null },
    ])
  })

  test('is nothing once it is decided', () => {
    expect(dueRuns(friday, '2026-11-27T07:00:00.000Z', '2026-11-27T07:00:59.000Z')).toEqual([])
  })

  test('is made up for as long as the rule says, and not a millisecond longer', () => {
    expect(dueRuns(friday, '2026-11-26T00:00:00.000Z', '2026-11-27T19:00:00.000Z')[0]?.missed).toBeNull()
    const [late] = dueRuns(friday, '2026-11-26T00:00:00.000Z', '2026-11-27T19:00:00.001Z')
    expect(late).toEqual({
      dueAt: '2026-11-27T07:00:00.000Z',
      missed: expect.objectContaining({ code: 'missed-too-late', within: '12h' }),
    })
  })

  test('with a rule of nothing is made only at once', () => {
    const strict = digest('Europe/London', '0 7 * * FRI', '0m')
    expect(due(strict, '2026-11-26T00:00:00', '2026-11-27T07:00:00').made).toHaveLength(1)
    expect(due(strict, '2026-11-26T00:00:00', '2026-11-27T07:00:01').made).toHaveLength(0)
  })

  test('of several missed is only the newest, and the others say which came after them', () => {
    const daily = digest('UTC', '0 7 * * *', '3d')
    const all = dueRuns(daily, '2026-11-24T08:00:00.000Z', '2026-11-27T09:00:00.000Z')
    expect(all).toEqual([
      { dueAt: '2026-11-25T07:00:00.000Z', missed: { code: 'missed-for-newer', newest: '2026-11-27T07:00:00.000Z' } },
      { dueAt: '2026-11-26T07:00:00.000Z', missed: { code: 'missed-for-newer', newest: '2026-11-27T07:00:00.000Z' } },
      { dueAt: '2026-11-27T07:00:00.000Z', missed: null },
    ])
  })

  test('is nothing when the clock goes backwards', () => {
    expect(dueRuns(friday, '2026-11-27T07:00:00.000Z', '2026-11-20T07:00:00.000Z')).toEqual([])
    expect(dueRuns(friday, '2026-11-27T07:00:00.000Z', '2020-01-01T00:00:00.000Z')).toEqual([])
  })

  test('after a year of silence is one letter at most, and each missed Friday is accounted for', () => {
    const year = due(friday, '2025-11-27T00:00:00', '2026-11-27T07:05:00')
    expect(year.made).toEqual(['2026-11-27T07:00'])
    expect(year.missed).toHaveLength(52)
    expect(due(friday, '2025-11-27T00:00:00', '2026-11-29T07:05:00')).toMatchObject({ made: [] })
  })

  test('after a long silence of a busy timetable comes in pieces that miss nothing and make one letter in all', () => {
    const hourly = digest('Europe/London', '0 * * * *', '400d')
    const now = '2026-11-27T07:05:00.000Z'
    const begin = '2026-08-27T07:00:00.000Z'
    let decided = begin
    const all = []
    for (let piece = dueRuns(hourly, decided, now); piece.length > 0; piece = dueRuns(hourly, decided, now)) {
      all.push(...piece)
      decided = piece.at(-1)?.dueAt ?? now
    }
    expect(all).toHaveLength((Date.parse('2026-11-27T07:00:00.000Z') - Date.parse(begin)) / 3_600_000)
    expect(new Set(all.map((run) => run.dueAt)).size).toBe(all.length)
    expect(all.filter((run) => run.missed === null).map((run) => run.dueAt)).toEqual(['2026-11-27T07:00:00.000Z'])
  })

  test('of a day that comes every four years is found', () => {
    expect(runs('UTC', '0 7 29 2 *', '2026-11-27T00:00:00', 2)).toEqual(['2028-02-29T07:00', '2032-02-29T07:00'])
  })
})

test('a timetable ends where it is told to', () => {
  const friday = { zone: 'UTC', schedule: '0 7 * * FRI' }
  expect(runsAfter(friday, '2026-11-27T07:00:00.000Z', 3)).toHaveLength(3)
  expect(runsAfter(friday, '2026-11-27T07:00:00.000Z', 3, '2026-12-04T07:00:00.000Z')).toEqual([
    '2026-12-04T07:00:00.000Z',
  ])
  expect(runsAfter(friday, '2026-11-27T07:00:00.000Z', 3, '2026-12-04T06:59:59.999Z')).toEqual([])
})
