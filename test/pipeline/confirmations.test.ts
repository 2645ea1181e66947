import { generateKeyPairSync } from 'node:crypto'
import { simpleParser } from 'mailparser'
import { afterEach, expect, test } from 'vitest'
import { resumeAllSending, stopAllSending } from '../../src/deliveries/sending-stop.ts'
import { describeReason } from '../../src/describe/describe.ts'
import { readConfirmationToken } from '../../src/mail/keys.ts'
import { sendOutbox } from '../../src/pipeline/outbox.ts'
import { openSender } from '../../src/pipeline/sending/sender.ts'
import { transaction } from '../../src/store/drivers/transaction.ts'
import { deleteFinishedMails, mailsOfKind } from '../../src/store/outbox/outbox.ts'
import { beginConfirmation, deleteExpiredConfirmations } from '../../src/store/subscribers/confirmations.ts'
import { outcomesOf } from '../../src/store/subscribers/outcomes.ts'
import { addSubscribers, subscriberByEmail, subscriptionsOf } from '../../src/store/subscribers/subscribers.ts'
import { leave } from '../../src/subscribers/leave.ts'
import { confirmResubscription, requestResubscription } from '../../src/subscribers/resubscribe.ts'
import { suppress } from '../../src/subscribers/suppress.ts'
import { day, hour, minute, second } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { type Fault, startRelay, type TestRelay } from '../support/smtp/relay.ts'
import { openWorld } from '../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const mira = 'mira@readers.example'

