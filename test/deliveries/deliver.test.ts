import { generateKeyPairSync } from 'node:crypto'
import { getPriority } from 'node:os'
import { afterEach, expect, test } from 'vitest'
import { describeReason } from '../../src/describe/describe.ts'
import { compose } from '../../src/editions/compose/compose.ts'
import { approve } from '../../src/editions/review/approve.ts'
import { cancel } from '../../src/editions/review/cancel.ts'
import { hold, pause, resume } from '../../src/editions/review/pause.ts'
import { seal } from '../../src/editions/seal.ts'
import { sendEdition } from '../../src/pipeline/sending/send.ts'
import { openSender, type Sender } from '../../src/pipeline/sending/sender.ts'
import { poolThreads } from '../../src/runtime/pool-threads.ts'
import { freezePage } from '../../src/store/deliveries/audience.ts'
import { countDeliveries } from '../../src/store/deliveries/deliveries.ts'
import { editionById } from '../../src/store/editions/editions.ts'
import type { Reason } from '../../src/store/events/reason.ts'
import { toJson } from '../../src/store/json.ts'
import { subscriberByEmail } from '../../src/store/subscribers/subscribers.ts'
import { leave } from '../../src/subscribers/leave.ts'
import { day, hour, minute, second } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { inWords } from '../support/history.ts'
import { workerOn } from '../support/ledger.ts'
import { type Stage, startRelay, type TestRelay } from '../support/smtp/relay.ts'
import {
  newsFeed,
  openWorld,
  plainRender,
  publishTitles,
  subscribe,
  type World,
  type WorldOptions,
} from '../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

type FaultAt = Parameters<typeof startRelay>[0]

