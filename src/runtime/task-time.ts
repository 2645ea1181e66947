import { AsyncLocalStorage, createHook } from 'node:async_hooks'

/** A named piece of work, and how long it has held the thread since the last `takeBusy`. */
type Task = { name: string; ms: number; round: number }

const current = new AsyncLocalStorage<Task>()
/** What belongs to no named task: accepting connections, timers of packages. */
const unnamed: Task = { name: 'unnamed work', ms: 0, round: 0 }

let period = 0
let measuredTasks: Task[] = []
/** When the running piece of JavaScript began, by `performance.now()`. */
let startedAtMs = 0
let isMeasuring = false

/** Runs the work under this name, with all that it starts and awaits: `measureBusy` charges its time to it. */
export function runAsTask<T>(name: string, work: () => T): T {
  const task = { name, ms: 0, round: -1 }
  if (!isMeasuring) return current.run(task, work)
  charge() // what ran so far is the caller's
  return current.run(task, () => {
    try {
      return work()
    } finally {
      charge()
    }
  })
}

/**
 * From now on measures how long each named task holds the thread, until the function that it returns is called. Every
 * callback and every continuation of a promise costs about 150 nanoseconds more.
 */
export function measureTaskTime(): () => void {
  const hook = createHook({
    before() {
      startedAtMs = performance.now()
    },
    after: charge,
  }).enable()
  isMeasuring = true
  startedAtMs = performance.now()
  return () => {
    hook.disable()
    isMeasuring = false
  }
}

/** The task that has held the thread longest since the last call, with its milliseconds; undefined: none has run. */
export function takeBusiestTask(): { name: string; ms: number } | undefined {
  charge()
  const longest = measuredTasks.reduce<Task | undefined>(
    (most, task) => (most && most.ms >= task.ms ? most : task),
    undefined,
  )
  const taken = longest && { name: longest.name, ms: longest.ms }
  period++
  measuredTasks = []
  return taken
}

function charge(): void {
  const task = current.getStore() ?? unnamed
  const now = performance.now()
  if (task.round !== period) {
    task.round = period
    task.ms = 0
    measuredTasks.push(task)
  }
  task.ms += now - startedAtMs
  startedAtMs = now
}
