import { afterEach, describe, expect, test } from 'vitest'
import { minute } from '../../src/clock.ts'
import { compose } from '../../src/editions/compose.ts'
import { approve } from '../../src/editions/review.ts'
import { seal } from '../../src/editions/seal.ts'
import { openSender, sendEdition } from '../../src/send.ts'
import { countDeliveries } from '../../src/store/deliveries.ts'
import { editionById } from '../../src/store/editions.ts'
import { sqliteUrl } from '../support/engines.ts'
import { type Fault, type Stage, startRelay } from '../support/relay.ts'
import { newsFeed, openWorld, plainRender, show, subscribe } from '../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const people = 4
const stages: Stage[] = ['connect', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'dot']
const faults: [string, (stage: Stage) => Fault][] = [
  ['refuses', (stage) => (stage === 'RCPT' ? '550 5.1.1 no such user' : '554 5.6.0 no')],
  ['defers', () => '451 4.3.0 later'],
  ['says 421 and closes', () => '421 4.3.2 closing'],
  ['drops the connection', () => ({ drop: true })],
  ['falls silent', () => ({ hang: true })],
  ['does not speak SMTP', () => 'hello there'],
]

/** Refused for good is who was refused by name or by content: everybody else gets the message in the end. */
const refusedBy = (name: string, stage: Stage) => name === 'refuses' && ['RCPT', 'DATA', 'dot'].includes(stage)
/** Cut off inside the answer to the message: it is repeated, because it may not be out. */
const repeatedAfter = (name: string, stage: Stage) =>
  stage === 'dot' && ['drops the connection', 'falls silent', 'does not speak SMTP'].includes(name)

describe.each(stages)('when the relay, once, at %s,', (stage) => {
  test.each(faults)('%s, everybody ends in one right state, and the edition ends', async (name, fault) => {
    let met = false
    const { relay, counts } = await sentThrough((at) => {
      if (at !== stage || met) return undefined
      met = true
      return fault(stage)
    })
    expect(met).toBe(true)
    const refused = refusedBy(name, stage) ? 1 : 0
    expect(counts).toEqual({ ...none, accepted: people - refused, refused })
    expect(new Set(relay.taken.map(({ to }) => to)).size).toBe(people - refused)
    expect(relay.taken).toHaveLength(people - refused)
    const answeredNo = stage === 'dot' && !repeatedAfter(name, stage) ? 1 : 0
    expect(relay.whole.length - relay.taken.length).toBe(repeatedAfter(name, stage) ? 1 : answeredNo)
  })
})

test.each([
  ['no PIPELINING', 'EHLO', '250-relay.test\r\n250 8BITMIME'],
  ['no extension at all', 'EHLO', '250 relay.test'],
  ['a greeting in three lines', 'connect', '220-welcome\r\n220-to\r\n220 relay.test'],
] as const)('a relay with %s takes everything', async (_, stage, reply) => {
  const { relay, counts } = await sentThrough((at) => (at === stage ? reply : undefined))
  expect(counts).toEqual({ ...none, accepted: people })
  expect(relay.taken).toHaveLength(people)
})

const none = { queued: 0, sending: 0, accepted: 0, deferred: 0, refused: 0, unknown: 0, skipped: 0 }

/** Sends an edition, pass after pass, a quarter of an hour apart, until it has ended. */
async function sentThrough(faultAt: (stage: Stage) => Fault) {
  const relay = await startRelay(faultAt)
  closing.push(relay.close)
  const store = sqliteUrl()
  closing.push(store.remove)
  const it = await openWorld({ storeUrl: store.url, relayPort: relay.port, relay: { timeout: 0.4 } })
  closing.push(it.close)
  await show(it, newsFeed, ['One', 'Two'])
  await subscribe(it, people)
  const id = (await compose(it.app, it.digest, it.clock.now()))?.id ?? ''
  await seal({ ...it.app, render: plainRender }, id, it.digest)
  await approve(it.app, id, 'Ada')
  const sender = await openSender(it.app)
  closing.push(sender.close)
  const ended = async () => (await editionById(it.app.db, id))?.status === 'sent'
  for (let pass = 0; pass < 8 && !(await ended()); pass++) {
    await sendEdition(it.app, sender, id, { unknown: 'repeat' })
    it.clock.advance(15 * minute)
  }
  expect(await ended()).toBe(true)
  return { relay, counts: await countDeliveries(it.app.db, id) }
}
