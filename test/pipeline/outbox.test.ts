import { generateKeyPairSync } from 'node:crypto'
import { sql } from 'kysely'
import { simpleParser } from 'mailparser'
import { afterEach, expect, test, vi } from 'vitest'
import { openApp } from '../../src/app.ts'
import { stopAllSending } from '../../src/deliveries/sending-stop.ts'
import { pauseByRule } from '../../src/editions/review/pause.ts'
import type { Log } from '../../src/log.ts'
import { sendOutbox } from '../../src/pipeline/outbox.ts'
import { openSender } from '../../src/pipeline/sending/sender.ts'
import type { Reason } from '../../src/store/events/reason.ts'
import { addMails, failedMails, leaseRenewalMs } from '../../src/store/outbox/outbox.ts'
import { addMs, day, hour, minute, msBetween, second } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { verifiedBy } from '../support/dkim.ts'
import { approvedEdition } from '../support/edition.ts'
import { editionHistory } from '../support/history.ts'
import { type Fault, type FaultAt, startRelay } from '../support/smtp/relay.ts'
import { openWorld, type WorldOptions } from '../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('an email of the outbox', (freshUrl) => {
  async function open(options: Partial<WorldOptions> = {}, faultAt: FaultAt = () => undefined) {
    const server = await startRelay(faultAt)
    closing.push(server.close)
    const logged: Record<string, unknown>[] = []
    const keep = (fields: object) => void logged.push(fields as Record<string, unknown>)
    const log: Log = { info: keep, warn: keep, error: keep }
    const it = await openWorld({ storeUrl: await freshUrl(), relayPort: server.port, log, ...options })
    closing.push(it.close)
    const sender = await openSender(it.app)
    closing.push(sender.close)
    const id = await approvedEdition(it)
    /** Adds one notice more, of its own. */
    const pause = async (reply = 'a reason') => {
      const reason: Reason = { code: 'too-large-for-relay', reply }
      await it.app.db.updateTable('editions').set({ status: 'sending' }).execute()
      it.clock.advance(second)
      expect(await pauseByRule(it.app, id, reason)).toBe(true)
    }
    const send = () => sendOutbox(it.app, sender)
    const failed = () => failedMails(it.app.db, addMs(it.clock.now(), -day), it.clock.now(), 10)
    const events = () => logged.map(({ event }) => event).filter((one) => `${one}`.startsWith('outbox.'))
    return { it, server, sender, id, pause, send, failed, events }
  }

  test.each(['rsa', 'ed25519'] as const)('to editors is signed like an edition with %s, and verifies', async (kind) => {
    const pair = kind === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519')
    const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const it = await open({ relay: { dkim: [{ domain: 'magazine.example', selector: 's1', key }] } })
    await it.pause('a reason with Größe')
    expect(await it.send()).toBe(1)
    const message = it.server.accepted[0]?.raw.toString('latin1') ?? ''
    expect(verifiedBy(message, () => pair.publicKey, 'magazine.example')).toEqual([{ selector: 's1', valid: true }])
  })

  test('goes without a signature where the settings name no key', async () => {
    const it = await open()
    await it.pause()
    expect(await it.send()).toBe(1)
    expect(it.server.accepted[0]?.raw.toString()).not.toContain('DKIM-Signature')
  })

  test('to editors goes to the contact address without one of theirs, and answers go where it went', async () => {
    const it = await open()
    const envelopes = async () => {
      await it.pause()
      await it.send()
      const { from, to, raw } = it.server.accepted.at(-1) ?? { from: '', to: '', raw: '' }
      const mail = await simpleParser(raw)
      return [from, to, mail.from?.text, mail.replyTo?.text]
    }
    const [bounces, contact] = ['bounces@magazine.example', 'letters@magazine.example']
    const lastword = `"Lastword" <${contact}>`
    expect(await envelopes()).toEqual([bounces, contact, lastword, contact])
    const editors = 'desk@magazine.example'
    it.it.app.config.publication.editors = editors
    expect(await envelopes()).toEqual([bounces, editors, lastword, editors])
  })

  test('that no relay takes is tried after 5, 10, 20 and 40 minutes and then every hour, and goes once one is back', async () => {
    let isDown = true
    const it = await open({}, (stage) => (isDown && stage === 'connect' ? { drop: true } : undefined))
    await it.pause()
    const tries: number[] = []
    let last = it.it.clock.now()
    for (let minutes = 0; minutes < 200; minutes++) {
      const before = it.events().length
      expect(await it.send()).toBe(0)
      if (it.events().length > before) {
        tries.push(msBetween(last, it.it.clock.now()) / minute)
        last = it.it.clock.now()
      }
      it.it.clock.advance(minute)
    }
    expect(tries).toEqual([0, 5, 10, 20, 40, 60, 60])
    expect(await it.failed()).toEqual([])
    isDown = false
    it.it.clock.advance(hour)
    expect(await it.send()).toBe(1)
    expect(await it.send()).toBe(0)
    expect(it.server.accepted).toHaveLength(1)
  })

  test('is not tried while another has just found that no relay can be reached', async () => {
    const it = await open({ relayPort: 1 })
    await it.pause('one')
    await it.pause('two')
    await it.send()
    expect(it.events()).toEqual(['outbox.retry'])
  })

  test('that is turned down for a week is given up, and stays visible with the last answer', async () => {
    const it = await open({}, (stage) => (stage === 'RCPT' ? '451 4.3.0 later' : undefined))
    await it.pause()
    for (let hours = 0; hours < 7 * 24 + 2; hours++) {
      await it.send()
      it.it.clock.advance(hour)
    }
    expect(it.events().at(-1)).toBe('outbox.failed')
    expect(it.events().filter((one) => one === 'outbox.failed')).toHaveLength(1)
    expect(await it.failed()).toMatchObject([
      { recipient: 'letters@magazine.example', subject: 'The Magazine: weekly 1 is paused', reply: '451 4.3.0 later' },
    ])
    const tries = it.events().length
    it.it.clock.advance(day)
    await it.send()
    expect(it.events()).toHaveLength(tries)
  })

  test('that could not even be tried before it expired stays visible too', async () => {
    const it = await open()
    await it.pause()
    it.it.clock.advance(7 * day)
    expect(await it.send()).toBe(0)
    expect(it.server.accepted).toEqual([])
    expect(await it.failed()).toMatchObject([{ kind: 'edition-paused', attempts: 0 }])
  })

  test('whose address is refused is tried once, which is logged, in the history and visible', async () => {
    const it = await open({}, (stage) => (stage === 'RCPT' ? '550 5.1.1 no such user' : undefined))
    await it.pause()
    for (let hours = 0; hours < 5; hours++) {
      expect(await it.send()).toBe(0)
      it.it.clock.advance(hour)
    }
    expect(it.events()).toEqual(['outbox.failed'])
    expect(await it.failed()).toMatchObject([{ attempts: 1, reply: '550 5.1.1 no such user' }])
    const history = await editionHistory(it.it.app.db, it.id)
    expect(history.at(-1)?.what).toBe('Editors could not be notified by email: 550 5.1.1 no such user')
  })

  test('goes to the new address once the settings are right, if it still waits', async () => {
    const it = await open({}, (stage, { to }) =>
      stage === 'RCPT' && to.startsWith('dsek@') ? '550 5.7.1 relay access denied' : undefined,
    )
    it.it.app.config.publication.editors = 'dsek@magazine.example'
    await it.pause()
    expect(await it.send()).toBe(0)
    it.it.app.config.publication.editors = 'desk@magazine.example'
    it.it.clock.advance(5 * minute)
    expect(await it.send()).toBe(1)
    expect(it.server.accepted.map(({ to }) => to)).toEqual(['desk@magazine.example'])
  })

  test('is sent by one of two processes', async () => {
    const it = await open()
    for (const reason of ['one', 'two', 'three', 'four', 'five']) await it.pause(reason)
    const other = await openApp({ config: it.it.app.config, clock: it.it.clock, log: it.it.app.log })
    closing.push(other.close)
    const sender = await openSender(other)
    closing.push(sender.close)
    const counts = await Promise.all([it.send(), sendOutbox(other, sender), it.send(), sendOutbox(other, sender)])
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(5)
    const mails = await Promise.all(it.server.accepted.map(({ raw }) => simpleParser(raw)))
    expect(mails.map(({ text }) => /Reason: (\w+)/.exec(text ?? '')?.[1]).sort()).toEqual(
      ['one', 'two', 'three', 'four', 'five'].sort(),
    )
  })

  const lost = { drop: true } as const
  const idsOf = (messages: { raw: Buffer }[]) =>
    messages.map(({ raw }) => /^Message-ID: (.*)\r$/m.exec(raw.toString())?.[1])

  test('whose answer is lost is sent again with the same Message-ID, and editors count as told once it is accepted', async () => {
    let isLost = true
    const it = await open({}, (stage) => (isLost && stage === 'dot' ? lost : undefined))
    await it.pause()
    expect(await it.send()).toBe(0)
    const told = async () =>
      (await editionHistory(it.it.app.db, it.id)).filter(({ kind }) => kind.startsWith('notice.'))
    expect([it.events(), await told()]).toEqual([['outbox.retry'], []])
    isLost = false
    it.it.clock.advance(5 * minute)
    expect(await it.send()).toBe(1)
    expect(new Set(idsOf(it.server.received)).size).toBe(1)
    expect(it.server.received).toHaveLength(2)
    expect((await told()).map(({ what }) => what)).toEqual(['Editors were notified by email'])
  })

  test('whose answer is always lost is given up after five attempts, and is shown as one that may not have arrived', async () => {
    const it = await open({}, (stage) => (stage === 'dot' ? lost : undefined))
    await it.pause()
    for (let hours = 0; hours < 12; hours++) {
      expect(await it.send()).toBe(0)
      it.it.clock.advance(hour)
    }
    expect(it.server.received).toHaveLength(5)
    expect(it.events().slice(-2)).toEqual(['outbox.retry', 'outbox.unknown'])
    expect(await it.failed()).toMatchObject([{ attempts: 5, sentAt: expect.anything() }])
    expect((await editionHistory(it.it.app.db, it.id)).at(-1)?.what).toBe(
      'The email to the editors may not have arrived: the connection was closed',
    )
  })

  /** Two relays, with their answers at one stage. */
  async function twoRelays(stage: 'RCPT' | 'dot', first: Fault, second: Fault) {
    const standby = await startRelay((at) => (at === stage ? second : undefined))
    closing.push(standby.close)
    const relays = [{ name: 'standby', port: standby.port, standby: true }]
    const it = await open({ relays }, (at) => (at === stage ? first : undefined))
    await it.pause()
    return { ...it, standby }
  }
  const [later, never] = ['451 4.3.0 later', '550 5.1.1 no such user']

  test('whose answer is lost goes by the other relay at once, with the same Message-ID', async () => {
    const it = await twoRelays('dot', lost, undefined)
    expect(await it.send()).toBe(1)
    expect(it.events()).toEqual(['outbox.sent'])
    expect(idsOf(it.standby.accepted)).toEqual(idsOf(it.server.received))
  })

  test.each([
    ['the main relay says later', later, never, 'outbox.retry'],
    ['the main relay gives a connection up', '421 4.3.2 closing', never, 'outbox.retry'],
    ['the main relay refuses', never, later, 'outbox.failed'],
    ['both refuse', never, never, 'outbox.failed'],
  ] as const)('of two relays, of which neither takes it: %s', async (_, first, second, event) => {
    const it = await twoRelays('RCPT', first, second)
    expect(await it.send()).toBe(0)
    expect(it.events()).toEqual([event])
  })

  test('that takes longer to hand over than a lease is sent by one process', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    closing.push(() => vi.useRealTimers())
    const it = await open()
    it.server.holdAnswersFrom(1)
    await it.pause()
    const sending = it.send()
    await it.server.untilReceived(1)
    const leasedUntil = async () =>
      (await it.it.app.db.selectFrom('outbox').select('leasedUntil').executeTakeFirst())?.leasedUntil
    for (let renewals = 0; renewals < 6; renewals++) {
      it.it.clock.advance(leaseRenewalMs)
      vi.advanceTimersByTime(leaseRenewalMs)
      await vi.waitFor(async () => expect(await leasedUntil()).toBe(addMs(it.it.clock.now(), 10 * minute)))
    }
    expect(await it.send()).toBe(0)
    it.server.answerAll()
    expect(await sending).toBe(1)
    expect(it.server.received).toHaveLength(1)
  })

  test('is sent twice rather than never when a process dies between sending and recording, with the same Message-ID', async () => {
    const it = await open()
    await it.pause()
    const { relays, signers } = it.sender
    const dying = {
      signers,
      relays: {
        async send(...message: Parameters<typeof relays.send>): Promise<never> {
          await relays.send(...message)
          throw new Error('killed')
        },
      },
    }
    await expect(sendOutbox(it.it.app, dying)).rejects.toThrow('killed')
    it.it.app.config.publication.name = 'Another Name' // the email reads otherwise by then
    it.it.clock.advance(10 * minute - second)
    expect(await it.send()).toBe(0)
    it.it.clock.advance(second)
    expect(await it.send()).toBe(1)
    const ids = idsOf(it.server.accepted)
    expect(ids).toHaveLength(2)
    expect(new Set(ids).size).toBe(1)
  })

  test('whose history cannot be written is not recorded as sent', async () => {
    const it = await open()
    await it.pause()
    const { db } = it.it.app
    const { relays, signers } = it.sender
    const broken = {
      signers,
      relays: {
        async send(...message: Parameters<typeof relays.send>) {
          const result = await relays.send(...message)
          await sql`alter table events rename to mislaid`.execute(db)
          return result
        },
      },
    }
    await expect(sendOutbox(it.it.app, broken)).rejects.toThrow('events')
    await sql`alter table mislaid rename to events`.execute(db)
    const rows = () => db.selectFrom('outbox').select(['sentAt', 'attempts']).execute()
    expect(await rows()).toEqual([{ sentAt: null, attempts: 0 }])
    it.it.clock.advance(10 * minute)
    expect(await it.send()).toBe(1)
    expect(await rows()).toMatchObject([{ attempts: 1 }])
    const told = await db.selectFrom('events').select('kind').where('kind', '=', 'notice.sent').execute()
    expect(told).toHaveLength(1)
  })

  test('that cannot be written keeps no other from going out', async () => {
    const it = await open()
    const broken = { kind: 'edition-paused' as const, about: ['broken'], facts: { edition: '', at: '', reason: '' } }
    await addMails(it.it.app.db, [broken], it.it.clock.now())
    await it.it.app.db
      .updateTable('outbox')
      .set({ facts: 'no JSON' as never })
      .execute()
    await it.pause()
    expect(await it.send()).toBe(1)
    expect(it.events()).toEqual(['outbox.write_failed', 'outbox.sent'])
  })

  test('to editors goes out while all sending is stopped', async () => {
    const it = await open()
    await it.pause()
    await stopAllSending(it.it.app, { who: 'Ada', reason: 'the wrong list' })
    expect(await it.send()).toBe(1)
  })
})
