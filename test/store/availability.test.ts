import { expect, test } from 'vitest'
import { minute, second } from '../../src/clock.ts'
import { Availability } from '../../src/store/availability.ts'
import { StoreError, type StoreFailureKind } from '../../src/store/failure.ts'
import { fakeClock } from '../support/clock.ts'

const failure = (kind: StoreFailureKind) => new StoreError(kind, { file: 'x.db' }, new Error('no'))

test('a disk is full since it first was, though a small write succeeds now and then', () => {
  const clock = fakeClock()
  const availability = new Availability(clock)
  const since = clock.now()
  availability.failed(failure('full'))
  for (let time = 0; time < 5; time++) {
    clock.advance(2 * second)
    availability.succeeded('write')
    expect(availability.outage).toBeUndefined()
    availability.failed(failure('full'))
    expect(availability.outage?.since).toBe(since)
  }
  availability.succeeded('write')
  clock.advance(minute)
  availability.failed(failure('full'))
  expect(availability.outage?.since).toBe(clock.now())
})

test('a server that comes back and goes again is away since the second time', () => {
  const clock = fakeClock()
  const availability = new Availability(clock)
  availability.failed(failure('unreachable'))
  clock.advance(second)
  availability.succeeded('read')
  availability.failed(failure('unreachable'))
  expect(availability.outage?.since).toBe(clock.now())
})
