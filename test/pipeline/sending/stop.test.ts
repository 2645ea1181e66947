import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { resumeAllSending, stopAllSending } from '../../../src/deliveries/sending-stop.ts'
import { restoreArticle, retractArticle } from '../../../src/editions/retract.ts'
import { cancel } from '../../../src/editions/review/cancel.ts'
import { pause, resume } from '../../../src/editions/review/pause.ts'
import { sendEdition } from '../../../src/pipeline/sending/send.ts'
import { openSender, type Sender } from '../../../src/pipeline/sending/sender.ts'
import { countDeliveries } from '../../../src/store/deliveries/deliveries.ts'
import { choicesOf } from '../../../src/store/editions/choices.ts'
import { editionById } from '../../../src/store/editions/editions.ts'
import { subscriberByEmail } from '../../../src/store/subscribers/subscribers.ts'
import { leave } from '../../../src/subscribers/leave.ts'
import { suppress } from '../../../src/subscribers/suppress.ts'
import { systemClock } from '../../../src/time/clock.ts'
import { onBothEngines, sqliteUrl } from '../../support/databases/engines.ts'
import { approvedEdition } from '../../support/edition.ts'
import { advanceEditions } from '../../support/pipeline.ts'
import { startRelay, type TestRelay } from '../../support/smtp/relay.ts'
import { openWorld, subscribe, type World } from '../../support/world.ts'

const closing: (() => unknown)[] = []
const people = 120
/** The relay holds back its answers from this message on, until the test has stopped the sending, or done what it does. */
const heldFrom = 20
const connections = 4

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

type Stage = { it: World; relay: TestRelay; id: string; sender: Sender }

async function approvedFor(storeUrl: string, count = people): Promise<Stage> {
  const relay = await startRelay()
  closing.push(relay.close)
  const clock = { ...systemClock, set() {}, advance() {} } // processes of their own have the real clock
  const it = await openWorld({ storeUrl, relayPort: relay.port, relay: { connections, timeout: 60 }, clock })
  closing.push(it.close)
  await subscribe(it, count)
  const id = await approvedEdition(it)
  const sender = await openSender(it.app)
  closing.push(sender.close)
  return { it, relay, id, sender }
}

const send = ({ it, sender, id }: Stage) => sendEdition(it.app, sender, id, { unknown: 'repeat' })
const status = async ({ it, id }: Stage) => (await editionById(it.app.db, id))?.status

/** The address of the article on top of the edition. */
async function leadOf({ it, id }: Stage): Promise<string> {
  return (await choicesOf(it.app.db, id))[0]?.url ?? ''
}

type Stop = { act(stage: Stage): Promise<unknown>; undo(stage: Stage): Promise<unknown> }

const stops: Record<string, Stop> = {
  'stopping all sending': {
    act: ({ it }) => stopAllSending(it.app, { who: 'Ada', reason: 'the wrong list' }),
    undo: ({ it }) => resumeAllSending(it.app, 'Ada'),
  },
  'a pause': {
    act: ({ it, id }) => pause(it.app, id, 'Ada', 'a wrong name in it'),
    undo: ({ it, id }) => resume(it.app, id, 'Ada'),
  },
  'a retracted article': {
    act: async (stage) => retractArticle(stage.it.app, await leadOf(stage), { who: 'Ada', reason: 'it is not true' }),
    async undo(stage) {
      await restoreArticle(stage.it.app, await leadOf(stage), 'Ada')
      await resume(stage.it.app, stage.id, 'Ada')
    },
  },
}

/** Sends, does something in the middle, and goes on; returns what the server had when that was committed. */
async function sendAnd(stage: Stage, act: Stop['act']): Promise<{ atCommit: number }> {
  stage.relay.holdAnswersFrom(heldFrom)
  const sending = send(stage)
  await stage.relay.untilReceived(heldFrom)
  await act(stage)
  const atCommit = stage.relay.received.length
  stage.relay.answerAll()
  await sending
  return { atCommit }
}

