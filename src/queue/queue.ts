import type { Db, TaskRow } from '../store/schema.ts'
import type { Instant } from '../time/clock.ts'

/**
 * Something for a worker to do, which carries nothing but ids: whoever does it looks again what is to be done. One that is
 * done twice, or gets lost, does no harm.
 */
export type Task = {
  kind: string
  /** There is at most one task of a kind with this key. */
  key: string
  /** Groups take turns, and one that is slow keeps no other waiting. */
  group: string
  data: Record<string, string>
  /** At once if absent. */
  notBefore?: Instant
}

export type Handling = {
  /** How many tasks of one group this process does at a time. */
  parallelOfGroup: number
  /** After how many failures a task is dead; never if absent. */
  maxAttempts?: number
  handle(data: Record<string, string>): Promise<void>
}

/** Who hands tasks to workers. */
export interface Queue {
  /** Adds tasks in the caller's transaction. One that waits already is left as it is; one that is being done is done again. */
  enqueue(db: Db, tasks: Task[]): Promise<void>
  /** Whether a task of that kind and group waits, or is being done. */
  isOpen(db: Db, kind: string, group: string): Promise<boolean>
  /** Says how tasks of a kind are done; a task that fails is tried again with growing waits. */
  work(kind: string, handling: Handling): void
  /** Looks for tasks now. Returns at once. */
  wake(): void
  /** Resolves when this process does no task, and finds none that it could do. */
  idle(): Promise<void>
  /** Tasks that failed too often: an operator decides what becomes of them. */
  dead(): Promise<TaskRow[]>
  revive(id: string): Promise<void>
}
