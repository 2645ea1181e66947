import { runAsTask } from '../runtime/task-time.ts'

/** Running tasks by name: at most one task of each name runs at a time. */
export class Tasks {
  readonly #running = new Map<string, Promise<void>>()

  /** Starts the work unless a task with that name is running. Errors are dropped: the work must report them. */
  start(name: string, work: () => Promise<unknown>): void {
    if (this.#running.has(name)) return
    const task = runAsTask(name, work)
      .then(
        () => {},
        () => {},
      )
      .finally(() => this.#running.delete(name))
    this.#running.set(name, task)
  }

  /** Resolves when no task is running, including tasks that other tasks started. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values())
  }
}
