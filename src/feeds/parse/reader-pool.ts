import type { Worker } from 'node:worker_threads'
import { type JobEnd, openWorker, runJob, terminateWorker } from '../../runtime/worker-job.ts'
import { yieldToEventLoop } from '../../time/clock.ts'
import type { PageContext } from './page/page-text.ts'
import type { ReaderTasks, Task, TaskAnswer, TaskKind, WorkerMessage } from './task.ts'

type QueuedTask = { task: Task; seconds: number; done: (answer: TaskAnswer) => void }

export type PoolLimits = {
  workers: number
  /** Of a worker's heap; a task that needs more fails. */
  heapMegabytes: number
  /** A worker with a larger heap is replaced after its task, because V8 is slow to free memory. */
  keptHeapMegabytes: number
  /** Larger tasks are read one at a time, which bounds memory. */
  largeBytes: number
  /** Without a task for as long all workers are ended, which frees their memory. */
  idleSeconds: number
}

/** The limits of the pool of this process. */
export const defaultPoolLimits: PoolLimits = {
  workers: 2,
  heapMegabytes: 256,
  keptHeapMegabytes: 80,
  largeBytes: 1024 * 1024,
  idleSeconds: 20,
}
const copyChunkBytes = 2 * 1024 * 1024

/**
 * Reads untrusted bytes in worker threads, so that they never block the thread that serves and sends. A worker that takes
 * too long or too much memory, or dies, fails its task and is replaced; idle workers do not keep the process alive.
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

  /** Starts a worker before the first task, while something is fetched. */
  warmUp(): void {
    if (this.#busy + this.#idle.length === 0) this.#keep(newWorker(this.#limits))
  }

  #keep(worker: Worker): void {
    this.#idle.push(worker)
    clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => this.release(), this.#limits.idleSeconds * 1000).unref()
  }

  /** Ends the idle workers, which frees some 50 MB each. */
  release(): void {
    for (const idle of this.#idle.splice(0)) terminateWorker(idle)
  }

  /** Reads a copy of the bytes for at most `seconds`. Never rejects: `failed` is the reason. */
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
    const isLarge = this.#isLarge(job) // before the bytes are transferred to the worker
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
      this.#startNext() // a large task may have waited beside a free worker
    })
  }

  #isLarge({ task: { bytes } }: QueuedTask): boolean {
    return bytes.length > this.#limits.largeBytes
  }
}

const pool = new ReaderPool()

/** Starts a reader worker, which is ready when something has been fetched. */
export function warmUpReaders(): void {
  pool.warmUp()
}

/** Ends the idle reader workers before other work that takes much memory. */
export function releaseReaders(): void {
  pool.release()
}

/** The part of a fetched page that a worker needs beside the bytes. */
export function pageContext({ url, contentType }: PageContext): PageContext {
  return { url, contentType }
}

/** Reads bytes in the pool of this process; see `ReaderPool.read`. */
export function readInWorker<K extends TaskKind>(
  kind: K,
  bytes: Uint8Array,
  context: ReaderTasks[K]['context'],
  seconds?: number,
): Promise<ReaderTasks[K]['answer']> {
  return pool.read(kind, bytes, context, seconds)
}

/** The caller keeps its bytes. To copy 60 MB at once would block the event loop for 100 ms. */
async function copyInChunks(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const copy = new Uint8Array(bytes.length)
  for (let at = 0; at < bytes.length; at += copyChunkBytes) {
    if (at > 0) await yieldToEventLoop()
    copy.set(bytes.subarray(at, at + copyChunkBytes), at)
  }
  return copy
}

function failureMessage(end: Exclude<JobEnd<WorkerMessage>, { answer: WorkerMessage }>, seconds: number): string {
  if ('late' in end) return `reading it takes longer than ${seconds} s`
  if ('gone' in end) return 'it cannot be read: its reader thread ended'
  return end.isOutOfMemory ? 'it takes too much memory to read' : `it cannot be read: ${end.error.message}`
}

function newWorker({ heapMegabytes }: PoolLimits): Worker {
  return openWorker(new URL('./reader-worker.ts', import.meta.url), { heapMegabytes, youngMegabytes: 2 })
}
