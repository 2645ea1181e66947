import { simpleParser } from 'mailparser'
import { afterEach, expect, test } from 'vitest'
import { Relay } from '../../../src/deliveries/relays/relay.ts'
import { pauseByRule, resume } from '../../../src/editions/review/pause.ts'
import { moveEdition } from '../../../src/store/editions/editions.ts'
import type { Reason } from '../../../src/store/events/reason.ts'
import { day, minute } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { approvedEdition } from '../../support/edition.ts'
import { editionHistory } from '../../support/history.ts'
import { sendEditionNotices } from '../../support/outbox.ts'
import { startRelay } from '../../support/smtp/relay.ts'
import { openWorld } from '../../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('editors', (freshUrl) => {
  async function paused() {
    let fault: string | undefined
    const server = await startRelay((stage) => (stage === 'RCPT' ? fault : undefined))
    const it = await openWorld({ storeUrl: await freshUrl(), relayPort: server.port })
    it.app.config.publication.editors = 'desk@magazine.example'
    const relay = new Relay(it.app.config.relay)
    closing.push(server.close, it.close, () => relay.close())
    const id = await approvedEdition(it)
    await moveEdition(it.app.db, id, ['approved'], { status: 'sending' })
    const object = (reason: Reason) => pauseByRule(it.app, id, reason)
    expect(await object({ code: 'rejections-in-a-row', count: 10, domains: ['a.example'], reply: '550 no' })).toBe(true)
    const fail = (next: string | undefined) => {
      fault = next
    }
    const what = async () => (await editionHistory(it.app.db, id)).map((entry) => entry.what)
    return { it, id, server, relay, object, fail, what }
  }

  test('are called to an edition that a rule has paused, once for each time, with the reason and the way there', async () => {
    const { it, id, server, relay, object, what } = await paused()
    for (let minutes = 0; minutes < 10; minutes++) {
      await sendEditionNotices(it.app, relay)
      it.clock.advance(minute)
    }
    expect(server.accepted.map(({ to }) => to)).toEqual(['desk@magazine.example'])
    const { subject, text } = await simpleParser(server.accepted[0]?.raw ?? '')
    expect(subject).toBe('The Magazine: weekly 1 is paused')
    expect(text).toContain('10 refusals in a row that are about us, from the domain a.example')
    expect(text).toContain(`https://letters.magazine.example/studio/editions/${id}`)
    expect(await what()).toContain('Editors were notified by email')
    expect(await object({ code: 'no-answers', count: 20 })).toBe(false) // it is paused: there is no second pause, and no second call
    await resume(it.app, id, 'Ada')
    await object({ code: 'no-answers', count: 20 })
    expect(await sendEditionNotices(it.app, relay)).toBe(1)
    expect(server.accepted).toHaveLength(2)
  })

  test('are called by one of several processes', async () => {
    const { it, server, relay } = await paused()
    await Promise.all([
      sendEditionNotices(it.app, relay),
      sendEditionNotices(it.app, relay),
      sendEditionNotices(it.app, relay),
    ])
    expect(server.accepted).toHaveLength(1)
  })

  test('are called again after five minutes when the relay has something against that letter too, for a week', async () => {
    const { it, server, relay, fail } = await paused()
    fail('550 5.7.1 go away')
    expect([await sendEditionNotices(it.app, relay), await sendEditionNotices(it.app, relay)]).toEqual([0, 0])
    expect(server.commands.filter((line) => line.startsWith('RCPT'))).toHaveLength(1)
    it.clock.advance(5 * minute)
    fail(undefined)
    expect(await sendEditionNotices(it.app, relay)).toBe(1)
    const other = await paused()
    other.it.clock.advance(8 * day)
    expect(await sendEditionNotices(other.it.app, other.relay)).toBe(0)
  })

  test('whose address is refused for good are not called again, and that is on record', async () => {
    const { it, relay, fail, what } = await paused()
    fail('550 5.1.1 no such user')
    await sendEditionNotices(it.app, relay)
    expect((await what()).at(-1)).toBe('Editors could not be notified by email: 550 5.1.1 no such user')
    it.clock.advance(10 * minute)
    expect(await sendEditionNotices(it.app, relay)).toBe(0)
  })
})
