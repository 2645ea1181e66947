import { describe, expect, test } from 'vitest'
import { instantAt, isTimeZone, wallTimeAt, wallTimeText } from '../../src/time/zone.ts'

describe('the instant at which clocks show a time', () => {
  test.each([
    ['Europe/London', '2026-11-27', '07:00', '2026-11-27T07:00:00.000Z'],
    ['Europe/London', '2026-07-03', '07:00', '2026-07-03T06:00:00.000Z'],
    ['Asia/Kathmandu', '2026-11-27', '07:00', '2026-11-27T01:15:00.000Z'],
    ['Asia/Kolkata', '2026-11-27', '07:00', '2026-11-27T01:30:00.000Z'],
    ['Pacific/Kiritimati', '2026-11-27', '07:00', '2026-11-26T17:00:00.000Z'],
    ['Pacific/Pago_Pago', '2026-11-27', '07:00', '2026-11-27T18:00:00.000Z'],
    ['America/New_York', '2026-11-27', '00:00', '2026-11-27T05:00:00.000Z'],
  ])('in %s on %s at %s is %s', (zone, date, time, instant) => {
    expect(instantAt(zone, date, time)).toBe(instant)
    expect(wallTimeAt(zone, instant)).toMatchObject({ date, time })
  })

  test.each([
    ['Europe/London', '2026-03-29', '01:30', '2026-03-29T01:00:00.000Z'],
    ['Australia/Lord_Howe', '2026-10-04', '02:15', '2026-10-03T15:30:00.000Z'],
    ['Pacific/Apia', '2011-12-30', '10:00', '2011-12-30T10:00:00.000Z'], // that Friday was left out
  ])('in %s on %s at %s, which is left out, is the change', (zone, date, time, instant) => {
    expect(instantAt(zone, date, time)).toBe(instant)
  })

  test('that comes twice is the first', () => {
    expect(instantAt('Europe/London', '2026-10-25', '01:30')).toBe('2026-10-25T00:30:00.000Z')
    expect(instantAt('America/New_York', '2026-11-01', '01:30')).toBe('2026-11-01T05:30:00.000Z')
  })
})

test.each(['Europe/London', 'America/Argentina/Ushuaia', 'UTC', 'Asia/Kathmandu'])('%s is a zone', (name) => {
  expect(isTimeZone(name)).toBe(true)
})

test.each(['', 'GMT+1', '+01:00', 'Mars/Olympus', 'London', 'CET', '../etc/passwd'])('%j is no zone', (name) => {
  expect(isTimeZone(name)).toBe(false)
})

test('an instant is written as people of the zone say it', () => {
  expect(wallTimeText('Asia/Kathmandu', '2026-11-27T07:00:00.000Z')).toBe(
    'Friday 27 November 2026 at 12:45 in Asia/Kathmandu',
  )
})
