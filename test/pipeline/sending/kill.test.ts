import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { compose } from '../../../src/editions/compose/compose.ts'
import { approve } from '../../../src/editions/review/approve.ts'
import { seal } from '../../../src/editions/seal.ts'
import { countDeliveries } from '../../../src/store/deliveries/deliveries.ts'
import { editionById } from '../../../src/store/editions/editions.ts'
import { systemClock } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { startRelay, type TestRelay } from '../../support/smtp/relay.ts'
import { newsFeed, openWorld, plainRender, publishTitles, subscribe, type World } from '../../support/world.ts'

const closing: (() => Promise<unknown>)[] = []
const people = 150
const connections = 3

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('a sender that is killed with -9', (freshUrl) => {
  async function approved(unknown: 'repeat' | 'hold') {
    const relay = await startRelay()
    closing.push(relay.close)
    const it = await openWorld({
      storeUrl: await freshUrl(),
      relayPort: relay.port,
      clock: realClock(),
      job: { unknown },
    })
    closing.push(it.close)
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await subscribe(it, people)
    const edition = await compose(it.app, it.digest, it.clock.now())
    await seal({ ...it.app, render: plainRender }, edition?.id ?? '', it.digest)
    await approve(it.app, edition?.id ?? '', 'Ada')
    return { it, relay, id: edition?.id ?? '' }
  }

  test('loses nobody, and repeats at most one message for each open connection, with the same Message-ID', async () => {
    const { it, relay, id } = await approved('repeat')
    const kills = [30, 70, 71]
    for (const at of kills) await killAt(it, relay, id, at)
    await runToEnd(it, id)
    expect(await editionById(it.app.db, id)).toMatchObject({ status: 'sent' })
    expect(await countDeliveries(it.app.db, id)).toMatchObject({ accepted: people, unknown: 0, queued: 0 })
    const copies = Map.groupBy(relay.received, (message) => message.to)
    expect(copies.size).toBe(people)
    const repeated = [...copies.values()].filter((messages) => messages.length > 1)
    expect(relay.received.length - people).toBeLessThanOrEqual(kills.length * connections)
    for (const messages of repeated) expect(new Set(messages.map(messageId)).size).toBe(1)
  })

  test('mails nobody twice under the rule `hold`: what may be out stays unknown, and is counted', async () => {
    const { it, relay, id } = await approved('hold')
    const kills = [40, 90]
    for (const at of kills) await killAt(it, relay, id, at)
    await runToEnd(it, id)
    const counts = await countDeliveries(it.app.db, id)
    expect(relay.received.length).toBe(new Set(relay.received.map((message) => message.to)).size)
    expect(counts.accepted + counts.unknown).toBe(people)
    expect(counts.unknown).toBeLessThanOrEqual(kills.length * connections)
  })
})

/** Starts a sender in a process of its own and kills it as soon as the relay has so many whole messages. */
async function killAt(it: World, relay: TestRelay, id: string, count: number): Promise<void> {
  const child = startSender(it, id)
  await relay.untilReceived(count)
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function runToEnd(it: World, id: string): Promise<void> {
  const child = startSender(it, id)
  const [code] = await once(child, 'exit')
  expect(code).toBe(0)
}

function startSender(it: World, id: string): ChildProcess {
  const source = `
    import { openApp } from './src/app.ts'
    import { silentLog } from './src/log.ts'
    import { openSender } from './src/pipeline/sending/sender.ts'
    import { sendEdition } from './src/pipeline/sending/send.ts'
    const app = await openApp({ config: ${JSON.stringify(it.app.config)}, log: silentLog })
    const sender = await openSender(app)
    await sendEdition(app, sender, ${JSON.stringify(id)}, { unknown: ${JSON.stringify(it.digest.unknown)} })
    await sender.close()
    await app.close()`
  return spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e', source],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
}

/** The processes that are killed have the real clock, so the world has it too. */
function realClock() {
  return { ...systemClock, set() {}, advance() {} }
}

function messageId({ raw }: { raw: Buffer }): string | undefined {
  return /^Message-ID: (.*)\r$/m.exec(raw.toString('latin1'))?.[1]
}
