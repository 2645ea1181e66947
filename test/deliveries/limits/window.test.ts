import { expect, test } from 'vitest'
import { warmUpDay } from '../../../src/deliveries/limits/warm-up.ts'
import { type Window, windowAt } from '../../../src/deliveries/limits/window.ts'

const everyDay: Window['days'] = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']
const at = (window: Omit<Window, 'days'> & { days?: Window['days'] }, zone: string, now: string) => {
  const { isOpen, until } = windowAt({ days: everyDay, ...window }, zone, `${now}:00.000Z`)
  return `${isOpen ? 'open' : 'shut'} until ${until.slice(0, 16)}`
}
const daytime = { from: '08:00', to: '20:00' }
const night = { from: '22:00', to: '06:00' }

test.each([
  [daytime, 'Europe/London', '2026-11-27T07:59', 'shut until 2026-11-27T08:00'],
  [daytime, 'Europe/London', '2026-11-27T08:00', 'open until 2026-11-27T20:00'],
  [daytime, 'Europe/London', '2026-11-27T20:00', 'shut until 2026-11-28T08:00'],
  [daytime, 'Asia/Kathmandu', '2026-11-27T02:15', 'open until 2026-11-27T14:15'],
  [
    { ...daytime, days: ['MON', 'TUE'] as Window['days'] },
    'Europe/London',
    '2026-11-27T12:00',
    'shut until 2026-11-30T08:00',
  ],
  [{ ...daytime, days: ['FRI'] as Window['days'] }, 'Europe/London', '2026-11-27T20:30', 'shut until 2026-12-04T08:00'],
])('%o in %s at %s is %s', (window, zone, now, state) => {
  expect(at(window, zone, now)).toBe(state)
})

test('over midnight the window belongs to the day on which it opens', () => {
  expect(at(night, 'Europe/London', '2026-11-27T21:00')).toBe('shut until 2026-11-27T22:00')
  expect(at(night, 'Europe/London', '2026-11-28T05:59')).toBe('open until 2026-11-28T06:00')
  const fridays = { ...night, days: ['FRI'] as Window['days'] }
  expect(at(fridays, 'Europe/London', '2026-11-28T03:00')).toBe('open until 2026-11-28T06:00')
  expect(at(fridays, 'Europe/London', '2026-11-27T03:00')).toBe('shut until 2026-11-27T22:00')
})

test('the night of a clock change has an hour less, or one more, and the window the same hours on the wall', () => {
  expect(at(night, 'Europe/London', '2026-03-29T03:00')).toBe('open until 2026-03-29T05:00') // summer time: 06:00 comes early
  expect(at(night, 'Europe/London', '2026-10-25T03:00')).toBe('open until 2026-10-25T06:00')
  expect(at(night, 'Europe/London', '2026-10-24T21:30')).toBe('open until 2026-10-25T06:00')
  const gap = { from: '01:30', to: '05:00' } // half past one does not exist that night
  expect(at(gap, 'Europe/London', '2026-03-29T00:30')).toBe('shut until 2026-03-29T01:00')
})

test('a window in the hour that is left out in spring opens at the change, for as long as it would have been open', () => {
  const gap = { from: '01:15', to: '01:45', days: ['SUN'] as Window['days'] }
  expect(at(gap, 'Europe/London', '2026-03-29T00:30')).toBe('shut until 2026-03-29T01:00')
  expect(at(gap, 'Europe/London', '2026-03-29T01:00')).toBe('open until 2026-03-29T01:30')
  expect(at(gap, 'Europe/London', '2026-03-29T01:30')).toBe('shut until 2026-04-05T00:15')
  expect(at({ from: '00:20', to: '00:50' }, 'Africa/Cairo', '2026-04-23T21:59')).toBe('shut until 2026-04-23T22:00')
  expect(at({ from: '00:20', to: '00:50' }, 'Africa/Cairo', '2026-04-23T22:29')).toBe('open until 2026-04-23T22:30')
  expect(at({ from: '02:10', to: '02:20' }, 'Australia/Lord_Howe', '2026-10-03T15:35')).toBe(
    'open until 2026-10-03T15:40',
  )
})

test('a warm-up has a number for each of its days, before them that of the first, and after them none', () => {
  const plan = { from: '2026-11-23', days: [200, 400, 800], zone: 'Europe/London' }
  const most = (now: string) => warmUpDay(plan, now).limit
  expect(most('2026-11-22T12:00:00.000Z')).toBe(200)
  expect(most('2026-11-23T00:00:00.000Z')).toBe(200)
  expect(most('2026-11-24T23:59:00.000Z')).toBe(400)
  expect(most('2026-11-25T00:00:00.000Z')).toBe(800)
  expect(most('2026-11-26T00:00:00.000Z')).toBeNull()
})

test('the days of a warm-up begin at midnight of its zone', () => {
  const plan = { from: '2026-11-23', days: [200, 400], zone: 'Pacific/Auckland' }
  expect(warmUpDay(plan, '2026-11-23T10:59:00.000Z')).toEqual({
    date: '2026-11-23',
    limit: 200,
    ends: '2026-11-23T11:00:00.000Z',
  })
  expect(warmUpDay(plan, '2026-11-23T11:00:00.000Z').date).toBe('2026-11-24')
})
