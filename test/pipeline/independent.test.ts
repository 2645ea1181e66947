import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { compose } from '../../src/editions/compose/compose.ts'
import type { Digest } from '../../src/editions/digest.ts'
import { retractArticle } from '../../src/editions/retract.ts'
import { EditionPipeline } from '../../src/pipeline/advance.ts'
import { openSender, type Sender } from '../../src/pipeline/sending/sender.ts'
import { choicesOf } from '../../src/store/editions/choices.ts'
import { editionById, latestEditions } from '../../src/store/editions/editions.ts'
import { variantsOf } from '../../src/store/editions/variants.ts'
import { addSubscribers } from '../../src/store/subscribers/subscribers.ts'
import { systemClock } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { advanceEditions, makeDueEditions } from '../support/pipeline.ts'
import { startRelay, type TestRelay } from '../support/smtp/relay.ts'
import {
  newsFeed,
  openWorld,
  plainRender,
  publishTitles,
  subscribe,
  type World,
  type WorldOptions,
} from '../support/world.ts'

const closing: (() => Promise<unknown> | unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A second digest beside `weekly`, that reads the same feed. */
function addDigest(it: World, changes: Partial<Digest> = {}): Digest {
  const digest = { ...it.digest, name: 'evening', title: 'The Evening', ...changes }
  it.app.digests.push(digest)
  return digest
}

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await pause(20)
}

