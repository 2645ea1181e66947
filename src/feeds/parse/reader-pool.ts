import type { Worker } from 'node:worker_threads'
import { type JobEnd, openWorker, runJob, terminateWorker } from '../../runtime/worker-job.ts'
import type { PageContext } from './page/page-text.ts'
import type { ReaderTasks, Task, TaskAnswer, TaskKind, WorkerMessage } from './task.ts'

type QueuedTask = { task: Task; seconds: number; done: (answer: TaskAnswer) => void }

export type PoolLimits = {
  workers: number
  /** Of a worker's heap. A task that needs more fails, and nothing else does. */
  heapMegabytes: number
  /** A worker that has grown beyond this is replaced after its task: V8 is slow to give memory back. */
  keptHeapMegabytes: number
  /** Of tasks with more bytes than this one is read at a time: their memory never adds up. */
  largeBytes: number
  /** Once nothing was read for so long all workers are ended: they hold memory that other work wants. */
  idleSeconds: number
}

/** Of the one pool of this process. */
export const defaultPoolLimits: PoolLimits = {
  workers: 2,
  heapMegabytes: 256,
  keptHeapMegabytes: 80,
  largeBytes: 1024 * 1024,
  idleSeconds: 20,
}
const copyChunkBytes = 2 * 1024 * 1024

/**
 * Reads the bytes of strangers in at most two other threads, whatever their size, so that none of them holds up the
 * thread that serves and sends. The threads are kept for the next task for a while, and do not keep the process alive.
 * One that takes too long, takes too much memory or dies fails its task in words and is replaced; no error is ever left
 * uncaught.
 */
export class ReaderPool {
  readonly #limits: PoolLimits
  readonly #idle: Worker[] = []
  readonly #queue: QueuedTask[] = []
  #busy = 0
  #isReadingLarge = false
  #idleTimer: NodeJS.Timeout | undefined

  constructor(limits: PoolLimits = defaultPoolLimits) {
    this.#limits = limits
  }

  /** Starts a thread ahead of the first task: that takes as long as fetching something. */
  warmUp(): void {
    if (this.#busy + this.#idle.length === 0) this.#keep(newWorker(this.#limits))
  }

  #keep(worker: Worker): void {
    this.#idle.push(worker)
    clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => this.release(), this.#limits.idleSeconds * 1000).unref()
  }

  /** Ends the workers that have nothing to read, and so gives back what they hold: some 50 MB each. */
  release(): void {
    for (const idle of this.#idle.splice(0)) terminateWorker(idle)
  }

  /** Reads bytes, for at most so many seconds. Never rejects: what fails says in words why. */
  async read<K extends TaskKind>(
    kind: K,
    bytes: Uint8Array,
    context: ReaderTasks[K]['context'],
    seconds = 10,
  ): Promise<ReaderTasks[K]['answer']> {
    const task = { kind, bytes: await copyInChunks(bytes), context } as Task
    return await new Promise((done) => {
      this.#queue.push({ task, seconds, done: done as QueuedTask['done'] })
      this.#startNext()
    })
  }

  #startNext(): void {
    if (this.#busy >= this.#limits.workers) return
    const next = this.#queue.findIndex((job) => !(this.#isReadingLarge && this.#isLarge(job)))
    const [job] = next < 0 ? [] : this.#queue.splice(next, 1)
    if (!job) return
    this.#busy++
    const isLarge = this.#isLarge(job) // by its bytes, which the worker has from here on
    if (isLarge) this.#isReadingLarge = true
    const worker = this.#idle.pop() ?? newWorker(this.#limits)
    const { task, seconds } = job
    runJob<WorkerMessage>(worker, { message: task, transfer: [task.bytes.buffer], seconds }, (end) => {
      if ('answer' in end && end.answer.heapBytes <= this.#limits.keptHeapMegabytes * 1024 * 1024) this.#keep(worker)
      else terminateWorker(worker)
      this.#busy--
      if (isLarge) this.#isReadingLarge = false
      job.done('answer' in end ? end.answer.answer : { failed: failureMessage(end, seconds) })
      this.#startNext()
      this.#startNext() // a large one may have waited beside a free worker
    })
  }

  #isLarge({ task: { bytes } }: QueuedTask): boolean {
    return bytes.length > this.#limits.largeBytes
  }
}

const pool = new ReaderPool()

/** Has a worker ready by the time that something was fetched. */
export function warmUpReaders(): void {
  pool.warmUp()
}

/** Ends the readers that have nothing to read, before other work that takes much memory. */
export function releaseReaders(): void {
  pool.release()
}

/** What a worker has to know of a page that was fetched; the rest of the answer stays here. */
export function pageContext({ url, contentType }: PageContext): PageContext {
  return { url, contentType }
}

/** Reads bytes in one of the workers of this process; see ReaderPool. */
export function readInWorker<K extends TaskKind>(
  kind: K,
  bytes: Uint8Array,
  context: ReaderTasks[K]['context'],
  seconds?: number,
): Promise<ReaderTasks[K]['answer']> {
  return pool.read(kind, bytes, context, seconds)
}

/** The caller keeps its bytes, the worker gets a copy; 60 MB at once would hold the event loop up for 100 ms. */
async function copyInChunks(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const copy = new Uint8Array(bytes.length)
  for (let at = 0; at < bytes.length; at += copyChunkBytes) {
    if (at > 0) await new Promise((resolve) => setImmediate(resolve))
    copy.set(bytes.subarray(at, at + copyChunkBytes), at)
  }
  return copy
}

/** The words for a task that came to nothing. */
function failureMessage(end: Exclude<JobEnd<WorkerMessage>, { answer: WorkerMessage }>, seconds: number): string {
  if ('late' in end) return `reading it takes longer than ${seconds} s`
  if ('gone' in end) return 'it cannot be read: its reader came to an end'
  return end.isOutOfMemory ? 'it takes too much memory to read' : `it cannot be read: ${end.error.message}`
}

function newWorker({ heapMegabytes }: PoolLimits): Worker {
  return openWorker(new URL('./reader-worker.ts', import.meta.url), { heapMegabytes, youngMegabytes: 2 })
}
