import { expect, test } from 'vitest'
import { Availability } from '../../../src/store/drivers/availability.ts'
import { StoreError, type StoreFailureKind } from '../../../src/store/drivers/failure.ts'
import { minute, second } from '../../../src/time/clock.ts'
import { fakeClock } from '../../support/clock.ts'

const failure = (kind: StoreFailureKind) => new StoreError(kind, { file: 'x.db' }, new Error('no'))

test('a disk is full since it first was, though a small write succeeds now and then', () => {
  const clock = fakeClock()
  const availability = new Availability(clock)
  const since = clock.now()
  availability.recordFailure(failure('full'))
  for (let time = 0; time < 5; time++) {
    clock.advance(2 * second)
    availability.recordSuccess('write')
    expect(availability.outage).toBeUndefined()
    availability.recordFailure(failure('full'))
    expect(availability.outage?.since).toBe(since)
  }
  availability.recordSuccess('write')
  clock.advance(minute)
  availability.recordFailure(failure('full'))
  expect(availability.outage?.since).toBe(clock.now())
})

test('a server that comes back and goes again is away since the second time', () => {
  const clock = fakeClock()
  const availability = new Availability(clock)
  availability.recordFailure(failure('unreachable'))
  clock.advance(second)
  availability.recordSuccess('read')
  availability.recordFailure(failure('unreachable'))
  expect(availability.outage?.since).toBe(clock.now())
})
