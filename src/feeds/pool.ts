import { Worker } from 'node:worker_threads'
import type { PageFacts } from '../store/pages.ts'
import type { ParsedFeed } from './feed.ts'
import type { PageState } from './page-state.ts'
import type { PageContext, PageText } from './page-text.ts'
import type { FeedContext } from './parse.ts'
import type { NotAFeed } from './root.ts'

/** What a worker does with bytes, and what it answers; `failed` says in words why it does not. */
export type Work = {
  feed: { context: FeedContext; answer: ParsedFeed | NotAFeed }
  /** The text of a page, what it says of itself, and how it stands. */
  page: { context: PageContext; answer: PageText | { failed: string } }
  facts: { context: PageContext; answer: PageFacts | { failed: string } }
  state: { context: PageContext; answer: PageState | { failed: string } }
}
export type Task = {
  [Kind in keyof Work]: { kind: Kind; bytes: Uint8Array<ArrayBuffer>; context: Work[Kind]['context'] }
}[keyof Work]
type Answer = Work[keyof Work]['answer']
type Waiting = { task: Task; seconds: number; done: (answer: Answer) => void }

const maximumWorkers = 2
const sliceBytes = 2 * 1024 * 1024

const idle: Worker[] = []
const queue: Waiting[] = []
let busy = 0

/** Parses a feed in another thread, for at most 20 s. */
export function parseInWorker(bytes: Uint8Array, context: FeedContext): Promise<Work['feed']['answer']> {
  return inWorker('feed', bytes, context, 20)
}

/** Reads the text of a page in another thread; a page that takes longer is given up. */
export function readInWorker(bytes: Uint8Array, context: PageContext, seconds = 10): Promise<Work['page']['answer']> {
  return inWorker('page', bytes, context, seconds)
}

/** What a page says of itself, read in another thread. */
export function factsInWorker(bytes: Uint8Array, context: PageContext): Promise<Work['facts']['answer']> {
  return inWorker('facts', bytes, context, 10)
}

/** How a page stands, read in another thread. */
export function stateInWorker(bytes: Uint8Array, context: PageContext): Promise<Work['state']['answer']> {
  return inWorker('state', bytes, context, 10)
}

/**
 * Does the work in another thread, so that the event loop stays free. At most two threads, kept for the next task; they
 * do not keep the process alive. One that takes too long, or dies, fails its task in words and is replaced.
 */
function inWorker<Kind extends keyof Work>(
  kind: Kind,
  bytes: Uint8Array,
  context: Work[Kind]['context'],
  seconds: number,
): Promise<Work[Kind]['answer']> {
  return new Promise((done) => {
    void copyInSlices(bytes).then((copy) => {
      queue.push({ task: { kind, bytes: copy, context } as Task, seconds, done: done as Waiting['done'] })
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

function runTask(worker: Worker, { task, seconds, done }: Waiting): void {
  const timer = setTimeout(() => end({ failed: `reading it takes longer than ${seconds} s` }, false), seconds * 1000)
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
