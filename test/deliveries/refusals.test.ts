import { afterEach, expect, test } from 'vitest'
import { describeReason } from '../../src/describe/describe.ts'
import { sendEdition } from '../../src/pipeline/sending/send.ts'
import { openSender } from '../../src/pipeline/sending/sender.ts'
import { countDeliveries } from '../../src/store/deliveries/deliveries.ts'
import type { Reason } from '../../src/store/events/reason.ts'
import { toJson } from '../../src/store/json.ts'
import { outcomesOf } from '../../src/store/subscribers/outcomes.ts'
import { countActive, subscriberByEmail, subscriptionsOf } from '../../src/store/subscribers/subscribers.ts'
import { leave } from '../../src/subscribers/leave.ts'
import { unsuppress } from '../../src/subscribers/suppress.ts'
import { day, hour } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { approvedEdition, subscribeAddresses } from '../support/edition.ts'
import { resubscribe } from '../support/resubscribe.ts'
import { startRelay } from '../support/smtp/relay.ts'
import { openWorld } from '../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const mira = 'mira@readers.example'
const tom = 'tom@readers.example'

onBothEngines('a person whose address is refused', (freshUrl) => {
  async function open() {
    let answer: string | undefined
    const server = await startRelay((stage, { to }) => (stage === 'RCPT' && to === mira ? answer : undefined))
    closing.push(server.close)
    const it = await openWorld({ storeUrl: await freshUrl(), relayPort: server.port })
    closing.push(it.close)
    await subscribeAddresses(it, [mira, tom])
    const person = async () => {
      const found = await subscriberByEmail(it.app.db, mira)
      if (!found) throw new Error('nobody')
      return found
    }
    /** Sends another edition, to which Mira's server answers so. */
    const send = async (says: string | undefined) => {
      answer = says
      const id = await approvedEdition(it)
      const sender = await openSender(it.app)
      await sendEdition(it.app, sender, id, { unknown: 'repeat' })
      await sender.close()
      return id
    }
    const outcomes = async () => (await outcomesOf(it.app.db, (await person()).id)).map(({ kind }) => kind)
    return { it, server, person, send, outcomes }
  }

  test('for good is suppressed at once, in the words of the server and on record, and nobody else is', async () => {
    const { it, server, person, send } = await open()
    const id = await send('550 5.1.1 no such user')
    const { suppressedAt, suppressedReason, id: subscriberId } = await person()
    const reason: Reason = { code: 'refused', cause: 'no-such-mailbox', reply: '550 5.1.1 no such user' }
    expect([suppressedAt, suppressedReason]).toEqual([it.clock.now(), toJson(reason)])
    expect(describeReason(reason)).toBe('there is no such mailbox: 550 5.1.1 no such user')
    expect(await outcomesOf(it.app.db, subscriberId)).toMatchObject([
      { kind: 'suppress', editionId: id, detail: toJson(reason) },
    ])
    expect(await countDeliveries(it.app.db, id)).toMatchObject({ refused: 1, accepted: 1 })
    it.clock.advance(day)
    const next = await send(undefined)
    expect(await countDeliveries(it.app.db, next)).toMatchObject({ accepted: 1, refused: 0, skipped: 0 })
    expect(server.accepted.map(({ to }) => to)).toEqual([tom, tom])
  })

  test('in a way that may pass is suppressed when the next edition is refused too', async () => {
    const { it, person, send, outcomes } = await open()
    await send('550 5.2.1 the mailbox is disabled')
    expect((await person()).suppressedAt).toBeNull()
    expect(await outcomes()).toEqual(['bounce'])
    it.clock.advance(7 * day)
    await send('550 Requested action not taken: mailbox unavailable')
    const reply = '550 Requested action not taken: mailbox unavailable'
    const reason = toJson<Reason>({ code: 'refused', cause: 'address-refused', reply })
    expect((await person()).suppressedReason).toBe(reason)
    expect(await outcomes()).toEqual(['bounce', 'suppress'])
  })

  test('is not suppressed when an edition was taken between, or both are of one morning', async () => {
    const { it, person, send } = await open()
    await send('550 5.2.1 the mailbox is disabled')
    it.clock.advance(hour)
    await send('550 5.2.1 the mailbox is disabled')
    it.clock.advance(7 * day)
    await send(undefined)
    it.clock.advance(7 * day)
    await send('550 5.2.1 the mailbox is disabled')
    expect((await person()).suppressedAt).toBeNull()
  })

  test('for a reason that is not theirs, or that passes, or that nobody names, is never suppressed', async () => {
    const { it, person, send, outcomes } = await open()
    for (const answer of ['552 5.2.2 mailbox full', '550 5.7.1 not wanted here', '450 4.2.1 try again', '550 No'])
      for (let edition = 0; edition < 2; edition++) {
        await send(answer)
        it.clock.advance(7 * day)
      }
    expect([(await person()).suppressedAt, await outcomes()]).toEqual([null, []])
  })

  test('stays suppressed whoever imports them, and comes back only by the staff, on record', async () => {
    const { it, server, person, send, outcomes } = await open()
    const { app } = it
    await send('550 5.1.1 no such user')
    expect(await subscribeAddresses(it, [mira, 'zoe@readers.example'])).toBe(1)
    const act = { subscriberId: (await person()).id, digest: 'weekly', editionId: null, how: 'page' }
    await leave(app, act)
    expect(await resubscribe(app, act)).toBe('suppressed')
    expect((await subscriptionsOf(app.db, act.subscriberId))[0]?.leftAt).not.toBeNull()
    expect([(await person()).suppressedAt === null, await countActive(app.db, 'weekly')]).toEqual([false, 2])

    const before = await unsuppress(app, 'Mira@Readers.example', { who: 'Ada', reason: 'she wrote to us' })
    expect(before.suppressedReason).toContain('no such user')
    expect((await person()).suppressedAt).toBeNull()
    expect(await resubscribe(app, act)).toBe('resubscribed')
    expect(await outcomes()).toEqual(expect.arrayContaining(['suppress', 'leave', 'release', 'return']))
    const record = (await outcomesOf(app.db, act.subscriberId)).find(({ kind }) => kind === 'release')
    expect(record && describeReason(record.detail)).toMatch(
      /^by Ada: she wrote to us; it was suppressed on .*no such user$/,
    )
    await send(undefined)
    expect(server.accepted.filter(({ to }) => to === mira)).toHaveLength(1)
  })

  test('is judged anew after a release: one refusal that may pass does not suppress again', async () => {
    const { it, person, send } = await open()
    await send('550 5.2.1 the mailbox is disabled')
    it.clock.advance(day)
    await send('550 5.2.1 the mailbox is disabled')
    it.clock.advance(day)
    await unsuppress(it.app, mira, { who: 'Ada', reason: '' })
    await send('550 5.2.1 the mailbox is disabled')
    expect((await person()).suppressedAt).toBeNull()
  })

  test('cannot be released when they are not suppressed, or not known', async () => {
    const { it } = await open()
    await expect(unsuppress(it.app, mira, { who: 'Ada', reason: '' })).rejects.toThrow(
      'mira@readers.example is not suppressed',
    )
    await expect(unsuppress(it.app, 'nobody at all', { who: 'Ada', reason: '' })).rejects.toThrow(
      'no subscriber has the address',
    )
  })
})
