import { Worker } from 'node:worker_threads'

/**
 * How a job in a worker ended. `late`: it took too long; `gone`: the worker exited; `error`: it failed. Only after an answer
 * can the worker be used again.
 */
export type JobEnd<A> = { answer: A } | { late: true } | { gone: true } | { error: Error; isOutOfMemory: boolean }

export type Heap = { heapMegabytes: number; youngMegabytes: number }

/** Starts a worker with a memory limit and without the flags of this process. It does not keep the process alive. */
export function openWorker(url: URL, { heapMegabytes, youngMegabytes }: Heap): Worker {
  const resourceLimits = { maxOldGenerationSizeMb: heapMegabytes, maxYoungGenerationSizeMb: youngMegabytes }
  const worker = new Worker(url, { execArgv: [], resourceLimits })
  worker.unref()
  return worker
}

/**
 * Posts a message to the worker and waits for its answer for at most `seconds`; calls `onEnd` once. Keeps the process alive
 * until then; throws if the message cannot be cloned.
 */
export function runJob<A>(
  worker: Worker,
  { message, transfer = [], seconds }: { message: unknown; transfer?: ArrayBuffer[]; seconds: number },
  onEnd: (end: JobEnd<A>) => void,
): void {
  worker.postMessage(message, transfer)
  const timer = setTimeout(() => end({ late: true }), seconds * 1000)
  const answered = (answer: A) => end({ answer })
  const gone = () => end({ gone: true })
  const broken = (error: Error) =>
    end({ error, isOutOfMemory: 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY' })
  worker.on('message', answered).on('error', broken).on('exit', gone)
  worker.ref()

  function end(how: JobEnd<A>): void {
    clearTimeout(timer)
    worker.off('message', answered).off('error', broken).off('exit', gone)
    worker.unref()
    onEnd(how)
  }
}

export function terminateWorker(worker: Worker): void {
  worker.on('error', () => {}) // its end is expected
  void worker.terminate()
}
