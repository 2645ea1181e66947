import { expect, test } from 'vitest'
import { lookAhead } from '../../src/deliveries/look-ahead.ts'

const things = (count: number) => Array.from({ length: count }, (_, index) => ({ index }))

test('gives everything in order, made as it was asked for or ahead, and then nothing', async () => {
  const left = things(5)
  const ahead = lookAhead(() => (left.length % 2 ? left.shift() : Promise.resolve(left.shift())), 2)
  const taken: unknown[] = []
  for (let one = await ahead.take(); one; one = await ahead.take()) {
    taken.push(one.index)
    ahead.fill()
  }
  expect(taken).toEqual([0, 1, 2, 3, 4])
})

test('shows what will be taken next only when it is ready, and makes no more than so many ahead', async () => {
  let made = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  const ahead = lookAhead(() => {
    made += 1
    const thing = { index: made }
    return made === 2 ? promise.then(() => thing) : thing
  }, 2)
  ahead.fill()
  ahead.fill()
  expect(made).toBe(2)
  expect(ahead.next).toEqual({ index: 1 })
  await ahead.take()
  expect(ahead.next).toBeUndefined()
  resolve()
  await promise
  await Promise.resolve()
  expect(ahead.next).toEqual({ index: 2 })
})

test('a fault belongs to the one that it was made for', async () => {
  let made = 0
  const ahead = lookAhead(() => (++made === 2 ? Promise.reject(new Error('no key')) : { index: made }), 3)
  ahead.fill()
  expect(await ahead.take()).toEqual({ index: 1 })
  await expect(ahead.take()).rejects.toThrow('no key')
  expect(await ahead.take()).toEqual({ index: 3 })
})
