import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Engine } from '../store/engine.ts'
import type { Db, TaskRow } from '../store/schema.ts'
import {
  deadTasks,
  endTask,
  failTask,
  groupsWaiting,
  isTaskOpen,
  leaseTask,
  reviveTask,
  type TaskOwner,
} from '../store/system/tasks.ts'
import { addMs, type Clock, minute, second } from '../time/clock.ts'
import { enqueue } from './enqueue.ts'
import type { Handling, Queue, Task } from './queue.ts'

const firstRetryMs = 5 * second
const maxRetryMs = 5 * minute

type Needs = {
  db: Db
  engine: Engine
  clock: Clock
  log: Log
  /** The id of this process's row in `workers`. Tasks of workers that are no longer alive can be leased again. */
  workerId: string
  /** Once aborted, no further task is started. */
  signal?: AbortSignal | undefined
}

/**
 * A queue in the store, for workers started by a schedule. It has no timer: it looks for tasks when `wake` is called
 * and after each finished task.
 */
export class EmbeddedQueue implements Queue {
  readonly #needs: Needs
  readonly #handlings = new Map<string, Handling>()
  /** The number of running tasks, by kind and group. */
  readonly #running = new Map<string, number>()
  readonly #tasks = new Map<string, Promise<void>>()
  #looking: Promise<void> | undefined
  #isToLookAgain = false

  constructor(needs: Needs) {
    this.#needs = needs
  }

  async enqueue(db: Db, tasks: Task[]): Promise<void> {
    await enqueue(db, tasks, this.#needs.clock.now())
  }

  isOpen(db: Db, kind: string, group: string): Promise<boolean> {
    return isTaskOpen(db, { kind, groupKey: group })
  }

  work(kind: string, handling: Handling): void {
    this.#handlings.set(kind, handling)
  }

  wake(): void {
    this.#isToLookAgain = true
    this.#looking ??= this.#lookWhileAsked()
  }

  async idle(): Promise<void> {
    while (this.#looking || this.#tasks.size > 0) await Promise.all([this.#looking, ...this.#tasks.values()])
  }

  dead(): Promise<TaskRow[]> {
    return deadTasks(this.#needs.db)
  }

  revive(id: string): Promise<void> {
    return reviveTask(this.#needs.db, id, this.#needs.clock.now())
  }

  get #owner(): TaskOwner {
    return { workerId: this.#needs.workerId, running: [...this.#tasks.keys()] }
  }

  async #lookWhileAsked(): Promise<void> {
    await Promise.resolve() // lets `wake` set #looking first
    while (this.#isToLookAgain && !this.#needs.signal?.aborted) {
      this.#isToLookAgain = false
      try {
        for (const [kind, handling] of this.#handlings) await this.#startAll(kind, handling)
      } catch (err) {
        this.#needs.log.warn(
          { event: 'queue.unread', err },
          'tasks cannot be read; the next look for tasks tries again',
        )
      }
    }
    this.#looking = undefined // without an await before it, or a call of `wake` would be lost
  }

  /** Starts one task of each group below its limit, in turns, until no task can be started. */
  async #startAll(kind: string, handling: Handling): Promise<void> {
    const { db, engine, clock, signal } = this.#needs
    for (let isAny = true; isAny; ) {
      isAny = false
      for (const groupKey of await groupsWaiting(db, kind, this.#owner, clock.now())) {
        if (signal?.aborted) return
        const place = `${kind} ${groupKey}`
        if ((this.#running.get(place) ?? 0) >= handling.parallelOfGroup) continue
        const task = await leaseTask(db, engine, { kind, groupKey }, this.#owner, clock.now())
        if (!task) continue
        isAny = true
        this.#start(task, place, handling)
      }
    }
  }

  #start(task: TaskRow, place: string, handling: Handling): void {
    this.#running.set(place, (this.#running.get(place) ?? 0) + 1)
    const { log } = this.#needs
    const recorded = this.#run(task, handling).catch((err: unknown) => {
      log.warn({ event: 'task.unrecorded', id: task.id, err }, 'the failure of a task could not be recorded')
    })
    const running = recorded.finally(() => {
      this.#running.set(place, (this.#running.get(place) ?? 1) - 1)
      this.#tasks.delete(task.id)
      this.wake()
    })
    this.#tasks.set(task.id, running)
  }

  /**
   * Runs a task and records its end; rejects if a failure cannot be recorded. The task then stays leased to this worker,
   * and is later found abandoned.
   */
  async #run(task: TaskRow, { handle, maxAttempts = Number.POSITIVE_INFINITY }: Handling): Promise<void> {
    const { db, clock, log } = this.#needs
    const { kind, key } = task
    try {
      await handle(JSON.parse(task.data))
      await endTask(db, task)
    } catch (err) {
      const attempts = task.attempts + 1
      const now = clock.now()
      const notBefore = addMs(now, retryMs(attempts))
      const deadAt = attempts >= maxAttempts ? now : null
      const fields = {
        event: deadAt ? 'task.dead' : 'task.failed',
        kind,
        key,
        attempts,
        ...(!deadAt && { notBefore }),
        err,
      }
      log.error(fields, deadAt ? 'a task has failed too often' : 'a task failed; it is tried again')
      await failTask(db, task, { error: messageOf(err), notBefore, deadAt })
    }
  }
}

function retryMs(attempts: number): number {
  return Math.min(firstRetryMs * 2 ** (attempts - 1), maxRetryMs)
}
