import { parentPort } from 'node:worker_threads'
import { type Reader, readers, shapes } from './readers.ts'

/** Milliseconds. Below this no growth can be told from what the compiler, the collector and the clock take. */
const minTimeMs = 4
/** Linear readers take four times as long for four times the text, quadratic ones sixteen times. */
const maxGrowth = 10
/** Milliseconds of processor time in all: it is counted in ticks of 4 ms. */
const minProcessorMs = 60

type Work = () => unknown

/** The least of several runs: one that nothing else on the machine interrupted. */
async function leastTime(runs: number, work: Work): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let run = 0; run < runs; run++) {
    const start = performance.now()
    await work()
    least = Math.min(least, performance.now() - start)
  }
  return least
}

/** Processor time of this thread alone for one run, whatever else the machine does; the mean of as many as that needs. */
async function processorTime(work: Work): Promise<number> {
  const start = process.threadCpuUsage()
  for (let runs = 1; ; runs++) {
    await work()
    const { user, system } = process.threadCpuUsage(start)
    if ((user + system) / 1000 >= minProcessorMs) return (user + system) / 1000 / runs
  }
}

/** How often the time for a quarter of the text goes into that for the whole; the quicker look first, since most are quick. */
async function growth(reader: Reader, make: (length: number) => string): Promise<number> {
  const [few, twice, many] = [reader.longest / 4, reader.longest / 2, reader.longest].map(make) as [
    string,
    string,
    string,
  ]
  await reader.read(few)
  await reader.read(twice)
  const long = await leastTime(3, () => reader.read(many))
  if (long < minTimeMs) return 1
  const quick = long / (await leastTime(8, () => reader.read(few)))
  if (quick <= maxGrowth) return quick
  return (await processorTime(() => reader.read(many))) / (await processorTime(() => reader.read(few)))
}

/** Tries a reader, by its place in the list, on every shape, and posts each that grows too fast. */
parentPort?.on('message', async (index: number) => {
  const reader = readers[index] as Reader
  for (const { name, make } of shapes) {
    parentPort?.postMessage({ shape: name })
    let measured = await growth(reader, make)
    for (let more = 0; more < 2 && measured > maxGrowth; more++)
      measured = Math.min(measured, await growth(reader, make))
    if (measured > maxGrowth) parentPort?.postMessage({ shape: name, growth: Math.round(measured) })
  }
  parentPort?.postMessage('done')
})
