import { expect, test } from 'vitest'
import { ProviderRate } from '../../../src/deliveries/limits/provider-rate.ts'
import { addMs, hour, second } from '../../../src/time/clock.ts'
import { fakeClock } from '../../support/clock.ts'

const busy = { kind: 'cut', reply: '421 busy' } as const

test('a provider that complains gets nothing more at once, and then one message at a time, with the reason', () => {
  const clock = fakeClock()
  const changed = new Set<ProviderRate>()
  const rate = new ProviderRate('slow.example', '', clock, (one) => void changed.add(one))
  expect(rate.reserve()).toBe('ok')
  clock.advance(hour) // an hour without a limit leaves no tokens behind
  const ticket = rate.begin(1)
  expect(rate.recordResult(ticket, busy, clock.now())).toBe(true)
  expect([...changed]).toEqual([rate]) // one message in a second was half too many: one in two seconds
  const why = { code: 'slow-down-reply', reply: '421 busy' }
  const slow = { code: 'provider-slow', provider: 'slow.example', reason: why }
  const wait = { until: addMs(clock.now(), 2 * second), reason: slow }
  expect(rate.reserve()).toEqual(wait)
  clock.set(wait.until)
  expect(rate.reserve()).toBe('ok')
  expect(rate.reserve()).not.toBe('ok')
})

test('a slow provider whose limit has doubled often enough has none', () => {
  const clock = fakeClock()
  const changed: boolean[] = []
  const rate = new ProviderRate('slow.example', '', clock, ({ isUnlimited }) => void changed.push(isUnlimited))
  rate.recordResult(rate.begin(1), busy, clock.now())
  clock.advance(24 * 7 * hour)
  expect([rate.reserve(), rate.reserve(), rate.isUnlimited]).toEqual(['ok', 'ok', true])
  expect(changed).toEqual([false, true])
  expect(rate.row).toBeUndefined()
})
