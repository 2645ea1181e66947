import type { Worker } from 'node:worker_threads'

/** How many threads were started meanwhile. */
export async function countThreadStarts(work: () => Promise<unknown>): Promise<number> {
  let started = 0
  await withThreadListener(() => void started++, work)
  return started
}

/** Ends once a thread that was started by the work has ended too; what the work gave. */
export async function untilThreadEnds<T>(work: () => Promise<T>): Promise<T> {
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  return await withThreadListener(
    (worker) => worker.once('exit', () => resolve()),
    async () => {
      const result = await work()
      await ended
      return result
    },
  )
}

async function withThreadListener<T>(seen: (worker: Worker) => unknown, work: () => Promise<T>): Promise<T> {
  process.on('worker', seen)
  try {
    return await work()
  } finally {
    process.off('worker', seen)
  }
}
