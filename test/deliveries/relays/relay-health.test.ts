import { expect, test } from 'vitest'
import { RelayHealth } from '../../../src/deliveries/relays/relay-health.ts'
import type { SendResult } from '../../../src/mail/smtp/result.ts'
import { minute, msBetween, second } from '../../../src/time/clock.ts'
import { fakeClock } from '../../support/clock.ts'

const unreached: SendResult = { kind: 'unsent', reply: 'connect ECONNREFUSED' }
const accepted: SendResult = { kind: 'accepted', reply: '250 2.0.0 taken' }

/** A relay that nobody can reach. `pause` fails until the relay is paused, waits for its end, and returns its length. */
function deadRelay(): { health: RelayHealth; pause: () => number } {
  const clock = fakeClock()
  const health = new RelayHealth(clock, 'the relay')
  const pause = () => {
    health.begin()
    while (!health.isPaused) health.recordResult(unreached, undefined)
    const ms = msBetween(clock.now(), health.pausedUntil)
    clock.advance(ms)
    return ms
  }
  return { health, pause }
}

test('each pause is twice as long as the one before, up to ten minutes', () => {
  const { pause } = deadRelay()
  const expected = [15, 30, 60, 120, 240, 480, 600, 600].map((seconds) => seconds * second)
  expect(expected.map(pause)).toEqual(expected)
  expect(pause()).toBe(10 * minute)
})

test('after an accepted message the next pause is short again', () => {
  const { health, pause } = deadRelay()
  expect([pause(), pause()]).toEqual([15 * second, 30 * second])
  health.recordResult(accepted, undefined)
  expect(pause()).toBe(15 * second)
})
