import type { KyselyPlugin } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { GivenSlices } from '../../../src/deliveries/slice-source.ts'
import { startSending } from '../../../src/deliveries/start.ts'
import { compose } from '../../../src/editions/compose/compose.ts'
import { approve, approveByRule } from '../../../src/editions/review/approve.ts'
import { hold, pause, resume } from '../../../src/editions/review/pause.ts'
import { seal } from '../../../src/editions/seal.ts'
import { silentLog } from '../../../src/log.ts'
import { sendEdition } from '../../../src/pipeline/sending/send.ts'
import { openSender, type Sender } from '../../../src/pipeline/sending/sender.ts'
import { sendingNeeds } from '../../../src/pipeline/sending/sending-needs.ts'
import { SendingTasks } from '../../../src/pipeline/sending/sending-tasks.ts'
import { freezePage } from '../../../src/store/deliveries/audience.ts'
import { countDeliveries } from '../../../src/store/deliveries/deliveries.ts'
import { leaseSlice, slicesDue } from '../../../src/store/deliveries/slices.ts'
import { releaseSlice } from '../../../src/store/deliveries/unknown.ts'
import { transaction } from '../../../src/store/drivers/transaction.ts'
import { editionById } from '../../../src/store/editions/editions.ts'
import type { Db } from '../../../src/store/schema.ts'
import { addSubscribers } from '../../../src/store/subscribers/subscribers.ts'
import { minute, second } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { peopleAt, type Ready, readyToSend } from '../../support/ready.ts'
import { newsFeed, plainRender, publishTitles } from '../../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('the steps of sending', (freshUrl) => {
  async function ready(people: number, options: Partial<Parameters<typeof readyToSend>[0]> = {}): Promise<Ready> {
    return await readyToSend({
      storeUrl: await freshUrl(),
      people: peopleAt('readers.example', people),
      closing,
      ...options,
    })
  }

  const tasksOf = ({ it, sender }: Ready, by: Sender = sender) => new SendingTasks(it.app, by, undefined)

  async function runAll(it: Ready, tasks = tasksOf(it)): Promise<void> {
    const edition = await editionById(it.it.app.db, it.id)
    if (edition) await tasks.enqueue([edition])
    await tasks.idle()
  }

  const statusOf = async ({ it, id }: Ready) => (await editionById(it.app.db, id))?.status
  const tasks = ({ it }: Ready) => it.app.db.selectFrom('tasks').select(['kind', 'key']).execute()
  const addressesOf = ({ relay }: Ready) => relay.accepted.map(({ to }) => to).sort()

  test('send every slice of an edition once, end it, and leave no task and no lease', async () => {
    const it = await ready(240)
    await runAll(it)
    expect(await statusOf(it)).toBe('sent')
    expect(addressesOf(it)).toEqual(peopleAt('readers.example', 240).map(({ email }) => email))
    const slices = await it.it.app.db.selectFrom('slices').selectAll().orderBy('firstId').execute()
    expect(slices.map(({ workerId, dueAt, leftOpen }) => [workerId, dueAt, leftOpen])).toEqual(
      Array.from({ length: 5 }, () => [null, null, 0]),
    )
    expect(await tasks(it)).toEqual([])
  })

  test('start with the approval: a process that dies just after it leaves the task to the next worker', async () => {
    const it = await ready(5)
    const tasks = tasksOf(it)
    await tasks.enqueue([])
    await tasks.idle()
    expect(await statusOf(it)).toBe('sent')
  })

  const startTask = (id: string) => [{ kind: 'start-edition', key: id }]

  test('start with an approval by rule, and with a resumption', async () => {
    const it = await ready(120)
    const { app, digest } = it.it
    await runAll(it)
    it.it.clock.advance(second)
    await publishTitles(it.it, newsFeed, ['Four', 'Five', 'Six'])
    const { id = '' } = (await compose(app, digest, it.it.clock.now())) ?? {}
    await seal({ ...app, render: plainRender }, id, digest)
    expect(await tasks(it)).toEqual([])
    expect(await approveByRule(app, id, 'rule')).toBe(true)
    expect(await tasks(it)).toEqual(startTask(id))
    await startSending(await sendingNeeds(app, it.sender, id), id, 'repeat')
    await pause(app, id, 'Ada', 'a wrong name in it')
    await app.db.deleteFrom('tasks').execute()
    await resume(app, id, 'Ada')
    expect(await tasks(it)).toEqual(startTask(id))
  })

  test('are queued in the transaction of the approval, and not without it', async () => {
    const it = await ready(5)
    const { app, id } = { ...it.it, id: it.id }
    await hold(app, id, 'Ada', 'a wrong name in it')
    await app.db.deleteFrom('tasks').execute()
    const undone = transaction(app.db, async (db) => {
      await approve({ ...app, db }, id, 'Ada')
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect([await statusOf(it), await tasks(it)]).toEqual(['held', []])
  })

  test('leave no task after an edition is sent in the foreground', async () => {
    const it = await ready(5)
    expect(await tasks(it)).toEqual(startTask(it.id))
    await sendEdition(it.it.app, it.sender, it.id, { unknown: 'repeat' })
    expect([await statusOf(it), await tasks(it)]).toEqual(['sent', []])
  })

  test('report no failure of an edition that was sent', async () => {
    const failures: unknown[] = []
    const error = (fields: unknown) => void failures.push(fields)
    const it = await ready(60, { log: { ...silentLog, error } })
    await runAll(it)
    expect(await statusOf(it)).toBe('sent')
    expect(failures).toEqual([])
  })

  test('do no harm when they are done twice, in the wrong order, by two workers, or for what there is not', async () => {
    const it = await ready(120)
    const { db } = it.it.app
    const other = await openSender(it.it.app)
    closing.push(other.close)
    const [one, two] = [tasksOf(it), tasksOf(it, other)]
    const needs = await sendingNeeds(it.it.app, it.sender, it.id)
    await startSending(needs, it.id, 'repeat')
    await startSending(needs, it.id, 'repeat')
    const slices = await slicesDue(db, it.id, it.it.clock.now())
    expect(slices).toHaveLength(3)
    const wanted = [...slices, ...slices, 'no such slice'].map((slice, index) => ({
      kind: 'send-slice',
      key: `${index}`,
      groupKey: it.id,
      data: JSON.stringify({ edition: it.id, slice }),
      notBefore: it.it.clock.now(),
    }))
    const finish = { kind: 'finish-edition', key: 'early', groupKey: it.id, data: JSON.stringify({ edition: it.id }) }
    const nowhere = { ...finish, key: 'none', data: JSON.stringify({ edition: 'no such edition' }) }
    const rows = [...[finish, nowhere].map((row) => ({ ...row, notBefore: it.it.clock.now() })), ...wanted]
    for (const row of rows)
      await db
        .insertInto('tasks')
        .values({ ...row, id: row.key + row.kind, requests: 1, attempts: 0, workerId: null, error: null, deadAt: null })
        .execute()
    await Promise.all([runAll(it, one), runAll(it, two)])
    await runAll(it, one)
    expect(addressesOf(it)).toEqual(peopleAt('readers.example', 120).map(({ email }) => email))
    expect(await statusOf(it)).toBe('sent')
    expect(await countDeliveries(db, it.id)).toMatchObject({ accepted: 120, queued: 0, sending: 0 })
  })

  test('go on though all tasks were lost, and whoever froze the audience was killed half way', async () => {
    const it = await ready(120)
    const { db } = it.it.app
    await db.updateTable('editions').set({ status: 'sending' }).where('id', '=', it.id).execute()
    await freezePage(db, { id: it.id, digest: 'weekly' }, { after: '', size: 70 }, it.it.clock.now())
    await runAll(it)
    expect(addressesOf(it)).toEqual(peopleAt('readers.example', 120).map(({ email }) => email))
    expect(await statusOf(it)).toBe('sent')
    const people = await db.selectFrom('deliveries').select('subscriberId').orderBy('subscriberId').execute()
    const slices = await db.selectFrom('slices').select(['firstId', 'lastId']).orderBy('firstId').execute()
    expect(slices.map(({ firstId }) => people.findIndex((one) => one.subscriberId === firstId))).toEqual([0, 50, 70])
    expect(slices.map(({ lastId }) => people.findIndex((one) => one.subscriberId === lastId))).toEqual([49, 69, 119])
  })

  /** The store for a process that dies once so many statements were done: what is not committed then never is. */
  function dyingAfter(statements: number, db: Db): Db {
    let done = 0
    const dying: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        if (++done > statements) throw new Error('killed')
        return result
      },
    }
    return db.withPlugin(dying) as Db
  }

  test('lose nobody, and repeat at most one message for each connection, wherever the process is killed', async () => {
    const connections = 2
    let kills = 0
    for (const statements of [1, 6, 12, 18, 25, 38, 90]) {
      const it = await ready(60, { relay: { connections } })
      const { app } = it.it
      const dying = { ...app, db: dyingAfter(statements, app.db) as typeof app.db }
      await runAll(it, new SendingTasks(dying, it.sender, undefined)).catch(() => {})
      if ((await statusOf(it)) !== 'sent') kills += 1
      it.it.clock.advance(second)
      const next = await openSender(app)
      closing.push(next.close)
      for (let pass = 0; pass < 4 && (await statusOf(it)) !== 'sent'; pass++) {
        await runAll(it, tasksOf(it, next))
        it.it.clock.advance(minute)
      }
      const copies = it.relay.received.length
      expect([statements, await statusOf(it), new Set(addressesOf(it)).size]).toEqual([statements, 'sent', 60])
      expect(copies - 60, `after ${statements}`).toBeLessThanOrEqual(connections)
      for (const close of closing.splice(0).reverse()) await close()
    }
    expect(kills).toBeGreaterThan(4)
  }, 180_000)

  test('record an answer though the slice is lent to nobody else, and lose it once another worker has it', async () => {
    const it = await ready(120)
    const { db, store } = it.it.app
    let isStolen = false
    it.relay.holdAnswersFrom(10)
    const tasks = tasksOf(it)
    const edition = await editionById(db, it.id)
    await tasks.enqueue(edition ? [edition] : [])
    await it.relay.untilReceived(10)
    const [leased] = await db.selectFrom('slices').selectAll().where('inFlight', '!=', '[]').execute()
    if (!leased) throw new Error('nothing is in flight')
    const unknown = await releaseSlice(db, leased, it.it.clock.now()) // somebody took this worker for dead
    const owner = { editionId: it.id, workerId: 'another', firstId: leased.firstId }
    isStolen = (await leaseSlice(db, store.engine, owner, it.it.clock.now())) !== undefined
    expect([isStolen, unknown > 0]).toEqual([true, true])
    it.relay.answerAll()
    await tasks.idle()
    const { accepted, unknown: unknownNow, queued } = await countDeliveries(db, it.id)
    expect(unknownNow).toBe(unknown)
    expect(accepted + unknown + queued).toBe(120)
    const [theirs] = await db.selectFrom('slices').selectAll().where('firstId', '=', leased.firstId).execute()
    expect([theirs?.workerId, theirs?.inFlight]).toEqual(['another', '[]'])
    for (const slice of await db.selectFrom('slices').selectAll().where('workerId', '=', 'another').execute())
      await releaseSlice(db, slice, it.it.clock.now())
    for (let pass = 0; pass < 3; pass++) {
      it.it.clock.advance(minute)
      await runAll(it)
    }
    expect(await statusOf(it)).toBe('sent')
    expect(new Set(it.relay.received.map(({ to }) => to)).size).toBe(120)
    expect(it.relay.received.length - 120).toBeLessThanOrEqual(unknown)
  })

  test('stop with a pause, drop the slices that are left, and send them once the edition is resumed', async () => {
    const it = await ready(240)
    const { app } = it.it
    it.relay.holdAnswersFrom(5)
    const tasks = tasksOf(it)
    const edition = await editionById(app.db, it.id)
    await tasks.enqueue(edition ? [edition] : [])
    await it.relay.untilReceived(5)
    await pause(app, it.id, 'Ada', 'a wrong name in it')
    it.relay.answerAll()
    await tasks.idle()
    const taken = it.relay.accepted.length
    expect(taken).toBeLessThanOrEqual(10)
    expect(await countDeliveries(app.db, it.id)).toMatchObject({ accepted: taken, queued: 240 - taken, sending: 0 })
    expect(await app.db.selectFrom('tasks').select('id').execute()).toEqual([])
    await resume(app, it.id, 'Ada')
    await runAll(it)
    expect(await statusOf(it)).toBe('sent')
    expect(new Set(addressesOf(it)).size).toBe(240)
    expect(it.relay.received).toHaveLength(240)
  })

  test('of two editions take turns: the second gets its messages while the first is being sent', async () => {
    const it = await ready(240, { relay: { connections: 2 } })
    const { app, digest, clock } = it.it
    const evening = { ...digest, name: 'evening', title: 'The Evening' }
    app.digests.push(evening)
    const people = peopleAt('evening.example', 60).map(({ email }) => ({
      email,
      emailKey: email,
      name: '',
      attributes: {},
      proof: 'test',
    }))
    await addSubscribers(app.db, 'evening', people, clock.now())
    const second = (await compose(app, evening, clock.now()))?.id ?? ''
    await seal({ ...app, render: plainRender }, second, evening)
    await approve(app, second, 'Ada')
    const editions = await Promise.all([it.id, second].map((id) => editionById(app.db, id)))
    const tasks = tasksOf(it)
    it.relay.holdAnswersFrom(2)
    await tasks.enqueue(editions.flatMap((edition) => (edition ? [edition] : [])))
    await it.relay.untilReceived(2)
    it.relay.answerAll()
    await tasks.idle()
    const order = it.relay.accepted.map(({ to }) => to.split('@')[1])
    expect(order).toHaveLength(300)
    expect(order.lastIndexOf('evening.example')).toBeLessThan(order.lastIndexOf('readers.example'))
    expect([await statusOf(it), (await editionById(app.db, second))?.status]).toEqual(['sent', 'sent'])
  })

  test('send a slice that was given while the pass was about to end', async () => {
    const it = await ready(120)
    const { app } = it.it
    const needs = await sendingNeeds(app, it.sender, it.id)
    await startSending(needs, it.id, 'repeat')
    const [first = '', second = ''] = await slicesDue(app.db, it.id, it.it.clock.now())
    const given = new GivenSlices(needs, { editionId: it.id, workerId: it.sender.worker.id })
    const sent = [given.send(first)]
    expect((await given.next())?.firstId).toBe(first)
    expect([await given.next(), given.hasMore]).toEqual([undefined, false])
    sent.push(given.send(second))
    expect(given.hasMore).toBe(true)
    expect((await given.next())?.firstId).toBe(second)
    given.close()
    await Promise.all(sent)
  })
})