onBothEngines('digests', (freshUrl) => {
  type Slow = { it: World; relay: TestRelay; sender: Sender; slow: string; evening: Digest }

  /** `weekly` has an edition that takes 30 seconds to send; `evening` has three subscribers. */
  async function slowlySending(changes: Partial<Digest> = {}): Promise<Slow> {
    const relay = await startRelay()
    closing.push(relay.close)
    const clock = { ...systemClock, set() {}, advance() {} }
    const options: WorldOptions = { storeUrl: await freshUrl(), relayPort: relay.port, relay: { perSecond: 2 }, clock }
    const it = await openWorld(options)
    closing.push(it.close)
    it.app.render = plainRender
    const evening = addDigest(it, changes)
    await subscribe(it, 60)
    const people = ['ann', 'ben', 'cem'].map((name) => `${name}@evening.example`)
    const rows = people.map((email) => ({ email, emailKey: email, name: '', attributes: {}, proof: 'test' }))
    await addSubscribers(it.app.db, evening.name, rows, clock.now())
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three', 'Four'])
    const slow = (await compose(it.app, it.digest, clock.now()))?.id ?? ''
    const sender = await openSender(it.app)
    closing.push(sender.close)
    return { it, relay, sender, slow, evening }
  }

  function pipelineOf({ it, sender }: Slow): EditionPipeline {
    const stopping = new AbortController()
    const pipeline = new EditionPipeline(it.app, sender, stopping.signal)
    closing.push(async () => {
      stopping.abort()
      await pipeline.idle()
    })
    return pipeline
  }

  const statusOf = async ({ it }: Slow, id: string) => (await editionById(it.app.db, id))?.status

  test('do not wait for one that is sent slowly: the next is sealed, approved and sent meanwhile', async () => {
    const stage = await slowlySending()
    const pipeline = pipelineOf(stage)
    await pipeline.advance()
    await stage.relay.untilReceived(1)
    const quick = (await compose(stage.it.app, stage.evening, stage.it.clock.now()))?.id ?? ''
    await pipeline.advance()
    await until(async () => (await statusOf(stage, quick)) === 'sent')
    expect(await statusOf(stage, stage.slow)).toBe('sending')
    expect(stage.relay.accepted.filter(({ to }) => to.endsWith('@evening.example'))).toHaveLength(3)
  })

  test('are sealed anew after an article was removed, while another is sent', async () => {
    const shut = { from: '00:00', to: '00:01', days: [] } as unknown as NonNullable<Digest['window']>
    const stage = await slowlySending({ window: shut })
    const { it, evening } = stage
    const pipeline = pipelineOf(stage)
    await pipeline.advance()
    await stage.relay.untilReceived(1)
    const waiting = (await compose(it.app, evening, it.clock.now()))?.id ?? ''
    await pipeline.advance()
    await until(async () => (await statusOf(stage, waiting)) === 'approved')
    const [before] = await variantsOf(it.app.db, waiting)
    const [lead] = await choicesOf(it.app.db, waiting)
    await retractArticle(it.app, lead?.url ?? '', { who: 'Ada', reason: 'it is not true' })
    expect(await statusOf(stage, waiting)).toBe('composed')
    await until(async () => {
      await pipeline.advance()
      return (await statusOf(stage, waiting)) === 'approved'
    })
    const [after] = await variantsOf(it.app.db, waiting)
    expect(before?.text).toContain(lead?.title)
    expect(after?.text).not.toContain(lead?.title)
    expect(await statusOf(stage, stage.slow)).not.toBe('sent')
  })

  test('all stop when the signal fires: nothing more is begun, and what is in flight is waited for', async () => {
    const stage = await slowlySending()
    const stopping = new AbortController()
    const advancing = advanceEditions(stage.it.app, stage.sender, stopping.signal)
    await stage.relay.untilReceived(2)
    stopping.abort()
    await advancing
    const { received: whole, accepted: taken } = stage.relay
    expect(whole.length).toBeLessThan(60)
    const accepted = await stage.it.app.db.selectFrom('deliveries').select('status').execute()
    expect(accepted.filter(({ status }) => status === 'accepted')).toHaveLength(taken.length)
    expect(accepted.filter(({ status }) => status === 'sending')).toEqual([])
  })

  test('are made when they are due though the feeds of another do not answer', async () => {
    const hanging: ServerResponse[] = []
    const server = createServer((_, response) => void hanging.push(response)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => server.close())
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const it = await openWorld({ storeUrl: await freshUrl(), feeds: { allow: [address] } })
    closing.push(it.close)
    const [latest] = it.digest.sections
    if (latest) latest.feeds = [`http://${address}/latest.xml`]
    addDigest(it, {
      sections: it.digest.sections.map((one) => ({ ...one, feeds: one.feeds.length ? [newsFeed] : [] })),
    })
    it.clock.set('2026-11-27T06:00:00.000Z')
    await makeDueEditions(it.app)
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three'])
    it.clock.set('2026-11-27T07:00:00.000Z')
    it.app.render = plainRender
    const sender = await openSender(it.app)
    closing.push(sender.close)
    const pipeline = new EditionPipeline(it.app, sender)
    const made = async () => (await latestEditions(it.app.db, { limit: 9 })).map(({ digest }) => digest)
    pipeline.makeDue()
    await until(async () => (await made()).length === 1)
    await publishTitles(it, newsFeed, ['Four', 'Five', 'Six'])
    it.clock.set('2026-12-04T07:00:00.000Z')
    await until(async () => {
      pipeline.makeDue()
      return (await made()).length === 2
    })
    expect(await made()).toEqual(['evening', 'evening'])
    for (const response of hanging) response.writeHead(503).end()
    await pipeline.idle()
    expect((await made()).sort()).toEqual(['evening', 'evening', 'weekly'])
  })

  test('are made though another cannot be, which is logged with its stack', async () => {
    const it = await openWorld({ storeUrl: await freshUrl() })
    closing.push(it.close)
    addDigest(it)
    const logged: Record<string, unknown>[] = []
    const app = { ...it.app, log: { info() {}, warn() {}, error: (fields: object) => void logged.push({ ...fields }) } }
    it.clock.set('2026-11-27T06:00:00.000Z')
    await makeDueEditions(app)
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three'])
    for (const digest of it.app.digests) await subscribe({ ...it, digest }, 1)
    Object.assign(it.digest, { thin: undefined })
    it.clock.set('2026-11-27T07:00:00.000Z')
    expect(await makeDueEditions(app)).toBe(1)
    expect(logged).toEqual([{ event: 'edition.make_failed', digest: 'weekly', err: expect.any(TypeError) }])
    expect(logged[0]).toMatchObject({ err: { stack: expect.stringContaining('thin.ts') } })
  })
})
