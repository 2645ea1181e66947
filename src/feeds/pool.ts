import { Worker } from 'node:worker_threads'
import type { ParsedFeed } from './feed.ts'
import type { FeedContext } from './parse.ts'
import type { NotAFeed } from './root.ts'

export type Task = { bytes: Uint8Array<ArrayBuffer>; context: FeedContext }
type Answer = ParsedFeed | NotAFeed
type Waiting = { task: Task; done: (answer: Answer) => void }

const maximumWorkers = 2
const timeLimitSeconds = 20
const sliceBytes = 2 * 1024 * 1024

const idle: Worker[] = []
const queue: Waiting[] = []
let busy = 0

/**
 * Parses in another thread, so that the event loop stays free. At most two threads, kept for the next feed; they do not
 * keep the process alive. One that takes longer than 20 s, or dies, fails its feed in words and is replaced.
 */
export function parseInWorker(bytes: Uint8Array, context: FeedContext): Promise<Answer> {
  return new Promise((done) => {
    void copyInSlices(bytes).then((copy) => {
      queue.push({ task: { bytes: copy, context }, done })
      startNext()
    })
  })
}

/** The caller keeps its bytes, the worker gets a copy; 60 MB at once would hold the event loop up for 100 ms. */
async function copyInSlices(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const copy = new Uint8Array(bytes.length)
  for (let at = 0; at < bytes.length; at += sliceBytes) {
    if (at > 0) await new Promise((resolve) => setImmediate(resolve))
    copy.set(bytes.subarray(at, at + sliceBytes), at)
  }
  return copy
}

function startNext(): void {
  if (busy >= maximumWorkers) return
  const next = queue.shift()
  if (!next) return
  busy++
  const worker = idle.pop() ?? newWorker()
  runTask(worker, next)
}

function runTask(worker: Worker, { task, done }: Waiting): void {
  const timer = setTimeout(
    () => end({ failed: `reading it takes longer than ${timeLimitSeconds} s` }, false),
    timeLimitSeconds * 1000,
  )
  const answered = (answer: Answer) => end(answer, true)
  const broken = (error: Error) => end({ failed: `it cannot be read: ${error.message}` }, false)
  worker.on('message', answered).on('error', broken)
  worker.ref()
  worker.postMessage(task, [task.bytes.buffer])

  function end(answer: Answer, reusable: boolean): void {
    clearTimeout(timer)
    worker.off('message', answered).off('error', broken)
    worker.unref()
    if (reusable) idle.push(worker)
    else {
      worker.on('error', () => {}) // its end is known already
      void worker.terminate()
    }
    busy--
    done(answer)
    startNext()
  }
}

function newWorker(): Worker {
  const resourceLimits = { maxOldGenerationSizeMb: 1024, maxYoungGenerationSizeMb: 2 }
  return new Worker(new URL('./parse-worker.ts', import.meta.url), { execArgv: [], resourceLimits })
}
