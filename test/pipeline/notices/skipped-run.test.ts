import { simpleParser } from 'mailparser'
import { afterEach, expect, test } from 'vitest'
import { type App, openApp } from '../../../src/app.ts'
import { compose } from '../../../src/editions/compose/compose.ts'
import { silentLog } from '../../../src/log.ts'
import { addSkippedRunNotices } from '../../../src/pipeline/notices/skipped-run.ts'
import { type OutboxSender, sendOutbox } from '../../../src/pipeline/outbox.ts'
import { openSender } from '../../../src/pipeline/sending/sender.ts'
import { minute } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { type Fault, startRelay } from '../../support/smtp/relay.ts'
import { newsFeed, openWorld, publishTitles } from '../../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function sendSkippedRunNotices(app: App, sender: OutboxSender): Promise<void> {
  await addSkippedRunNotices(app)
  await sendOutbox(app, sender)
}

onBothEngines('a skipped run', (freshUrl) => {
  async function skipped(notify: boolean) {
    let fault: Fault
    const relay = await startRelay((stage) => (stage === 'dot' ? fault : undefined))
    closing.push(relay.close)
    const thin = `{ minimum: 3, rule: skip, notify: ${notify} }`
    const it = await openWorld({ storeUrl: await freshUrl(), relayPort: relay.port, job: { thin } })
    closing.push(it.close)
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await compose(it.app, it.digest, it.clock.now())
    const sender = await openSender(it.app)
    closing.push(sender.close)
    const fail = (next: Fault) => {
      fault = next
    }
    return { it, tell: () => sendSkippedRunNotices(it.app, sender), relay, fail }
  }

  test('is told to the contact address once, with the reason', async () => {
    const { tell, relay } = await skipped(true)
    await tell()
    await tell()
    expect(relay.accepted.map(({ to }) => to)).toEqual(['letters@magazine.example'])
    const { subject, text } = await simpleParser(relay.accepted[0]?.raw ?? '')
    expect(subject).toBe('The Magazine: The Weekly of Fri, 27 Nov 2026, 07:00 GMT was skipped')
    expect(text).toContain('2 new articles (this digest needs 3).')
    expect(text).toMatch(/https:\/\/letters\.magazine\.example\/studio\/editions\/[0-9a-f-]{36}\n/)
  })

  test('is told again when the relay could not take it', async () => {
    const { it, tell, relay, fail } = await skipped(true)
    fail('451 4.3.0 later')
    await tell()
    expect(relay.accepted).toEqual([])
    fail(undefined)
    it.clock.advance(5 * minute)
    await tell()
    expect(relay.accepted).toHaveLength(1)
  })

  test('is told once by two processes that look at the same moment', async () => {
    const { it, tell, relay } = await skipped(true)
    const another = await openApp({ config: it.app.config, clock: it.clock, log: silentLog })
    closing.push(another.close)
    const sender = await openSender(another)
    closing.push(sender.close)
    await Promise.all([tell(), sendSkippedRunNotices(another, sender)])
    await Promise.all([tell(), sendSkippedRunNotices(another, sender)])
    expect(relay.accepted).toHaveLength(1)
  })

  test('is told by another process when the one that took it on has died over it, and not before', async () => {
    const { it, tell, relay } = await skipped(true)
    const dying = { relays: { send: () => Promise.reject(new Error('killed')) }, signers: [] }
    await expect(sendSkippedRunNotices(it.app, dying)).rejects.toThrow('killed')
    await tell()
    expect(relay.accepted).toEqual([])
    it.clock.advance(10 * minute)
    await tell()
    expect(relay.accepted).toHaveLength(1)
  })

  test('is not told where the digest does not want it', async () => {
    const { tell, relay } = await skipped(false)
    await tell()
    expect(relay.accepted).toEqual([])
  })
})
