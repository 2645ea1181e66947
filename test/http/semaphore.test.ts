import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openSemaphore } from '../../src/http/semaphore.ts'

test('no more work at once than may, in the order in which they came, and no two begin in one turn of the event loop', async () => {
  const inTurn = openSemaphore(2, 100)
  const begun: number[] = []
  const beganInTurn: number[] = []
  let turns = 0
  let working = 0
  let most = 0
  let done = false
  const counting = (async () => {
    for (; !done; turns++) await turn()
  })()
  await Promise.all(
    Array.from({ length: 20 }, (_, number) =>
      inTurn(
        async () => number,
        async (fetched) => {
          begun.push(fetched)
          beganInTurn.push(turns)
          most = Math.max(most, ++working)
          await Promise.resolve()
          if (number % 5 === 0) await turn()
          working--
        },
      ),
    ),
  )
  done = true
  await counting
  expect(begun).toEqual(Array.from({ length: 20 }, (_, number) => number))
  expect(most).toBe(2)
  expect(new Set(beganInTurn).size).toBe(20)
})

test('who would fetch more than can be worked on waits outside, and one that fails lets the next one in', async () => {
  const inTurn = openSemaphore(1, 3)
  let fetched = 0
  let mostAhead = 0
  const tasks = Array.from({ length: 40 }, async (_, number) => {
    if (number >= 6) await turn() // the first six find nobody waiting
    return await inTurn(
      async () => {
        if (number % 4 === 3) throw new Error('no answer')
        mostAhead = Math.max(mostAhead, ++fetched)
      },
      async () => {
        await turn()
        fetched--
        return number
      },
    ).catch(() => null)
  })
  const results = await Promise.all(tasks)
  expect(results.filter((result) => result === null)).toHaveLength(10)
  expect(fetched).toBe(0)
  expect(mostAhead).toBeLessThan(10)
  expect(mostAhead).toBeGreaterThan(1)
})
