import type { Worker } from 'node:worker_threads'
import type { Config } from '../config/config.ts'
import type { Draft, Rendered } from '../editions/edition.ts'
import { AppError, type ErrorCode, messageOf } from '../errors.ts'
import { type JobEnd, openWorker, runJob, terminateWorker } from '../runtime/worker-job.ts'

/** The input of a rendering, copied to the worker. `templates` is a folder. */
export type RenderTask = { draft: Draft; publishing: Pick<Config, 'publication' | 'web'>; templates: string }

/** Without the head, which depends on settings alone. */
export type RenderedContent = Omit<Rendered, 'head'>

/** `refused`: an AppError of the worker. `broken`: the stack of any other error. */
export type RenderAnswer =
  | { rendered: RenderedContent }
  | { refused: { code: ErrorCode; message: string; hint: string | undefined } }
  | { broken: string }

/** `idleSeconds`: an idle thread ends after this time, since it takes 60 MB and most editions are a week apart. */
export type RenderLimits = { heapMegabytes: number; seconds: number; idleSeconds: number }

type Job = { task: RenderTask; resolve: (content: RenderedContent) => void; reject: (error: Error) => void }

const defaultLimits: RenderLimits = { heapMegabytes: 512, seconds: 120, idleSeconds: 20 }

/**
 * Renders editions one after another in a worker thread, so that the thread that serves and sends is never blocked. An
 * edition that takes too much memory or time fails with an AppError, and the next edition gets a new thread. An idle
 * thread does not keep the process alive.
 */
export class RenderThread {
  readonly #limits: RenderLimits
  readonly #queue: Job[] = []
  #worker: Worker | undefined
  #isBusy = false
  #idleTimer: NodeJS.Timeout | undefined

  constructor(limits: RenderLimits = defaultLimits) {
    this.#limits = limits
  }

  /** Throws an AppError with file and line of a template that cannot be read. */
  render(task: RenderTask): Promise<RenderedContent> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ task, resolve, reject })
      this.#startNext()
    })
  }

  #startNext(): void {
    if (this.#isBusy) return
    const job = this.#queue.shift()
    if (!job) {
      this.#endWhenIdle()
      return
    }
    clearTimeout(this.#idleTimer)
    this.#isBusy = true
    const worker = this.#worker ?? newWorker(this.#limits)
    this.#worker = worker
    const ended = (end: JobEnd<RenderAnswer>) => {
      if ('answer' in end) settleJob(job, end.answer)
      else {
        job.reject(failureOf(end, this.#limits))
        terminateWorker(worker)
        this.#worker = undefined
      }
      this.#isBusy = false
      this.#startNext()
    }
    try {
      runJob<RenderAnswer>(worker, { message: job.task, seconds: this.#limits.seconds }, ended)
    } catch (error) {
      const message = `the render thread does not take this edition: ${messageOf(error)}`
      ended({ error: new Error(message, { cause: error }), isOutOfMemory: false })
    }
  }

  #endWhenIdle(): void {
    const worker = this.#worker
    if (!worker) return
    this.#idleTimer = setTimeout(() => {
      this.#worker = undefined
      terminateWorker(worker)
    }, this.#limits.idleSeconds * 1000).unref()
  }
}

function settleJob({ resolve, reject }: Job, answer: RenderAnswer): void {
  if ('rendered' in answer) resolve(answer.rendered)
  else if ('broken' in answer) reject(new Error(`rendering failed: ${answer.broken}`))
  else {
    const { code, message, hint } = answer.refused
    reject(new AppError(code, message, { hint }))
  }
}

function failureOf(end: Exclude<JobEnd<RenderAnswer>, { answer: RenderAnswer }>, limits: RenderLimits): Error {
  if ('late' in end) return tooLarge(`longer than ${limits.seconds} s`)
  if ('gone' in end) return new Error('the render thread ended')
  return end.isOutOfMemory ? tooLarge(`more than ${limits.heapMegabytes} MB of memory`) : end.error
}

function tooLarge(what: string): AppError {
  return new AppError('unavailable', `rendering this edition takes ${what}`, {
    hint: 'Give its sections a smaller maximum in the job file, or print summaries (body: summary).',
  })
}

function newWorker({ heapMegabytes }: RenderLimits): Worker {
  return openWorker(new URL('./render-worker.ts', import.meta.url), { heapMegabytes, youngMegabytes: 8 })
}
