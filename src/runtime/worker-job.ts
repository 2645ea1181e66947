import { Worker } from 'node:worker_threads'

/**
 * How a job in a worker ended. After anything but an answer the worker cannot be used again: `late`, it took longer than
 * it may; `gone`, the worker came to an end; else the error that ended it.
 */
export type JobEnd<A> = { answer: A } | { late: true } | { gone: true } | { error: Error; isOutOfMemory: boolean }

export type Heap = { heapMegabytes: number; youngMegabytes: number }

/** A thread with a limit of memory, which does not keep the process alive. It has none of the process's flags. */
export function openWorker(url: URL, { heapMegabytes, youngMegabytes }: Heap): Worker {
  const resourceLimits = { maxOldGenerationSizeMb: heapMegabytes, maxYoungGenerationSizeMb: youngMegabytes }
  const worker = new Worker(url, { execArgv: [], resourceLimits })
  worker.unref()
  return worker
}

/**
 * Sends one message to the worker and waits for one, for at most so many seconds; `ended` is called once. Until then the
 * process stays alive. Throws what cannot be sent, before anything has begun.
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

/** Ends the worker, whatever it does. */
export function terminateWorker(worker: Worker): void {
  worker.on('error', () => {}) // its end is known already
  void worker.terminate()
}
