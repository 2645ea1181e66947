import { Worker } from 'node:worker_threads'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { defaultPoolLimits, ReaderPool } from '../../../src/feeds/parse/reader-pool.ts'
import { countThreadStarts, untilThreadEnds } from '../../support/threads.ts'

const context = { url: 'https://ledger.example/feed', contentType: null }
const feed = (inside: string) =>
  Buffer.from(
    `<rss version="2.0"><channel><title>T</title><item><title>A</title><link>https://ledger.example/a</link>${inside}</item></channel></rss>`,
  )
const small = feed('')
const largeBytes = 1000
/** Each element becomes an object of its own: some 200 bytes for 14. Of one name an entry keeps few. */
const elements = Array.from({ length: 10_000 }, (_, index) => `<a${index} b="c"/>`).join('')
const hungry = feed(`</item><item>${elements}`.repeat(40))

const uncaught: unknown[] = []
const note = (error: unknown) => uncaught.push(error)
process.on('uncaughtException', note)
afterEach(() => expect(uncaught.splice(0)).toEqual([]))
afterAll(() => void process.off('uncaughtException', note))

test('two readers with 256 MB each are the usual pool', () => {
  expect(defaultPoolLimits).toEqual({
    workers: 2,
    heapMegabytes: 256,
    keptHeapMegabytes: 80,
    largeBytes: 1_048_576,
    idleSeconds: 20,
  })
})

test('a feed that takes too much memory fails in words, alone, and the next ones are read', async () => {
  const pool = new ReaderPool({ workers: 1, heapMegabytes: 48, keptHeapMegabytes: 80, largeBytes, idleSeconds: 100 })
  const [first, second, third] = await Promise.all(
    [small, hungry, small].map((bytes) => pool.read('feed', bytes, context, 50)),
  )
  expect(first).toMatchObject({ articles: [{ title: 'A' }] })
  expect(second).toEqual({ failed: 'it takes too much memory to read' })
  expect(third).toEqual(first)
  expect(uncaught).toEqual([])
})

test('of a million elements with one name an entry keeps no more than are read', async () => {
  const pool = new ReaderPool({ workers: 1, heapMegabytes: 48, keptHeapMegabytes: 80, largeBytes, idleSeconds: 100 })
  const read = await pool.read('feed', feed('<a/>'.repeat(1_000_000)), context, 50)
  expect(read).toMatchObject({ articles: [{ title: 'A' }] })
})

test('a worker is kept for the next feed, and one that has grown is replaced', async () => {
  const started = await countThreadStarts(async () => {
    const kept = new ReaderPool({
      workers: 1,
      heapMegabytes: 256,
      keptHeapMegabytes: 256,
      largeBytes,
      idleSeconds: 100,
    })
    for (let read = 0; read < 3; read++) await kept.read('feed', small, context)
  })
  const replaced = await countThreadStarts(async () => {
    const grown = new ReaderPool({ workers: 1, heapMegabytes: 256, keptHeapMegabytes: 1, largeBytes, idleSeconds: 100 })
    for (let read = 0; read < 3; read++) await grown.read('feed', small, context)
  })
  expect([started, replaced]).toEqual([1, 3])
})

test('of two large feeds the second waits for the first, and a small one for neither', async () => {
  const pool = new ReaderPool({ workers: 2, heapMegabytes: 256, keptHeapMegabytes: 256, largeBytes, idleSeconds: 100 })
  const { given, release } = holdFirstTask()
  const [first, second] = [feed(' '.repeat(2 * largeBytes)), feed(' '.repeat(3 * largeBytes))]
  const large = [first, second].map((bytes) => pool.read('feed', bytes, context, 50))
  await pool.read('feed', small, context, 50)
  expect(given).toEqual([first.length, small.length])
  release()
  await Promise.all(large)
  expect(given).toEqual([first.length, small.length, second.length])
})

test('workers that have nothing to read are ended, and the next feed has another', async () => {
  const limits = { workers: 1, heapMegabytes: 256, keptHeapMegabytes: 256, largeBytes, idleSeconds: 0 }
  const pool = new ReaderPool(limits)
  const first = await untilThreadEnds(() => pool.read('feed', small, context))
  expect(await pool.read('feed', small, context)).toEqual(first)
})

/** Notes how many bytes each task has that is given to a worker; the first one arrives only when it is released. */
function holdFirstTask() {
  const given: number[] = []
  const post = Worker.prototype.postMessage
  let release = () => {}
  vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (this: Worker, task, transfer) {
    given.push(task.bytes.length)
    const arrive = () => post.call(this, task, transfer as ArrayBuffer[])
    if (given.length === 1) release = arrive
    else arrive()
  })
  return { given, release: () => release() }
}