onBothEngines('an edition that is being sent', (freshUrl) => {
  test.each(Object.keys(stops))(
    'is stopped by %s: no message begins after that but those that were claimed; undone, it reaches the rest, each once',
    async (name) => {
      const { act, undo } = stops[name] as Stop
      const stage = await approvedFor(await freshUrl())
      const { relay, it, id } = stage
      const { atCommit } = await sendAnd(stage, act)
      expect(relay.received.length).toBeLessThanOrEqual(atCommit + connections)
      expect(relay.received.length).toBeLessThan(people)
      expect(await countDeliveries(it.app.db, id)).toMatchObject({
        accepted: relay.accepted.length,
        queued: people - relay.accepted.length,
      })
      await undo(stage)
      expect(await send(stage)).toMatchObject({ finished: true, counts: { accepted: people } })
      expect(new Set(relay.received.map(({ to }) => to)).size).toBe(people)
      expect(relay.received).toHaveLength(people)
    },
  )

  test('is stopped by a cancellation in the same way, and for good', async () => {
    const stage = await approvedFor(await freshUrl())
    const { relay, it, id } = stage
    const { atCommit } = await sendAnd(stage, () => cancel(it.app, id, 'Ada', 'the minister resigned'))
    expect(relay.received.length).toBeLessThanOrEqual(atCommit + connections)
    const accepted = relay.accepted.length
    expect(await countDeliveries(it.app.db, id)).toMatchObject({ accepted, skipped: people - accepted, queued: 0 })
    expect(await status(stage)).toBe('cancelled')
  })

  test('reaches nobody who left, or was suppressed, while others got theirs', async () => {
    const stage = await approvedFor(await freshUrl())
    const { relay, it, id } = stage
    const gone = [people - 20, people - 10].map((number) => `reader${String(number).padStart(5, '0')}@readers.example`)
    await sendAnd(stage, async () => {
      const [left, suppressed] = await Promise.all(gone.map((email) => subscriberByEmail(it.app.db, email)))
      await leave(it.app, { subscriberId: left?.id ?? '', digest: 'weekly', editionId: id, how: 'page' })
      const reason = { code: 'text' as const, text: 'a complaint' }
      await suppress(it.app.db, { subscriberId: suppressed?.id ?? '', editionId: id, reason }, it.clock.now())
    })
    const got = new Set(relay.received.map(({ to }) => to))
    expect([...gone.filter((email) => got.has(email)), got.size]).toEqual([people - 2])
    expect(await countDeliveries(it.app.db, id)).toMatchObject({ accepted: people - 2, skipped: 2 })
  })

  test('in another process is stopped too, when this one stops all sending', async () => {
    const stage = await approvedFor(await freshUrl())
    const { relay, it, id } = stage
    const child = startSender(it, id)
    relay.holdAnswersFrom(heldFrom)
    await relay.untilReceived(heldFrom)
    await stopAllSending(it.app, { who: 'Ada', reason: 'the wrong list' })
    const atCommit = relay.received.length
    relay.answerAll()
    await once(child, 'exit')
    expect(relay.received.length).toBeLessThanOrEqual(atCommit + connections)
    expect(relay.received.length).toBeLessThan(people)
    expect(await status(stage)).toBe('sending')
  })
})

describe('stopping all sending', () => {
  test('lets nothing begin: what is approved stays approved, whichever process looks, and goes out when it is off', async () => {
    const { url, remove } = sqliteUrl()
    closing.push(remove)
    const stage = await approvedFor(url, 5)
    const { it, sender, relay } = stage
    await stopAllSending(it.app, { who: 'Ada', reason: 'the wrong list' })
    await expect(stopAllSending(it.app, { who: 'Mira', reason: 'another' })).rejects.toThrow(
      /^all sending has been stopped since .* by Ada: the wrong list$/,
    )
    const report = await send(stage)
    expect(report).toMatchObject({
      finished: false,
      over: true,
      stopped: { code: 'all-sending-stopped' },
    })
    await advanceEditions(it.app, sender)
    expect([await status(stage), relay.received.length]).toEqual(['approved', 0])
    await resumeAllSending(it.app, 'Mira')
    await expect(resumeAllSending(it.app, 'Mira')).rejects.toThrow('sending is not stopped')
    await advanceEditions(it.app, sender)
    expect([await status(stage), relay.accepted.length]).toEqual(['sent', 5])
  })
})

test('two processes that send from one SQLite file reach everybody once, and both take part', async () => {
  const { url, remove } = sqliteUrl()
  closing.push(remove)
  const stage = await approvedFor(url)
  const { it, id, relay } = stage
  const children = [startSender(it, id, 'waits'), startSender(it, id, 'waits')]
  const ends = children.map((child) => once(child, 'exit'))
  await Promise.all(children.map((child) => once(child, 'message'))) // both are ready
  relay.holdAnswersFrom(1)
  for (const child of children) child.send('go')
  const senders = () =>
    it.app.db.selectFrom('slices').select('workerId').where('inFlight', '!=', '[]').distinct().execute()
  while ((await senders()).length < 2) await setImmediate() // until each waits for an answer
  relay.answerAll()
  expect((await Promise.all(ends)).map(([code]) => code)).toEqual([0, 0])
  await send(stage).catch(() => {}) // the first to end may have left the closing of the edition to the other
  expect(await status(stage)).toBe('sent')
  expect(relay.received).toHaveLength(people)
  expect(new Set(relay.received.map(({ to }) => to)).size).toBe(people)
  const workers = await it.app.db.selectFrom('deliveries').select('workerId').distinct().execute()
  expect(workers.length).toBeGreaterThanOrEqual(2)
})

/** Sends in a process of its own; one that `waits` says when it is ready, and is told when to begin. */
function startSender(it: World, id: string, start: 'at once' | 'waits' = 'at once'): ChildProcess {
  const wait = "process.send('ready'); await once(process, 'message'); process.disconnect()"
  const source = `
    import { once } from 'node:events'
    import { openApp } from './src/app.ts'
    import { silentLog } from './src/log.ts'
    import { openSender } from './src/pipeline/sending/sender.ts'
    import { sendEdition } from './src/pipeline/sending/send.ts'
    const app = await openApp({ config: ${JSON.stringify(it.app.config)}, log: silentLog })
    const sender = await openSender(app)
    ${start === 'waits' ? wait : ''}
    await sendEdition(app, sender, ${JSON.stringify(id)}, { unknown: 'repeat' })
    await sender.close()
    await app.close()`
  const node = ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e', source]
  const ipc = start === 'waits' ? (['ipc'] as const) : []
  return spawn(process.execPath, node, { stdio: ['ignore', 'ignore', 'inherit', ...ipc] })
}
