import type { Db, TaskRow } from '../store/schema.ts'
import type { Instant } from '../time/clock.ts'

/**
 * A task for a worker. `data` has only ids, and the handler reads the current state, so that a repeated or lost task does
 * no harm.
 */
export type Task = {
  kind: string
  /** Unique within the kind. */
  key: string
  /** Groups take turns, so a slow group does not delay the others. */
  group: string
  data: Record<string, string>
  /** The earliest start; now if absent. */
  notBefore?: Instant
}

export type Handling = {
  /** The maximum number of tasks of one group that this process runs in parallel. */
  parallelOfGroup: number
  /** The number of failures after which a task is dead; unlimited if absent. */
  maxAttempts?: number
  handle(data: Record<string, string>): Promise<void>
}

/** Hands tasks to workers. */
export interface Queue {
  /** Adds tasks in the caller's transaction. A waiting task is not added twice; a running task runs again afterwards. */
  enqueue(db: Db, tasks: Task[]): Promise<void>
  /** Whether a task of that kind and group waits or runs. */
  isOpen(db: Db, kind: string, group: string): Promise<boolean>
  /** Registers the handling of a kind. Failed tasks are retried with increasing delays. */
  work(kind: string, handling: Handling): void
  /** Starts a look for tasks, and returns immediately. */
  wake(): void
  /** Resolves when this process runs no task and finds none to start. */
  idle(): Promise<void>
  /** Tasks that failed too often; an operator decides about them. */
  dead(): Promise<TaskRow[]>
  revive(id: string): Promise<void>
}
