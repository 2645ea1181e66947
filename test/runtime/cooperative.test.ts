import { afterEach, expect, test, vi } from 'vitest'
import { runCooperatively, runToEnd, type Steps } from '../../src/runtime/cooperative.ts'
import { countTurns, slowClock } from '../support/turns.ts'

afterEach(() => vi.restoreAllMocks())

function* counting(steps: number): Steps<number> {
  for (let step = 0; step < steps; step++) yield
  return steps
}

test('long work gives the event loop back whenever it has held it for ten milliseconds', async () => {
  slowClock(5)
  const { result, turns } = await countTurns(() => runCooperatively(counting(100)))
  expect(result).toBe(100)
  expect(turns).toBeGreaterThanOrEqual(33) // of three looks at the clock one is ten milliseconds after the first
})

test('short work takes one turn', async () => {
  slowClock(0)
  expect((await countTurns(() => runCooperatively(counting(1000)))).turns).toBeLessThanOrEqual(1)
  expect(runToEnd(counting(7))).toBe(7)
})

test('what a step throws reaches the caller', async () => {
  const failing = function* (): Steps<void> {
    yield
    throw new Error('no')
  }
  await expect(runCooperatively(failing())).rejects.toThrow('no')
})
