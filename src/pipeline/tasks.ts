import { runAsTask } from '../runtime/task-time.ts'

/** Work that is under way, by name: at most one piece of work of each name at a time. */
export class Tasks {
  readonly #running = new Map<string, Promise<void>>()

  /** Starts the work, unless work of that name is under way. It reports its own errors: none reaches the caller. */
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

  /** Resolves when nothing is under way, including work that other work started. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values())
  }
}
