import { sql } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { silentLog } from '../../src/log.ts'
import { EmbeddedQueue } from '../../src/queue/embedded.ts'
import type { Task } from '../../src/queue/queue.ts'
import { openStore } from '../../src/store/open.ts'
import { addWorker, removeWorker } from '../../src/store/system/workers.ts'
import { minute, second } from '../../src/time/clock.ts'
import { fakeClock } from '../support/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const task = (key: string, group = 'one'): Task => ({ kind: 'count', key, group, data: { key } })

onBothEngines('a queue in the store', (freshUrl) => {
  async function ready() {
    const clock = fakeClock()
    const { db, engine, close } = await openStore(await freshUrl(), clock)
    closing.push(close)
    const queueOf = async (workerId: string, signal?: AbortSignal, log = silentLog) => {
      await addWorker(db, { id: workerId, host: '', pid: 1, startedAt: '', seenAt: clock.now(), command: null })
      return new EmbeddedQueue({ db, engine, clock, log, workerId, signal })
    }
    const rows = () => db.selectFrom('tasks').selectAll().orderBy('key').execute()
    return { db, clock, queueOf, rows }
  }

  async function runAll(queue: EmbeddedQueue) {
    queue.wake()
    await queue.idle()
  }

  test('hands out what was added in a transaction that is committed, once, and not before its time', async () => {
    const { db, clock, queueOf, rows } = await ready()
    const queue = await queueOf('a')
    const done: string[] = []
    queue.work('count', { parallelOfGroup: 2, handle: async ({ key = '' }) => void done.push(key) })
    const undone = db.transaction().execute(async (trx) => {
      await queue.enqueue(trx, [task('never')])
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    await queue.enqueue(db, [task('1'), task('2'), { ...task('later'), notBefore: '2026-11-27T08:00:00.000Z' }])
    await queue.enqueue(db, [task('1')])
    await runAll(queue)
    expect(done).toEqual(['1', '2'])
    clock.set('2026-11-27T08:00:00.000Z')
    await runAll(queue)
    expect([done, await rows()]).toEqual([['1', '2', 'later'], []])
  })

  test('lets groups take turns, and does so many of one at a time', async () => {
    const { db, queueOf } = await ready()
    const queue = await queueOf('a')
    const begun: string[] = []
    const { promise: slow, resolve } = Promise.withResolvers<void>()
    const handle = async ({ key = '' }) => {
      begun.push(key)
      if (key.startsWith('slow')) await slow
    }
    queue.work('count', { parallelOfGroup: 2, handle })
    await queue.enqueue(
      db,
      ['slow 1', 'slow 2', 'slow 3'].map((key) => task(key, 'slow')),
    )
    await queue.enqueue(
      db,
      ['quick 1', 'quick 2', 'quick 3'].map((key) => task(key, 'quick')),
    )
    queue.wake()
    while (!begun.includes('quick 3')) await new Promise(setImmediate)
    expect(begun.filter((key) => key.startsWith('slow'))).toEqual(['slow 1', 'slow 2'])
    resolve()
    await queue.idle()
    expect(begun).toHaveLength(6)
  })

  test('starts no task after the abort, also when it is looking for tasks at that moment', async () => {
    const { db, queueOf, rows } = await ready()
    const ending = new AbortController()
    const queue = await queueOf('a', ending.signal)
    const begun: string[] = []
    const handle = async ({ key = '' }) => {
      begun.push(key)
      ending.abort()
    }
    queue.work('count', { parallelOfGroup: 1, handle })
    await queue.enqueue(db, [task('1', 'one'), task('2', 'two'), task('3', 'three')])
    await runAll(queue)
    await runAll(queue)
    expect(begun).toHaveLength(1)
    expect(await rows()).toMatchObject([{ workerId: null }, { workerId: null }])
  })

  test('does a task again that was asked for while it was done', async () => {
    const { db, queueOf, rows } = await ready()
    const queue = await queueOf('a')
    let times = 0
    const handle = async () => {
      times += 1
      if (times === 1) await queue.enqueue(db, [task('1')])
    }
    queue.work('count', { parallelOfGroup: 1, handle })
    await queue.enqueue(db, [task('1')])
    await runAll(queue)
    expect([times, await rows()]).toEqual([2, []])
  })

  test('tries what fails again, with growing waits, and puts it aside at last; an operator may revive it', async () => {
    const { db, clock, queueOf } = await ready()
    const queue = await queueOf('a')
    let isBroken = true
    const tries: string[] = []
    const handle = async () => {
      tries.push(clock.now().slice(11, 19))
      if (isBroken) throw new Error('the printer is on fire')
    }
    queue.work('count', { parallelOfGroup: 1, maxAttempts: 3, handle })
    await queue.enqueue(db, [task('1')])
    for (let tick = 0; tick < 60; tick++) {
      await runAll(queue)
      clock.advance(second)
    }
    expect(tries).toEqual(['07:00:00', '07:00:05', '07:00:15'])
    const [dead] = await queue.dead()
    expect(dead).toMatchObject({ key: '1', attempts: 3, error: 'the printer is on fire' })
    isBroken = false
    await queue.revive(dead?.id ?? '')
    await runAll(queue)
    expect([tries.length, await queue.dead()]).toEqual([4, []])
  })

  test('reports a failure that cannot be recorded, and runs the task again later', async () => {
    const { db, queueOf } = await ready()
    const events: unknown[] = []
    const collect = ({ event }: { event?: unknown }) => void events.push(event)
    const queue = await queueOf('a', undefined, { info: collect, warn: collect, error: collect })
    let runs = 0
    const handle = async () => {
      runs += 1
      if (runs > 1) return
      await sql`alter table tasks rename to tasks_away`.execute(db)
      throw new Error('the printer is on fire')
    }
    queue.work('count', { parallelOfGroup: 1, handle })
    await queue.enqueue(db, [task('1')])
    await runAll(queue)
    expect(events.slice(0, 2)).toEqual(['task.failed', 'task.unrecorded'])
    await sql`alter table tasks_away rename to tasks`.execute(db)
    await runAll(queue)
    expect([runs, await db.selectFrom('tasks').selectAll().execute()]).toEqual([2, []])
  })

  test('gives a task to one of two workers, and to another once that one is gone', async () => {
    const { db, clock, queueOf, rows } = await ready()
    const [one, two] = [await queueOf('one'), await queueOf('two')]
    const done: string[] = []
    const { promise: never } = Promise.withResolvers<void>()
    one.work('count', { parallelOfGroup: 1, handle: () => never })
    two.work('count', { parallelOfGroup: 1, handle: async ({ key = '' }) => void done.push(key) })
    await one.enqueue(db, [task('1')])
    one.wake()
    while ((await rows())[0]?.workerId !== 'one') await new Promise(setImmediate)
    clock.advance(10 * minute)
    await runAll(two)
    expect(done).toEqual([])
    await removeWorker(db, 'one')
    await runAll(two)
    expect([done, await rows()]).toEqual([['1'], []])
  })
})
