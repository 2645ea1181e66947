import { sql } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { rulesOf } from '../../src/deliveries/limits/rules.ts'
import { whyWaiting } from '../../src/deliveries/limits/why-waiting.ts'
import { describeReason } from '../../src/describe/describe.ts'
import { resume } from '../../src/editions/review/pause.ts'
import { sendEdition } from '../../src/pipeline/sending/send.ts'
import { openSender } from '../../src/pipeline/sending/sender.ts'
import { freezePage } from '../../src/store/deliveries/audience.ts'
import { countDeliveries } from '../../src/store/deliveries/deliveries.ts'
import { editionById } from '../../src/store/editions/editions.ts'
import type { EditionRow } from '../../src/store/schema.ts'
import { day, hour, minute, second } from '../../src/time/clock.ts'
import { fakeClock } from '../support/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { editionHistory, inWords } from '../support/history.ts'
import { sendEditionNotices } from '../support/outbox.ts'
import { makeDueEditions } from '../support/pipeline.ts'
import { type Person, peopleAt, type Ready, readyToSend } from '../support/ready.ts'
import { newsFeed, openWorld, publishTitles, subscribe } from '../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('an edition', (freshUrl) => {
  const ready = async (options: Omit<Parameters<typeof readyToSend>[0], 'storeUrl' | 'closing'>) =>
    readyToSend({ storeUrl: await freshUrl(), closing, ...options })

  test('outside its send window is not begun, stays approved, and goes when the window opens', async () => {
    const it = await ready({
      people: peopleAt('readers.example', 5),
      job: { window: '{ from: "08:00", to: "20:00" }' },
    })
    const report = await send(it)
    const opens = '2026-11-27T08:00:00.000Z'
    expect(inWords(report.wait ?? undefined)).toEqual({
      until: opens,
      reason: 'the send window opens on Friday 27 November 2026 at 08:00 in Europe/London',
    })
    expect(await statusOf(it)).toBe('approved')
    expect(await whyOf(it)).toEqual([inWords(report.wait ?? undefined)?.reason])
    it.it.clock.set(opens)
    expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: 5 } })
  })

  test('whose window closes in the middle of the sending finishes what is on its way, and goes on the next evening', async () => {
    const clock = fakeClock('2026-11-28T05:59:10.000Z')
    const it = await ready({
      people: peopleAt('readers.example', 60),
      clock,
      job: { window: '{ from: "22:00", to: "06:00", days: [FRI, SAT] }' },
      faultAt: (stage) => void (stage === 'dot' && clock.advance(5 * second)),
    })
    const report = await send(it)
    expect(report).toMatchObject({ finished: false, stopped: null, wait: { until: '2026-11-28T22:00:00.000Z' } })
    expect(report.counts).toMatchObject({ sending: 0, unknown: 0, accepted: it.relay.accepted.length })
    expect(report.counts.accepted).toBeGreaterThanOrEqual(10)
    expect(report.counts.accepted).toBeLessThanOrEqual(10 + 3 * 3) // three connections, two copies ahead each
    expect(await whyOf(it)).toEqual(['the send window opens on Saturday 28 November 2026 at 22:00 in Europe/London'])
    clock.set('2026-11-28T22:00:00.000Z')
    expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: 60 } })
  })

  test('begins nothing after its window has closed, not even what was made ready and waits for the relay', async () => {
    const clock = fakeClock('2026-11-28T05:59:58.500Z')
    const takenAt: string[] = []
    const it = await ready({
      people: peopleAt('readers.example', 30),
      clock,
      relay: { perSecond: 2, connections: 1 },
      job: { window: '{ from: "22:00", to: "06:00" }' },
      faultAt: (stage) => void (stage === 'dot' && takenAt.push(clock.now())),
    })
    expect(await send(it)).toMatchObject({
      finished: false,
      stopped: null,
      wait: { until: '2026-11-28T22:00:00.000Z' },
    })
    expect(takenAt.length).toBeGreaterThan(2)
    expect(takenAt.filter((at) => at >= '2026-11-28T06:00:00.000Z')).toEqual([])
    clock.set('2026-11-28T22:00:00.000Z')
    expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: 30 } })
    expect(new Set(it.relay.accepted.map(({ to }) => to)).size).toBe(30)
  })

  test('in a warm-up that cannot be begun takes nothing of the day', async () => {
    const it = await ready({
      people: peopleAt('readers.example', 5),
      pace: { warmUp: { from: '2026-11-27', days: [30] } },
      job: { localTime: 'true' },
    })
    const { db } = it.it.app
    await sql`alter table slices rename to mislaid`.execute(db)
    await expect(send(it)).rejects.toThrow('slices')
    expect(await db.selectFrom('allowances').select('sent').execute()).toEqual([{ sent: 0 }])
    await sql`alter table mislaid rename to slices`.execute(db)
    expect(await send(it)).toMatchObject({ finished: true })
  })

  test('in a warm-up goes out over three days, as the plan has it, also over restarts and beside another edition', async () => {
    let refusals = 0
    const it = await ready({
      people: peopleAt('readers.example', 100),
      pace: { warmUp: { from: '2026-11-27', days: [30, 45], zone: 'Europe/London' } },
      faultAt: (stage) => (stage === 'RCPT' && refusals++ < 4 ? '550 5.1.1 no such user' : undefined),
    })
    const { clock, app } = it.it
    expect((await send(it)).counts).toMatchObject({ accepted: 30, refused: 4, queued: 66 })
    const words =
      'the warm-up has reached its maximum of 30 messages on 2026-11-27; sending continues on Saturday 28 November 2026 at 00:00 in Europe/London'
    const after = await reopened(it)
    const report = await send(after)
    expect(inWords(report.wait ?? undefined)).toEqual({ until: '2026-11-28T00:00:00.000Z', reason: words })
    expect(report.counts.accepted).toBe(30)
    expect(await whyOf(it)).toEqual([words])

    clock.advance(day)
    expect((await send(after)).counts).toMatchObject({ accepted: 75, queued: 21 })
    clock.advance(day)
    expect(await send(after)).toMatchObject({ finished: true, counts: { accepted: 96, refused: 4 } })
    const days = await app.db.selectFrom('allowances').select(['day', 'sent']).orderBy('day').execute()
    expect(days).toEqual([
      { day: '2026-11-27', sent: 30 },
      { day: '2026-11-28', sent: 45 },
    ])
  })

  const canary = '{ share: 0.05, minimum: 100, wait: 30m, refusals: 0.1 }'
  const people = [...peopleAt('large.example', 200), ...peopleAt('small.example', 30)]

  test('with a canary sends a first share at each large provider, waits, and then sends the rest', async () => {
    const it = await ready({ people, job: { canary } })
    const first = await send(it)
    const firstAt = countAt(it, 'large.example')
    expect(countAt(it, 'small.example')).toBe(30)
    expect(firstAt).toBeGreaterThan(0)
    expect(firstAt).toBeLessThan(40)
    expect(first).toMatchObject({ finished: false, stopped: null, wait: { until: '2026-11-27T07:30:00.000Z' } })
    expect(await whyOf(it)).toEqual([
      `${200 - firstAt} at large.example wait for what the first of them are answered, until Friday 27 November 2026 at 07:30 in Europe/London`,
    ])

    it.it.clock.advance(29 * minute)
    const again = await reopened(it)
    await send(again)
    expect(countAt(it, 'large.example')).toBe(firstAt)
    it.it.clock.advance(minute)
    expect(await send(again)).toMatchObject({ finished: true, counts: { accepted: 230 } })
    expect(new Set(it.relay.accepted.map(({ to }) => to)).size).toBe(230)
    const history = await editionHistory(it.it.app.db, it.id)
    expect(history.map(({ what }) => what)).toContain(
      `Canary: 0 of the first ${firstAt} at large.example were refused or put off by policy after 30 min; sending continues`,
    )
  })

  test('whose canary is refused is paused, with the provider and an answer, and the editors are told once', async () => {
    let isAgainstUs = true
    const it = await ready({
      people,
      job: { canary },
      faultAt: (stage, { to }) =>
        stage === 'RCPT' && isAgainstUs && to.endsWith('@large.example') ? '554 5.6.0 spam' : undefined,
    })
    await send(it)
    const edition = await editionById(it.it.app.db, it.id)
    expect(edition).toMatchObject({ status: 'paused' })
    expect(inWords(edition)?.reason).toMatch(
      /^canary: (\d+) of the first \1, of 200 at large\.example, were refused .*at most 10 % may be; for example "554 5\.6\.0 spam"$/,
    )
    expect(countAt(it, 'small.example')).toBe(30)
    expect((await countDeliveries(it.it.app.db, it.id)).queued).toBeGreaterThan(150)

    expect(await sendEditionNotices(it.it.app, it.sender.relays)).toBe(1)
    expect(await sendEditionNotices(it.it.app, it.sender.relays)).toBe(0)
    const letters = it.relay.accepted.filter(({ to }) => to === 'letters@magazine.example')
    expect(letters).toHaveLength(1)
    const letter = letters[0]?.raw.toString().replaceAll('=\r\n', '') ?? ''
    expect(letter).toContain('Subject: The Magazine: weekly 1 is paused')
    expect(letter).toContain('554 5.6.0 spam')

    isAgainstUs = false
    await resume(it.it.app, it.id, 'Ada')
    await send(it)
    expect((await countDeliveries(it.it.app.db, it.id)).queued).toBe(0)
    const history = await editionHistory(it.it.app.db, it.id)
    expect(history.map(({ what }) => what)).toContain('Canary overruled: sending to large.example continues')
  })

  test('whose canary is put off by policy is paused too, and one whose mailboxes are full is not', async () => {
    const answers = { policy: '451 4.7.500 server busy for you', full: '452 4.2.2 mailbox full' }
    for (const [name, answer] of Object.entries(answers)) {
      const it = await ready({
        people,
        job: { canary },
        faultAt: (stage, { to }) => (stage === 'RCPT' && to.endsWith('@large.example') ? answer : undefined),
      })
      await sendEdition(it.it.app, it.sender, it.id, { unknown: 'repeat', maxSlowWaitMs: hour })
      expect([name, await statusOf(it)]).toEqual([name, name === 'policy' ? 'paused' : 'sending'])
    }
  })

  test('with a canary ends, also when somebody else is found to take the mail of its domain meanwhile', async () => {
    let isDown = true
    const it = await ready({
      people,
      job: { canary },
      faultAt: (stage) => (isDown && stage === 'connect' ? '421 down' : undefined),
    })
    await send(it)
    isDown = false
    const found = { domain: 'large.example', provider: 'mail.example', foundAt: it.it.clock.now() }
    await it.it.app.db.insertInto('providers').values(found).execute()
    it.it.clock.advance(minute)
    await send(it)
    it.it.clock.advance(30 * minute)
    expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: 230 } })
  })

  test('with a canary ends, also when its whole first share has left meanwhile', async () => {
    let isDown = true
    const it = await ready({
      people,
      job: { canary },
      faultAt: (stage) => (isDown && stage === 'connect' ? '421 down' : undefined),
    })
    const { db } = it.it.app
    await send(it)
    const first = await db.selectFrom('deliveries').select('subscriberId').where('firstOf', 'is not', null).execute()
    expect(first.length).toBeGreaterThan(0)
    const leavers = first.map(({ subscriberId }) => subscriberId)
    const leftAt = it.it.clock.now()
    await db.updateTable('subscriptions').set({ leftAt }).where('subscriberId', 'in', leavers).execute()
    isDown = false
    it.it.clock.advance(minute)
    await send(it)
    expect(await send(it)).toMatchObject({ finished: true, counts: { skipped: first.length, refused: 0 } })
    expect((await editionHistory(db, it.id)).map(({ what }) => what)).toContain(
      'Canary: nobody is left in the first share at large.example; sending continues',
    )
  })

  test('with a canary at one provider does not wait for another that is slow', async () => {
    const it = await ready({
      people: [...people, ...peopleAt('slow.example', 50)],
      job: { canary },
      faultAt: (stage, { to }) => (stage === 'RCPT' && to.endsWith('@slow.example') ? '421 too fast' : undefined),
    })
    const some = () => sendEdition(it.it.app, it.sender, it.id, { unknown: 'repeat', maxSlowWaitMs: 0 })
    expect(inWords((await some()).wait ?? undefined)?.reason).toContain('slow.example is slow')
    it.it.clock.advance(30 * minute)
    await some()
    await some()
    expect(countAt(it, 'large.example')).toBe(200)
    expect((await countDeliveries(it.it.app.db, it.id)).queued).toBeGreaterThan(30)
  })

  const zones = {
    'Pacific/Auckland': '2026-11-26T18:00:00.000Z', // +13
    'Asia/Kathmandu': '2026-11-27T01:15:00.000Z', // +5:45
    'Asia/Kolkata': '2026-11-27T01:30:00.000Z', // +5:30
    'Europe/London': '2026-11-27T07:00:00.000Z',
    'Pacific/Pago_Pago': '2026-11-27T18:00:00.000Z', // −11
  }
  const everywhere: Person[] = [
    ...Object.keys(zones).flatMap((zone, index) =>
      peopleAt(`zone${index}.example`, 3).map(({ email }) => ({ email, zone })),
    ),
    ...peopleAt('nowhere.example', 3),
  ]

  test('in local time reaches each zone at its hour, everybody once, also over restarts', async () => {
    const it = await ready({
      people: everywhere,
      clock: fakeClock('2026-11-26T17:59:00.000Z'),
      dueAt: '2026-11-27T07:00:00.000Z',
      job: { localTime: 'true' },
    })
    const { clock, app } = it.it
    const report = await send(it)
    expect(report).toMatchObject({ finished: false, counts: { queued: 18, accepted: 0 } })
    expect(report.wait?.until).toBe(zones['Pacific/Auckland'])
    expect(await whyOf(it)).toEqual([
      '3 wait for their hour, Thursday 26 November 2026 at 18:00 in Europe/London',
      '3 wait for their hour, Friday 27 November 2026 at 01:15 in Europe/London',
      '3 wait for their hour, Friday 27 November 2026 at 01:30 in Europe/London',
      '6 wait for their hour, Friday 27 November 2026 at 07:00 in Europe/London',
      '3 wait for their hour, Friday 27 November 2026 at 18:00 in Europe/London',
    ])
    const reached = new Map<string, string>()
    let running = it
    for (const instant of Object.values(zones)) {
      clock.set(instant)
      const before = it.relay.accepted.length
      await send(running)
      for (const { to } of it.relay.accepted.slice(before)) reached.set(to, instant)
      running = await reopened(it)
    }
    expect(it.relay.accepted).toHaveLength(18)
    const expected = everywhere.map(({ email, zone }) => [
      email,
      zones[(zone ?? 'Europe/London') as keyof typeof zones],
    ])
    expect(Object.fromEntries(reached)).toEqual(Object.fromEntries(expected))
    expect(await editionById(app.db, it.id)).toMatchObject({ status: 'sent' })
  })

  test('in local time that is approved late goes at once where the hour is over', async () => {
    const it = await ready({
      people: everywhere,
      clock: fakeClock('2026-11-27T03:00:00.000Z'),
      dueAt: '2026-11-27T07:00:00.000Z',
      job: { localTime: 'true' },
    })
    expect((await send(it)).counts).toMatchObject({ accepted: 9, queued: 9 })
  })

  test('that somebody made by hand goes to everybody at once, local time or not', async () => {
    const it = await ready({
      people: everywhere,
      clock: fakeClock('2026-11-26T12:34:00.000Z'),
      job: { localTime: 'true' },
    })
    expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: 18 } })
  })

  test('in local time keeps the hour of each zone, whatever becomes of the job file before it is approved', async () => {
    const changes = {
      off: { localTime: false },
      'another day': { schedule: '0 9 * * MON' },
      'another hour': { schedule: '30 8 * * FRI' },
      'another zone': { zone: 'Asia/Tokyo' },
    }
    for (const [name, change] of Object.entries(changes)) {
      for (const [now, reached] of [
        ['2026-11-26T19:00:00.000Z', 3],
        ['2026-11-27T07:30:00.000Z', 15],
      ] as const) {
        const it = await ready({
          people: everywhere,
          clock: fakeClock('2026-11-26T17:00:00.000Z'),
          dueAt: '2026-11-27T07:00:00.000Z',
          job: { localTime: 'true' },
        })
        Object.assign(it.it.digest, change)
        it.it.clock.set(now)
        expect([name, (await send(it)).counts.accepted]).toEqual([name, reached])
        it.it.clock.set('2026-11-27T18:00:00.000Z')
        expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: 18 } })
      }
    }
  })

  test('that was made for all at once goes to all at once, though the job file has local time by now', async () => {
    const it = await ready({ people: everywhere, dueAt: '2026-11-27T07:00:00.000Z' })
    Object.assign(it.it.digest, { localTime: true })
    expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: 18 } })
  })

  test('of the summer goes by summer time where there is one, in each zone by its own', async () => {
    const it = await ready({
      people: [
        { email: 'a@one.example', zone: 'America/New_York' },
        { email: 'b@two.example', zone: 'Australia/Sydney' },
        { email: 'c@three.example', zone: 'Asia/Tokyo' },
      ],
      clock: fakeClock('2027-07-01T10:00:00.000Z'),
      dueAt: '2027-07-02T06:00:00.000Z',
      job: { localTime: 'true' },
    })
    await send(it)
    const slices = await it.it.app.db.selectFrom('zoneSends').select(['zone', 'at']).orderBy('at').execute()
    expect(slices).toEqual([
      { zone: 'Australia/Sydney', at: '2027-07-01T21:00:00.000Z' },
      { zone: 'Asia/Tokyo', at: '2027-07-01T22:00:00.000Z' },
      { zone: 'America/New_York', at: '2027-07-02T11:00:00.000Z' },
    ])
  })

  test('in local time is made before the first zone has its hour, once, with a lead to approve it', async () => {
    const clock = fakeClock('2026-11-25T12:00:00.000Z')
    const it = await openWorld({
      storeUrl: await freshUrl(),
      clock,
      job: { localTime: 'true', lead: '3h', approval: 'required' },
    })
    closing.push(it.close)
    await makeDueEditions(it.app)
    await subscribe(it, 2)
    await it.app.db.updateTable('subscribers').set({ zone: 'Pacific/Auckland' }).execute()
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three'])
    clock.set('2026-11-26T14:59:00.000Z')
    expect(await makeDueEditions(it.app)).toBe(0)
    clock.set('2026-11-26T15:00:00.000Z')
    expect(await makeDueEditions(it.app)).toBe(1)
    clock.set('2026-11-27T07:00:00.000Z')
    expect(await makeDueEditions(it.app)).toBe(0)
    const editions = await it.app.db.selectFrom('editions').select('dueAt').execute()
    expect(editions).toEqual([{ dueAt: '2026-11-27T07:00:00.000Z' }])
  })

  test('has its audience frozen by the same shape after a kill half way', async () => {
    const it = await ready({ people: everywhere, dueAt: '2026-11-27T07:00:00.000Z', job: { localTime: 'true' } })
    await it.it.app.db.updateTable('editions').set({ status: 'sending' }).where('id', '=', it.id).execute()
    const shape = { byZone: { otherwise: '2026-11-27T07:00:00.000Z' } }
    await it.it.app.db
      .insertInto('zoneSends')
      .values(Object.entries(zones).map(([zone, at]) => ({ editionId: it.id, zone, at })))
      .execute()
    await freezePage(it.it.app.db, { id: it.id, digest: 'weekly' }, { after: '', size: 5 }, it.it.clock.now(), shape)
    await send(it)
    const rows = await it.it.app.db
      .selectFrom('deliveries')
      .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriberId')
      .select(['subscribers.zone', 'deliveries.nextAttemptAt'])
      .where('deliveries.status', '=', 'queued')
      .execute()
    expect(rows).toEqual(
      Array.from({ length: 3 }, () => ({ zone: 'Pacific/Pago_Pago', nextAttemptAt: zones['Pacific/Pago_Pago'] })),
    )
  })
})

function send({ it, sender, id }: Pick<Ready, 'it' | 'sender' | 'id'>) {
  return sendEdition(it.app, sender, id, { unknown: 'repeat' })
}

async function reopened(ready: Ready): Promise<Ready> {
  await ready.sender.close()
  const sender = await openSender(ready.it.app)
  closing.push(sender.close)
  return { ...ready, sender }
}

async function editionOf({ it, id }: Ready): Promise<EditionRow> {
  return (await editionById(it.app.db, id)) as EditionRow
}

async function statusOf(ready: Ready): Promise<string> {
  return (await editionOf(ready)).status
}

async function whyOf(ready: Ready): Promise<string[]> {
  const reasons = await whyWaiting(ready.it.app, await editionOf(ready), rulesOf(ready.it.app, 'weekly'))
  return reasons.map(describeReason)
}

function countAt({ relay }: Ready, domain: string): number {
  return relay.accepted.filter(({ to }) => to.endsWith(`@${domain}`)).length
}
