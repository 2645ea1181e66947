import { expect, test } from 'vitest'
import { forEachPerHost } from '../../src/http/per-host.ts'

type Item = { lane: string; number: number }

async function runAll(items: Iterable<Item>, { atOnce, perLane }: { atOnce: number; perLane: number }) {
  const done: number[] = []
  const busy = new Map<string, number>()
  let running = 0
  const seen = { most: 0, mostInLane: 0, read: 0, mostAhead: 0 }
  const source = function* () {
    for (const item of items) {
      seen.read++
      seen.mostAhead = Math.max(seen.mostAhead, seen.read - done.length)
      yield item
    }
  }
  await forEachPerHost(
    source(),
    { maxParallel: atOnce, maxPerHost: perLane, hostFor: (item: Item) => item.lane },
    async ({ lane, number }) => {
      busy.set(lane, (busy.get(lane) ?? 0) + 1)
      running++
      seen.most = Math.max(seen.most, running)
      seen.mostInLane = Math.max(seen.mostInLane, busy.get(lane) ?? 0)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      busy.set(lane, (busy.get(lane) ?? 0) - 1)
      done.push(number)
    },
  )
  return { ...seen, done: done.toSorted((a, b) => a - b) }
}

const numbers = Array.from({ length: 3000 }, (_, number) => number)

test('everything is done once, with no more at once than is allowed, in all and in one lane', async () => {
  const items = numbers.map((number) => ({ number, lane: `lane ${number % 10}` }))
  const { done, most, mostInLane } = await runAll(items, { atOnce: 16, perLane: 2 })
  expect(done).toEqual(numbers)
  expect([most, mostInLane]).toEqual([16, 2])
})

test('one crowded lane does not hold the others up, and the source is not read far ahead', async () => {
  const items = numbers.map((number) => ({ number, lane: number < 200 ? 'crowded' : `lane ${number}` }))
  const { done, most, mostInLane, mostAhead } = await runAll(items, { atOnce: 16, perLane: 2 })
  expect(done).toEqual(numbers)
  expect([most, mostInLane]).toEqual([16, 2])
  expect(mostAhead).toBeLessThan(300)
})

test('a source of one lane alone is done as well', async () => {
  const items = numbers.map((number) => ({ number, lane: 'only' }))
  const { done, most } = await runAll(items, { atOnce: 16, perLane: 2 })
  expect([done.length, most]).toEqual([3000, 2])
})

test('nothing is nothing', async () => {
  expect((await runAll([], { atOnce: 16, perLane: 2 })).done).toEqual([])
})

test('work that throws ends it: nothing new is begun, what is under way is waited for, and then it throws', async () => {
  let begun = 0
  let ended = 0
  const work = async (number: number) => {
    begun++
    await new Promise((resolve) => setImmediate(resolve))
    if (number >= 10) throw new Error(`number ${number}`)
    ended++
  }
  const done = forEachPerHost(numbers, { maxParallel: 4, maxPerHost: 1, hostFor: String }, work)
  await expect(done).rejects.toThrow(/^number 1\d$/)
  expect(begun).toBeLessThan(20)
  expect(ended).toBe(10)
})