onBothEngines('sending', (freshUrl) => {
  async function readyToSend(people: number, faultAt?: FaultAt, options: Partial<WorldOptions> = {}) {
    const relay = await startRelay(faultAt)
    closing.push(relay.close)
    const it = await openWorld({ storeUrl: await freshUrl(), relayPort: relay.port, ...options })
    closing.push(it.close)
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three'])
    await subscribe(it, people)
    const edition = await compose(it.app, it.digest, it.clock.now())
    const id = edition?.id ?? ''
    await seal({ ...it.app, render: plainRender }, id, it.digest)
    await approve(it.app, id, 'Ada')
    const sender = await openSender(it.app)
    closing.push(sender.close)
    return { it, relay, id, sender }
  }

  test('reaches every subscriber once, records each answer, and ends the edition', async () => {
    const { it, relay, id, sender } = await readyToSend(60)
    const report = await send(it, sender, id)
    expect(report).toMatchObject({ finished: true, stopped: null, counts: { accepted: 60, queued: 0 } })
    expect(addressesOf(relay)).toEqual(
      Array.from({ length: 60 }, (_, index) => `reader${String(index + 1).padStart(5, '0')}@readers.example`),
    )
    expect(await editionById(it.app.db, id)).toMatchObject({ status: 'sent', finishedAt: it.clock.now() })
    const replies = await it.app.db.selectFrom('deliveries').select('reply').distinct().execute()
    expect(replies).toEqual([{ reply: '250 2.0.0 taken' }])
  })

  test('brings every answer to the disk before the pass ends', async () => {
    const { it, id, sender } = await readyToSend(5)
    const acceptedAtSync: number[] = []
    const sync = async () => {
      await it.app.store.sync()
      acceptedAtSync.push((await countDeliveries(it.app.db, id)).accepted)
    }
    await sendEdition({ ...it.app, store: { ...it.app.store, sync } }, sender, id, { unknown: 'repeat' })
    expect(acceptedAtSync.at(-1)).toBe(5)
  })

  test('again, when it is done, sends nothing and says that the edition is sent', async () => {
    const { it, relay, id, sender } = await readyToSend(3)
    await send(it, sender, id)
    await expect(send(it, sender, id)).rejects.toThrow('is sent: only an approved edition can be sent')
    expect(relay.accepted).toHaveLength(3)
  })

  test('does not reach who left or was suppressed after the audience was frozen, and says why', async () => {
    const left = 'reader00002@readers.example'
    const suppressed = 'reader00003@readers.example'
    let down = true
    const { it, relay, id, sender } = await readyToSend(3, (stage) =>
      down && stage === 'connect' ? '421 later' : undefined,
    )
    expect(await send(it, sender, id)).toMatchObject({ counts: { queued: 3 } })
    const person = await subscriberByEmail(it.app.db, left)
    await leave(it.app, { subscriberId: person?.id ?? '', digest: 'weekly', editionId: id, how: 'test' })
    await it.app.db
      .updateTable('subscribers')
      .set({
        suppressedAt: it.clock.now(),
        suppressedReason: toJson<Reason>({ code: 'text', text: 'no such mailbox' }),
      })
      .where('email', '=', suppressed)
      .execute()
    down = false
    it.clock.advance(15 * second)
    await send(it, sender, id)
    expect(addressesOf(relay)).toEqual(['reader00001@readers.example'])
    expect(await countDeliveries(it.app.db, id)).toMatchObject({ accepted: 1, skipped: 2 })
    const skipped = await it.app.db
      .selectFrom('deliveries')
      .select('reason')
      .where('status', '=', 'skipped')
      .orderBy('reason')
      .execute()
    expect(skipped.map(({ reason }) => reason && describeReason(reason))).toEqual([
      expect.stringMatching(/^unsubscribed on 20/),
      expect.stringMatching(/^suppressed on 20.*: no such mailbox$/),
    ])
  })

  test('keeps what the relay refuses for good apart from what it puts off', async () => {
    const answers: Record<string, string> = {
      'reader00001@readers.example': '550 5.1.1 user unknown',
      'reader00002@readers.example': '452 4.2.2 mailbox full',
    }
    const { it, id, sender } = await readyToSend(4, (stage, { to }) => (stage === 'RCPT' ? answers[to] : undefined))
    const report = await send(it, sender, id)
    expect(report).toMatchObject({ finished: false, stopped: null, counts: { refused: 1, deferred: 1, accepted: 2 } })
    const rows = await it.app.db
      .selectFrom('deliveries')
      .selectAll()
      .where('status', '!=', 'accepted')
      .orderBy('status')
      .execute()
    expect(rows.map(({ status, reply, nextAttemptAt }) => ({ status, reply, nextAttemptAt }))).toEqual([
      {
        status: 'deferred',
        reply: expect.stringContaining('452 4.2.2 mailbox full'),
        nextAttemptAt: expect.stringMatching(/^2026-11-27T07:1[5-7]:/),
      },
      { status: 'refused', reply: expect.stringContaining('550 5.1.1 user unknown'), nextAttemptAt: null },
    ])
  })

  test('tries what was put off again when its time has come, and gives up after six tries over a day', async () => {
    const { it, relay, id, sender } = await readyToSend(1, (stage) =>
      stage === 'RCPT' ? '451 4.7.1 greylisted' : undefined,
    )
    const tries = () => relay.commands.filter((line) => line.startsWith('RCPT')).length
    await send(it, sender, id)
    await send(it, sender, id)
    expect(tries()).toBe(1)
    for (const wait of [15 * minute, hour, 4 * hour, 8 * hour, 12 * hour]) {
      it.clock.advance(1.2 * wait) // up to a fifth longer than the wait itself
      await send(it, sender, id)
    }
    expect(tries()).toBe(6)
    const [row] = await it.app.db.selectFrom('deliveries').selectAll().execute()
    expect(row).toMatchObject({
      status: 'refused',
      attempts: 6,
      reply: expect.stringContaining('greylisted'),
      reason: toJson<Reason>({ code: 'given-up', attempts: 6 }),
    })
    expect(await editionById(it.app.db, id)).toMatchObject({ status: 'sent' })
    expect(it.clock.now() >= '2026-11-28T07:00:00.000Z').toBe(true)
  })

  test('calls a cut between the final dot and the answer unknown, and repeats it with the same Message-ID', async () => {
    let cuts = 0
    const { it, relay, id, sender } = await readyToSend(2, (stage, { to }) =>
      stage === 'dot' && to.startsWith('reader00001') && cuts++ === 0 ? { drop: true } : undefined,
    )
    expect(await send(it, sender, id)).toMatchObject({ counts: { unknown: 1, accepted: 1 }, finished: false })
    it.clock.advance(18 * minute)
    expect(await send(it, sender, id)).toMatchObject({ counts: { unknown: 0, accepted: 2 }, finished: true })
    const copies = relay.received.filter((message) => message.to.startsWith('reader00001'))
    expect(copies).toHaveLength(2)
    expect(new Set(copies.map(messageId)).size).toBe(1)
  })

  test('holds what is unknown when the rule says so: nobody gets it twice', async () => {
    const { it, relay, id, sender } = await readyToSend(2, (stage, { to }) =>
      stage === 'dot' && to.startsWith('reader00001') ? { drop: true } : undefined,
    )
    expect(await send(it, sender, id, 'hold')).toMatchObject({ finished: true })
    expect(await countDeliveries(it.app.db, id)).toMatchObject({ unknown: 1, accepted: 1 })
    expect(relay.received).toHaveLength(2)
  })

  const cutsBefore: Stage[] = ['EHLO', 'MAIL', 'RCPT', 'DATA']
  test.each(cutsBefore)('tries again what was cut off at %s, and blames nobody', async (cutAt) => {
    let cuts = 0
    const { it, relay, id, sender } = await readyToSend(3, (stage) =>
      stage === cutAt && cuts++ === 0 ? { drop: true } : undefined,
    )
    for (let pass = 0; pass < 3 && (await editionById(it.app.db, id))?.status !== 'sent'; pass++) {
      await send(it, sender, id)
      it.clock.advance(5 * minute)
    }
    expect(await countDeliveries(it.app.db, id)).toMatchObject({ accepted: 3, unknown: 0, refused: 0 })
    expect(addressesOf(relay)).toHaveLength(3)
    const attempts = await it.app.db.selectFrom('deliveries').select('attempts').execute()
    expect(attempts.map((row) => row.attempts)).toEqual([1, 1, 1])
  })

  test('is not held up by people at whose address the relay always cuts the connection, and gives them up after four days', async () => {
    const { it, relay, id, sender } = await readyToSend(15, (stage, { to }) =>
      stage === 'RCPT' && to < 'reader00013' ? { drop: true } : undefined,
    )
    for (let pass = 0; pass < 4; pass++) {
      await send(it, sender, id)
      it.clock.advance(minute)
    }
    expect(addressesOf(relay)).toEqual(['13', '14', '15'].map((number) => `reader000${number}@readers.example`))
    expect(await countDeliveries(it.app.db, id)).toMatchObject({ accepted: 3, deferred: 12, refused: 0 })
    it.clock.advance(5 * day)
    for (let pass = 0; pass < 2; pass++) {
      await send(it, sender, id)
      it.clock.advance(minute)
    }
    expect(await countDeliveries(it.app.db, id)).toMatchObject({ accepted: 3, deferred: 0, refused: 12 })
    expect(await editionById(it.app.db, id)).toMatchObject({ status: 'sent' })
  })

  test.each([
    ['RCPT', '554 5.7.1 relay access denied'],
    ['MAIL', '530 5.7.0 authentication required'],
    ['dot', '552 5.3.4 message too big'],
  ] as const)(
    'is paused when the relay has something against us at %s, refuses nobody for it, and goes on when it is resumed',
    async (stageOfIt, reply) => {
      let wrong = true
      const { it, relay, id, sender } = await readyToSend(40, (stage) =>
        wrong && stage === stageOfIt ? reply : undefined,
      )
      const report = await send(it, sender, id)
      expect(report.stopped && describeReason(report.stopped)).toContain(reply)
      expect(report.counts).toMatchObject({ refused: 0, accepted: 0, sending: 0 })
      expect(report.counts.queued).toBeGreaterThan(30)
      const { status, reason } = inWords(await editionById(it.app.db, id)) ?? {}
      expect([status, reason]).toEqual([
        'paused',
        expect.stringMatching(/^[12]\d refusals in a row that are about us, from the domain readers.example;/),
      ])
      wrong = false
      await resume(it.app, id, 'Ada')
      it.clock.advance(hour)
      expect(await send(it, sender, id)).toMatchObject({ finished: true, counts: { accepted: 40 } })
      expect(relay.accepted).toHaveLength(40)
    },
  )

  test('stops when the relay takes nothing, says why, loses nothing, and goes on when it is back', async () => {
    let down = true
    const { it, relay, id, sender } = await readyToSend(40, (stage) =>
      down && stage === 'connect' ? '421 4.3.2 closing for repairs' : undefined,
    )
    const report = await send(it, sender, id)
    expect(report.stopped && describeReason(report.stopped)).toMatch(
      /the relay takes no messages: .*closing for repairs/,
    )
    expect(report.counts).toMatchObject({ queued: 40, accepted: 0 })
    down = false
    expect(await send(it, sender, id)).toMatchObject({ stopped: report.stopped, counts: { queued: 40 } })
    it.clock.advance(15 * second)
    expect(await send(it, sender, id)).toMatchObject({ finished: true, counts: { accepted: 40 } })
    expect(relay.accepted).toHaveLength(40)
  })

  test('that is asked to stop finishes what is in flight, and the rest stays queued', async () => {
    const controller = new AbortController()
    const { it, relay, id, sender } = await readyToSend(100, (stage) => {
      if (stage === 'dot' && relay?.received.length === 10) controller.abort()
      return undefined
    })
    const report = await sendEdition(it.app, sender, id, { unknown: 'repeat', signal: controller.signal })
    expect(report.stopped).toEqual({ code: 'asked-to-stop' })
    expect(report.counts.sending + report.counts.unknown).toBe(0)
    expect(report.counts.accepted).toBe(relay.accepted.length)
    expect(report.counts.accepted + report.counts.queued).toBe(100)
    expect(report.counts.queued).toBeGreaterThan(50)
  })

  test('stops at a cancelled edition, and who was not reached is skipped with the reason', async () => {
    const { it, relay, id, sender } = await readyToSend(60, (stage, { to }) => {
      if (stage === 'dot' && to.startsWith('reader00010')) void cancel(it.app, id, 'Ada', 'the minister resigned')
      return undefined
    })
    await sendEdition(it.app, sender, id, { unknown: 'repeat' })
    const counts = await countDeliveries(it.app.db, id)
    expect(counts.accepted).toBe(relay.accepted.length)
    expect(counts.skipped).toBe(60 - counts.accepted)
    expect(counts.skipped).toBeGreaterThan(0)
    expect(inWords(await editionById(it.app.db, id))).toMatchObject({
      status: 'cancelled',
      reason: 'the minister resigned',
    })
    const held = await it.app.db.selectFrom('ledger').select('articleId').where('editionId', '=', id).execute()
    expect(held).toHaveLength(3) // somebody has read them: they are not pending again
  })

  test('that is paused begins nothing more, and goes on where it stopped when it is resumed', async () => {
    let paused: Promise<void> | undefined
    const { it, relay, id, sender } = await readyToSend(80, (stage) => {
      if (stage === 'dot' && relay?.received.length === 20) paused = pause(it.app, id, 'Ada', 'a wrong name in it')
      return undefined
    })
    expect(await send(it, sender, id)).toMatchObject({ finished: false, stopped: null })
    await paused
    const counts = await countDeliveries(it.app.db, id)
    expect(counts).toMatchObject({ sending: 0, unknown: 0, accepted: relay.accepted.length })
    expect(counts.queued).toBeGreaterThan(20)
    expect(inWords(await editionById(it.app.db, id))).toMatchObject({ status: 'paused', reason: 'a wrong name in it' })
    await expect(send(it, sender, id)).rejects.toThrow('is paused')
    await resume(it.app, id, 'Ada')
    expect(await send(it, sender, id)).toMatchObject({ finished: true, counts: { accepted: 80 } })
    expect(addressesOf(relay)).toHaveLength(80)
  })

  test('that was held before anybody approved it cannot be resumed, and one that is not being sent cannot be paused', async () => {
    const { it, id } = await readyToSend(1)
    await expect(pause(it.app, id, 'Ada', 'why not')).rejects.toThrow('only an edition that is being sent')
    await hold(it.app, id, 'Ada', 'wait for the minister')
    await expect(resume(it.app, id, 'Ada')).rejects.toThrow('only an edition that was paused')
    expect(await editionById(it.app.db, id)).toMatchObject({ status: 'held' })
  })

  test('signs every copy when the settings name a key', async () => {
    const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
    const dkim = [{ domain: 'magazine.example', selector: 's1', key }]
    const { it, relay, id, sender } = await readyToSend(3, undefined, { relay: { dkim } })
    await send(it, sender, id)
    expect(relay.accepted).toHaveLength(3)
    for (const { raw } of relay.accepted) expect(raw.toString()).toMatch(/^DKIM-Signature: v=1; a=ed25519-sha256;/)
    if (process.platform === 'linux')
      for (const thread of poolThreads()) expect(getPriority(thread)).toBeGreaterThan(getPriority())
  })

  test('that is cancelled while the relay is down gives the articles back: nobody has them', async () => {
    let cancelled: Promise<void> | undefined
    const { it, id, sender } = await readyToSend(5, (stage, { connection }) => {
      if (stage === 'connect' && connection === 2) cancelled = cancel(it.app, id, 'Ada', 'too late')
      return stage === 'connect' ? '421 down' : undefined
    })
    await send(it, sender, id)
    await cancelled
    expect(await editionById(it.app.db, id)).toMatchObject({ status: 'cancelled' })
    expect(await countDeliveries(it.app.db, id)).toMatchObject({ queued: 0, skipped: 5 })
    expect(await it.app.db.selectFrom('ledger').select('articleId').where('editionId', '=', id).execute()).toEqual([])
  })

  test('by a sender that was taken for dead loses nothing: what it had becomes unknown when it ends', async () => {
    const { it, id, sender } = await readyToSend(1)
    await it.app.db.updateTable('editions').set({ status: 'sending' }).where('id', '=', id).execute()
    await freezePage(it.app.db, { id, digest: 'weekly' }, { after: '', size: 10 }, it.clock.now())
    const { due, claim } = await workerOn(it, id, sender.worker.id)
    expect(await claim(due[0]?.subscriberId ?? '')).toBe(true)
    await it.app.db.deleteFrom('workers').execute()
    const other = await openSender(it.app)
    closing.push(other.close)
    expect(await countDeliveries(it.app.db, id)).toMatchObject({ sending: 0, unknown: 1 })
  })

  test('freezes the whole audience, page by page, also when two processes do it and one dies half way', async () => {
    const { it, id } = await readyToSend(25)
    const edition = { id, digest: 'weekly' }
    await it.app.db.updateTable('editions').set({ status: 'sending' }).where('id', '=', id).execute()
    const page = (after: string) => freezePage(it.app.db, edition, { after, size: 10 }, it.clock.now())
    const first = await page('')
    expect(await page('')).toBe(first) // the second process: nothing to insert, and not the end
    let after: string | null = first
    while (after !== null) after = await page(after)
    expect(await countDeliveries(it.app.db, id)).toMatchObject({ queued: 25 })
  })

  test('by two senders at once reaches nobody twice', async () => {
    const { it, relay, id, sender } = await readyToSend(120)
    const other = await openSender(it.app)
    closing.push(other.close)
    await Promise.all([send(it, sender, id), send(it, other, id).catch(() => {})])
    expect(addressesOf(relay)).toHaveLength(120)
    expect(new Set(addressesOf(relay)).size).toBe(120)
  })

  test('to nobody ends the edition', async () => {
    const { it, id, sender } = await readyToSend(0)
    expect(await send(it, sender, id)).toMatchObject({ finished: true, counts: { accepted: 0 } })
  })

  test('reaches who subscribed before it began, and not who subscribed after', async () => {
    const { it, relay, id, sender } = await readyToSend(2, (stage, { connection }) =>
      stage === 'connect' && connection <= 2 ? '421 later' : undefined,
    )
    await send(it, sender, id)
    await subscribe(it, 5)
    it.clock.advance(day)
    for (let pass = 0; pass < 3 && (await editionById(it.app.db, id))?.status !== 'sent'; pass++)
      await send(it, sender, id)
    expect(addressesOf(relay)).toEqual(['reader00001@readers.example', 'reader00002@readers.example'])
  })
})

function send(it: World, sender: Sender, id: string, unknown: 'repeat' | 'hold' = 'repeat') {
  return sendEdition(it.app, sender, id, { unknown })
}

function addressesOf(relay: TestRelay): string[] {
  return relay.accepted.map((message) => message.to).sort()
}

function messageId({ raw }: { raw: Buffer }): string | undefined {
  return /^Message-ID: (.*)\r$/m.exec(raw.toString('latin1'))?.[1]
}