onBothEngines('who asks to be subscribed again', (freshUrl) => {
  async function open(relaySettings: object = {}) {
    let fault: Fault
    const relay = await startRelay((stage) => (stage === 'dot' ? fault : undefined))
    closing.push(relay.close)
    const it = await openWorld({ storeUrl: await freshUrl(), relayPort: relay.port, relay: { ...relaySettings } })
    closing.push(it.close)
    const { app, clock } = it
    const person = { email: mira, emailKey: mira, name: 'Mira', attributes: {}, proof: 'a form' }
    await addSubscribers(app.db, 'weekly', [person], clock.now())
    const subscriberId = (await subscriberByEmail(app.db, mira))?.id ?? ''
    const act = { subscriberId, digest: 'weekly', editionId: null, how: 'page' }
    await leave(app, act)
    const sender = await openSender(app)
    closing.push(sender.close)
    return {
      app,
      clock,
      relay,
      act,
      sender,
      fail: (next: Fault) => {
        fault = next
      },
      ask: () => requestResubscription(app, act),
      send: () => sendOutbox(app, sender),
      leftAt: async () => (await subscriptionsOf(app.db, subscriberId))[0]?.leftAt,
      confirm: (index = 0) => confirmResubscription(app, idIn(relay, app.secret, index)),
    }
  }

  test.each([
    ['was not taken', '451 4.3.0 later' as Fault],
    ['was sent', undefined],
  ])(
    'by a clock that was a year ahead, where the email %s, gets one when the clock is right again',
    async (_, fault) => {
      const { clock, relay, ask, send, fail } = await open()
      const now = clock.now()
      clock.advance(365 * day)
      await ask()
      fail(fault)
      await send()
      fail(undefined)
      const before = relay.accepted.length
      clock.set(now)
      clock.advance(hour)
      await ask()
      await send()
      expect(relay.accepted).toHaveLength(before + 1)
    },
  )

  function idIn({ accepted: taken }: TestRelay, secret: string, index: number): string {
    const text = taken[index]?.raw.toString().replaceAll('=\r\n', '') ?? ''
    const [, token = ''] = /https:\/\/letters\.magazine\.example\/confirm\/(\S+)\r\n/.exec(text) ?? []
    return readConfirmationToken(secret, token) ?? ''
  }

  test('gets an email from the digest, and is subscribed by its link alone, with when and how on record', async () => {
    const { app, clock, relay, act, ask, send, leftAt, confirm } = await open()
    expect(await ask()).toBe('asked')
    expect(await leftAt()).not.toBeNull()
    expect(await send()).toBe(1)
    const mail = await simpleParser(relay.accepted[0]?.raw ?? '')
    expect(mail.from?.value).toEqual([{ name: 'The Weekly', address: 'weekly@magazine.example' }])
    expect([mail.replyTo?.text, mail.subject]).toEqual(['letters@magazine.example', 'Subscribe to The Weekly again?'])
    expect(mail.text).toContain('until Mon, 30 Nov 2026, 07:00 GMT')
    expect(relay.accepted.map(({ from, to }) => [from, to])).toEqual([['bounces@magazine.example', mira]])
    expect(await leftAt()).not.toBeNull()
    clock.advance(hour)
    expect(await confirm()).toBe('resubscribed')
    const [subscription] = await subscriptionsOf(app.db, act.subscriberId)
    const proof =
      'asked for by page on 2026-11-27T07:00:00.000Z, confirmed by the link in an email on 2026-11-27T08:00:00.000Z'
    expect(subscription).toMatchObject({ leftAt: null, confirmedAt: clock.now(), proof })
    const outcomes = await outcomesOf(app.db, act.subscriberId)
    expect(outcomes.map(({ kind, detail }) => [kind, describeReason(detail)])).toEqual([
      ['leave', 'unsubscribed from weekly by page'],
      ['return', proof],
    ])
  })

  test('gets one email in ten minutes, however often they ask', async () => {
    const { clock, relay, ask, send } = await open()
    for (let round = 0; round < 5; round++) {
      expect(await ask()).toBe('asked')
      await send()
      clock.advance(2 * minute - second)
    }
    expect(relay.accepted).toHaveLength(1)
    clock.advance(minute)
    expect(await ask()).toBe('asked')
    await send()
    await send()
    expect(relay.accepted).toHaveLength(2)
  })

  test('gets no second email for asking again while the first is fresh', async () => {
    const { clock, relay, ask, send } = await open()
    await ask()
    await send()
    clock.advance(9 * minute)
    expect(await ask()).toBe('asked')
    clock.advance(hour)
    await send()
    expect(relay.accepted).toHaveLength(1)
  })

  test('gets the email about another digest after that time', async () => {
    const { app, clock, relay, act, ask, send } = await open()
    const person = { email: mira, emailKey: mira, name: '', attributes: {}, proof: 'a form' }
    await addSubscribers(app.db, 'daily', [person], clock.now())
    const daily = { ...act, digest: 'daily' }
    await leave(app, daily)
    app.digests.push({ ...(app.digests[0] as (typeof app.digests)[0]), name: 'daily', title: 'The Daily' })
    expect([await ask(), await requestResubscription(app, daily)]).toEqual(['asked', 'asked'])
    await send()
    clock.advance(10 * minute - second)
    await send()
    expect(relay.accepted).toHaveLength(1)
    clock.advance(second)
    await send()
    const subjects = relay.accepted.map(({ raw }) => /^Subject: (.*)\r$/m.exec(raw.toString())?.[1]).sort()
    expect(subjects).toEqual(['Subscribe to The Daily again?', 'Subscribe to The Weekly again?'])
  })

  test('gets it later when the relay takes nothing now', async () => {
    const { clock, relay, ask, send, fail, confirm } = await open()
    await ask()
    fail('451 4.3.0 later')
    expect(await send()).toBe(0)
    fail(undefined)
    expect(await send()).toBe(0) // not at once: five minutes later
    clock.advance(5 * minute)
    expect(await send()).toBe(1)
    expect(relay.accepted).toHaveLength(1)
    expect(await confirm()).toBe('resubscribed')
  })

  test('gets it once from two processes', async () => {
    const { app, relay, ask, send, sender } = await open()
    await ask()
    await Promise.all([send(), sendOutbox(app, sender), send()])
    expect(relay.accepted).toHaveLength(1)
  })

  test('gets one of two emails when two processes each take one on at the same moment', async () => {
    const { app, clock, act, ask } = await open()
    const person = { email: mira, emailKey: mira, name: '', attributes: {}, proof: 'a form' }
    await addSubscribers(app.db, 'daily', [person], clock.now())
    const daily = { ...act, digest: 'daily' }
    await leave(app, daily)
    await ask()
    await requestResubscription(app, daily)
    const limits = { now: clock.now(), interval: 10 * minute }
    const confirmations = await app.db.selectFrom('confirmations').selectAll().execute()
    expect(confirmations).toHaveLength(2)
    const idle = () => transaction(app.db, (trx) => subscriberByEmail(trx, mira))
    await Promise.all([idle(), idle()]) // so that both have a connection already
    const begun = confirmations.map((one) => transaction(app.db, (trx) => beginConfirmation(trx, one, limits)))
    expect((await Promise.all(begun)).filter((one) => one === 'begun')).toHaveLength(1)
  })

  test('gets it when sending is resumed', async () => {
    const { app, relay, ask, send } = await open()
    await ask()
    await stopAllSending(app, { who: 'Ada', reason: 'the wrong list' })
    expect(await send()).toBe(0)
    expect(relay.commands).toEqual([])
    await resumeAllSending(app, 'Ada')
    expect(await send()).toBe(1)
  })

  test('cannot use the link after three days, and may ask again', async () => {
    const { app, clock, ask, send, leftAt, confirm } = await open()
    await ask()
    await send()
    clock.advance(3 * day)
    expect(await confirm()).toBe('expired')
    await deleteExpiredConfirmations(app.db, clock.now())
    expect(await confirm()).toBe('expired')
    expect(await leftAt()).not.toBeNull()
    await ask()
    await send()
    expect(await confirm(1)).toBe('resubscribed')
  })

  test('is not subscribed by an old link once they left again', async () => {
    const { app, clock, act, ask, send, leftAt, confirm } = await open()
    await ask()
    await send()
    expect(await confirm()).toBe('resubscribed')
    expect(await confirm()).toBe('already subscribed')
    await leave(app, act)
    expect(await confirm()).toBe('expired')
    clock.advance(10 * minute)
    await ask()
    expect(await confirm()).toBe('expired')
    await send()
    expect(await leftAt()).not.toBeNull()
    expect(await confirm(1)).toBe('resubscribed')
  })

  test('keeps a link that works when they ask twice', async () => {
    const { clock, relay, ask, send, confirm } = await open()
    await ask()
    await send()
    clock.advance(11 * minute)
    await ask()
    await send()
    expect(relay.accepted).toHaveLength(2)
    expect(await confirm(0)).toBe('resubscribed')
    expect(await confirm(1)).toBe('already subscribed')
  })

  test('gets none while their address is suppressed, neither before nor after they asked', async () => {
    const { app, clock, relay, act, ask, send, leftAt, confirm } = await open()
    await ask()
    await send()
    await suppress(app.db, { ...act, reason: { code: 'text', text: 'no such mailbox' } }, clock.now())
    expect(await confirm()).toBe('suppressed')
    expect(await ask()).toBe('suppressed')
    clock.advance(day)
    await send()
    expect(relay.accepted).toHaveLength(1)
    expect(await leftAt()).not.toBeNull()
  })

  test('and was suppressed before the email went out gets none', async () => {
    const { app, clock, relay, act, ask, send } = await open()
    await ask()
    await suppress(app.db, { ...act, reason: { code: 'text', text: 'no such mailbox' } }, clock.now())
    expect([await send(), relay.accepted]).toEqual([0, []])
  })

  test('without having left changes nothing, and gets no email', async () => {
    const { relay, act, ask, send, confirm, app } = await open()
    await ask()
    await send()
    await confirm()
    const before = await outcomesOf(app.db, act.subscriberId)
    expect(await ask()).toBe('subscribed')
    await send()
    expect(relay.accepted).toHaveLength(1)
    expect(await outcomesOf(app.db, act.subscriberId)).toEqual(before)
  })

  test('is forgotten in the outbox some time after the email was sent, and not before', async () => {
    const { app, clock, ask, send } = await open()
    await ask()
    const left = async (before: string) => {
      await deleteFinishedMails(app.db, 'confirmation', before)
      return (await mailsOfKind(app.db, 'confirmation')).length
    }
    clock.advance(second)
    expect(await left(clock.now())).toBe(1)
    await send()
    expect(await left(clock.now())).toBe(1)
    clock.advance(second)
    expect(await left(clock.now())).toBe(0)
  })

  test('whose digest has no job file now gets it when it is back', async () => {
    const { app, clock, ask, send } = await open()
    await ask()
    const { digests } = app
    app.digests = []
    expect(await send()).toBe(0)
    app.digests = digests
    clock.advance(5 * minute)
    expect(await send()).toBe(1)
  })

  test('gets it signed where the settings name a key', async () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const { relay, ask, send } = await open({ dkim: [{ domain: 'magazine.example', selector: 's1', key }] })
    await ask()
    await send()
    expect(relay.accepted[0]?.raw.toString()).toMatch(
      /^DKIM-Signature: v=1; a=ed25519-sha256; [\s\S]*d=magazine\.example;/,
    )
  })
})
