import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { Tasks } from '../../src/pipeline/tasks.ts'
import { EventLoopWatch } from '../../src/runtime/event-loop-watch.ts'
import { measureTaskTime, runAsTask, takeBusiestTask } from '../../src/runtime/task-time.ts'
import { openSite } from '../web/site.ts'

type Line = { event: string; task: string; count: number; worstMs: number }

let stop = () => {}
afterEach(() => {
  stop()
  vi.restoreAllMocks()
})

function watching() {
  const lines: Line[] = []
  const log = { info() {}, error() {}, warn: (fields: object) => lines.push(fields as Line) }
  const watch = new EventLoopWatch(log)
  watch.start()
  stop = () => watch.stop()
  return { lines, watch }
}

/** Holds the thread for longer than the watch lets pass. */
function block(): void {
  const end = performance.now() + 500
  while (performance.now() < end);
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await nextTurn()
}

test('the warning names the task that held the event loop, among others that ran at the same time', async () => {
  const { lines } = watching()
  const tasks = new Tasks()
  let isOver = false
  for (const name of ['create-due-editions', 'send-outbox'])
    tasks.start(name, async () => {
      while (!isOver) await nextTurn()
    })
  tasks.start('refresh-feeds', async () => {
    for (let turn = 0; turn < 5; turn++) await nextTurn()
    block()
    await nextTurn()
  })
  await until(() => lines.length > 0)
  isOver = true
  await tasks.idle()
  expect(lines[0]).toMatchObject({ event: 'event_loop.delayed', task: 'refresh-feeds', count: 1 })
})

test('work that blocks before it awaits anything is named, and what called it is not', async () => {
  const { lines } = watching()
  await runAsTask('caller', async () => {
    await nextTurn()
    runAsTask('page GET /leave/:key', block)
  })
  await until(() => lines.length > 0)
  expect(lines.map(({ task }) => task)).toEqual(['page GET /leave/:key'])
})

test('many short steps that leave nobody a turn are named too', async () => {
  const { lines } = watching()
  await runAsTask('sending', async () => {
    const end = performance.now() + 500
    while (performance.now() < end) await null
  })
  await until(() => lines.length > 0)
  expect(lines[0]?.task).toBe('sending')
})

test('a task has one line a minute, with how often it happened and the worst', async () => {
  const { lines, watch } = watching()
  runAsTask('rendering', block)
  await until(() => lines.length === 1)
  const looks = () => new Promise((resolve) => setTimeout(resolve, 0))
  for (let time = 0; time < 2; time++) {
    runAsTask('rendering', block)
    await looks() // timers that are due come first
    await looks()
  }
  expect(lines).toHaveLength(1)
  watch.stop()
  expect(lines).toHaveLength(2)
  expect(lines[1]).toMatchObject({ task: 'rendering', count: 2 })
})

test('work without a name is not charged to a task', async () => {
  const { lines } = watching()
  await nextTurn() // the watch begins with whole turns
  runAsTask('short', () => {})
  block()
  await until(() => lines.length > 0)
  expect(lines[0]?.task).toBe('unnamed work')
})

test('a task that was busy for a moment is not blamed when the whole process stood still', async () => {
  const { href } = new URL('../../src/', import.meta.url)
  const source = `
    import { runAsTask } from '${href}runtime/task-time.ts'
    import { EventLoopWatch } from '${href}runtime/event-loop-watch.ts'
    const log = { info() {}, error() {}, warn: (fields) => console.log(JSON.stringify(fields)) }
    new EventLoopWatch(log).start()
    setInterval(() => {}, 1000)
    await new Promise(setImmediate)
    runAsTask('short', () => {
      const end = performance.now() + 5
      while (performance.now() < end);
    })
    console.log('ready')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: Line[] = []
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === 'ready') {
        child.kill('SIGSTOP')
        block()
        block()
        child.kill('SIGCONT')
      } else lines.push(JSON.parse(line))
      if (lines.length > 0) break
    }
  } finally {
    child.kill('SIGKILL')
  }
  expect(lines.map(({ task }) => task)).toEqual(['none: this machine was busy or asleep'])
})

test('the work for a page bears the name of its route, without the id in its address', async () => {
  const site = await openSite()
  const editor = await site.signIn()
  const { now } = site.app.clock
  const stopMeasuring = measureTaskTime()
  try {
    site.app.clock.now = () => {
      block()
      return now()
    }
    takeBusiestTask()
    const { status } = await editor.get(`/studio/editions/${site.edition.id}`)
    expect(status).toBe(200)
    expect(takeBusiestTask()?.name).toBe('page GET /studio/editions/:id')
  } finally {
    stopMeasuring()
    await site.close()
  }
})
