import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { trustLocalhost } from '../../src/demo/localhost-tls.ts'
import { compose } from '../../src/editions/compose/compose.ts'
import { approve } from '../../src/editions/review/approve.ts'
import { seal } from '../../src/editions/seal.ts'
import { sendEdition } from '../../src/pipeline/sending/send.ts'
import { openSender, type Sender } from '../../src/pipeline/sending/sender.ts'
import { countDeliveries } from '../../src/store/deliveries/deliveries.ts'
import { editionById } from '../../src/store/editions/editions.ts'
import { minute } from '../../src/time/clock.ts'
import { onBothEngines, sqliteUrl } from '../support/databases/engines.ts'
import { type Fault, type Security, type Stage, startRelay, type TestRelay } from '../support/smtp/relay.ts'
import { newsFeed, openWorld, plainRender, publishTitles, subscribe, type World } from '../support/world.ts'

const people = 4
const plainStages: Stage[] = ['connect', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'dot']
const stagesOf: Record<Security, Stage[]> = {
  none: plainStages,
  starttls: [...plainStages, 'STARTTLS'],
  tls: plainStages,
}
const faults: [string, (stage: Stage) => Fault][] = [
  ['refuses', (stage) => (stage === 'RCPT' ? '552 5.2.2 mailbox full' : '554 5.6.0 no')],
  ['defers', () => '451 4.3.0 later'],
  ['says 421 and closes', () => '421 4.3.2 closing'],
  ['drops the connection', () => ({ drop: true })],
  ['falls silent', () => ({ hang: true })],
  ['answers one letter at a time', () => ({ slow: true })],
  ['does not speak SMTP', () => 'hello there'],
]

/** Refused for good is who was refused by name or by content: everybody else gets the message in the end. */
const refusedBy = (name: string, stage: Stage) => name === 'refuses' && ['RCPT', 'DATA', 'dot'].includes(stage)
/** Cut off inside the answer to the message: it is repeated, because it may not be out. */
const repeatedAfter = (name: string, stage: Stage) =>
  stage === 'dot' && ['drops the connection', 'falls silent', 'does not speak SMTP'].includes(name)

const none = { queued: 0, sending: 0, accepted: 0, deferred: 0, refused: 0, unknown: 0, skipped: 0 }

onBothEngines('through a faulty relay', (freshUrl) => faultMatrix('none', freshUrl))

describe('through a faulty relay over STARTTLS', () => {
  const { url, remove } = sqliteUrl()
  afterAll(remove)
  faultMatrix('starttls', async () => url)
})

function faultMatrix(security: Security, freshUrl: () => Promise<string>): void {
  let faultAt: (stage: Stage) => Fault = () => undefined
  let relay: TestRelay
  let it: World
  let sender: Sender
  let edition = 0

  beforeAll(async () => {
    // what it says before TLS is tried at STARTTLS
    const isTried = (stage: Stage, secured: boolean) =>
      stage === 'STARTTLS' || stage === 'connect' || secured === (security !== 'none')
    relay = await startRelay((stage, { secured }) => (isTried(stage, secured) ? faultAt(stage) : undefined), {
      security,
    })
    const settings = { ...trustLocalhost, security, timeout: 0.4 }
    it = await openWorld({ storeUrl: await freshUrl(), relayPort: relay.port, relay: settings })
    await subscribe(it, people)
  })
  afterAll(async () => {
    await it.close()
    await relay.close()
  })

  /** Sends an edition of its own, pass after pass, a quarter of an hour apart, until it has ended. */
  async function sentThrough(faulty: (stage: Stage) => Fault) {
    faultAt = faulty
    relay.accepted.length = 0
    relay.received.length = 0
    edition += 1
    await publishTitles(it, newsFeed, [`Story ${edition}`, `Report ${edition}`])
    const id = (await compose(it.app, it.digest, it.clock.now()))?.id ?? ''
    await seal({ ...it.app, render: plainRender }, id, it.digest)
    await approve(it.app, id, 'Ada')
    sender = await openSender(it.app)
    const ended = async () => (await editionById(it.app.db, id))?.status === 'sent'
    for (let pass = 0; pass < 8 && !(await ended()); pass++) {
      await sendEdition(it.app, sender, id, { unknown: 'repeat' })
      it.clock.advance(15 * minute)
    }
    await sender.close()
    expect(await ended()).toBe(true)
    return await countDeliveries(it.app.db, id)
  }

  describe.each(stagesOf[security])('when it, once, at %s,', (stage) => {
    test.each(faults)('%s, everybody ends in one right state, and the edition ends', async (name, fault) => {
      let met = false
      const counts = await sentThrough((at) => {
        if (at !== stage || met) return undefined
        met = true
        return fault(stage)
      })
      expect(met).toBe(true)
      const refused = refusedBy(name, stage) ? 1 : 0
      expect(counts).toEqual({ ...none, accepted: people - refused, refused })
      expect(new Set(relay.accepted.map(({ to }) => to)).size).toBe(people - refused)
      expect(relay.accepted).toHaveLength(people - refused)
      const isAnswered = repeatedAfter(name, stage) || name === 'answers one letter at a time'
      const answeredNo = stage === 'dot' && !isAnswered ? 1 : 0
      expect(relay.received.length - relay.accepted.length).toBe(repeatedAfter(name, stage) ? 1 : answeredNo)
    })
  })

  test.each([
    ['no PIPELINING', 'EHLO', '250-relay.test\r\n250 8BITMIME'],
    ['no extension at all', 'EHLO', '250 relay.test'],
    ['a greeting in three lines', 'connect', '220-welcome\r\n220-to\r\n220 relay.test'],
  ] as const)('that has %s, everything is taken', async (_, stage, reply) => {
    expect(await sentThrough((at) => (at === stage ? reply : undefined))).toEqual({ ...none, accepted: people })
    expect(relay.accepted).toHaveLength(people)
  })

  test('that answers every word one letter at a time, everything is taken', async () => {
    expect(await sentThrough(() => ({ slow: true }))).toEqual({ ...none, accepted: people })
    expect(relay.accepted).toHaveLength(people)
  })
}
