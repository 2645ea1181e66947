import { setImmediate } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import type { FindMx } from '../../src/deliveries/limits/mail-servers.ts'
import { whyWaiting } from '../../src/deliveries/limits/why-waiting.ts'
import { stopAllSending } from '../../src/deliveries/sending-stop.ts'
import { describeReason } from '../../src/describe/describe.ts'
import { pause } from '../../src/editions/review/pause.ts'
import { isQuiet } from '../../src/pipeline/sending/quiet.ts'
import { sendEdition } from '../../src/pipeline/sending/send.ts'
import { openSender } from '../../src/pipeline/sending/sender.ts'
import { countDeliveries } from '../../src/store/deliveries/deliveries.ts'
import { editionById } from '../../src/store/editions/editions.ts'
import type { EditionRow } from '../../src/store/schema.ts'
import { day, minute, msBetween, second } from '../../src/time/clock.ts'
import { type FakeClock, fakeClock } from '../support/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { inWords } from '../support/history.ts'
import { peopleAt, type Ready, readyToSend } from '../support/ready.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const busy = '421 4.7.28 unusual rate of mail'
const isAt = (domain: string, to: string) => to.endsWith(`@${domain}`)
const start = fakeClock().now()

onBothEngines('a mail provider that is slow', (freshUrl) => {
  /** A relay that says busy for one domain, and notes when each copy was taken. */
  async function sending(options: {
    people: Parameters<typeof readyToSend>[0]['people']
    answer: (to: string, clock: FakeClock) => string | undefined
    clock?: FakeClock
    findMx?: FindMx
    relay?: Record<string, unknown>
  }) {
    const { people, answer, clock = fakeClock(), ...rest } = options
    const taken: { to: string; at: string }[] = []
    const faultAt: Parameters<typeof readyToSend>[0]['faultAt'] = (stage, { to }) => {
      const fault = stage === 'RCPT' ? answer(to, clock) : undefined
      if (stage === 'dot') taken.push({ to, at: clock.now() })
      return fault
    }
    const ready = await readyToSend({ storeUrl: await freshUrl(), closing, people, clock, faultAt, ...rest })
    return { ...ready, taken }
  }

  test('gets its copies one by one, and the others have theirs at once', async () => {
    let refusals = 0
    const clock = fakeClock()
    const { it, id, sender, taken } = await sending({
      people: [...peopleAt('slow.example', 30), ...peopleAt('fast.example', 150)],
      answer: (to) => (isAt('slow.example', to) && refusals++ < 1 ? busy : undefined),
      relay: { connections: 1 },
      clock: {
        ...clock,
        async wait(milliseconds) {
          while (taken.filter(({ to }) => isAt('fast.example', to)).length < 150) await setImmediate()
          await clock.wait(milliseconds)
        },
      },
    })
    const report = await send({ it, id, sender })
    expect(report.counts).toMatchObject({ accepted: 179, deferred: 1, queued: 0, sending: 0 })
    const fast = taken.filter(({ to }) => isAt('fast.example', to))
    expect(new Set(fast.map(({ at }) => at))).toEqual(new Set([start]))
    const slow = taken.filter(({ to }) => isAt('slow.example', to)).map(({ at }) => msBetween(start, at))
    const late = slow.filter((after) => after > 0)
    expect(late.length).toBeGreaterThan(10)
    const [{ rate } = { rate: 0 }] = await it.app.db.selectFrom('paces').select('rate').execute()
    const inTime = (rate * (late.at(-1) ?? 0)) / second
    expect(late.length).toBeLessThanOrEqual(Math.ceil(inTime + Math.max(1, rate)) + 1)
  })

  test('that says 451 again and again is slowed, and one that says it once is not', async () => {
    let greylisted = 0
    const { it, id, sender } = await sending({
      people: [...peopleAt('never.example', 40), ...peopleAt('once.example', 40)],
      answer: (to) => {
        if (isAt('never.example', to)) return '451 4.7.1 too much mail from you'
        return greylisted++ === 0 ? '451 4.7.1 greylisted' : undefined
      },
    })
    await send({ it, id, sender }, 0)
    const rows = await it.app.db.selectFrom('paces').selectAll().execute()
    expect(rows.map((row) => ({ name: row.name, reason: inWords(row)?.reason }))).toEqual([
      { name: 'never.example', reason: '451 4.7.1 too much mail from you' },
    ])
    expect(await countDeliveries(it.app.db, id)).toMatchObject({ accepted: 39 })
  })

  test('is not one that greylists: each person is put off for the time that it names, and all are tried at once', async () => {
    for (const code of ['451', '421']) {
      let isGrey = true
      const { it, id, sender } = await sending({
        people: peopleAt('grey.example', 60),
        answer: () => (isGrey ? `${code} 4.7.1 Greylisted, try again in 2 minutes` : undefined),
      })
      const report = await send({ it, id, sender }, 0)
      expect([code, report]).toMatchObject([code, { stopped: null, counts: { deferred: 60, queued: 0 } }])
      expect(await it.app.db.selectFrom('paces').select('name').execute()).toEqual([])
      isGrey = false
      it.clock.advance(2.5 * minute)
      expect(await send({ it, id, sender }, 0)).toMatchObject({ finished: true, counts: { accepted: 60 } })
    }
  })

  test('is one whose answers take half a minute', async () => {
    const { it, id, sender } = await sending({
      people: peopleAt('tarpit.example', 6),
      relay: { connections: 1 },
      answer: (_, clock) => void clock.advance(30 * second),
    })
    await send({ it, id, sender })
    expect(await countDeliveries(it.app.db, id)).toMatchObject({ accepted: 6 })
    const [row] = await it.app.db.selectFrom('paces').selectAll().execute()
    expect(inWords(row)).toMatchObject({ name: 'tarpit.example', reason: 'an answer took 30 s' })
  })

  test('is known to be slow after a restart, shown with the answer, and forgotten after a week', async () => {
    const { it, id, sender } = await sending({
      people: peopleAt('slow.example', 20),
      answer: (to) => (isAt('slow.example', to) ? busy : undefined),
    })
    const report = await send({ it, id, sender }, 0)
    expect(inWords(report.wait ?? undefined)).toMatchObject({ reason: `slow.example is slow: ${busy}` })
    expect(isQuiet(sender, id, it.clock.now())).toBe(true)
    const edition = (await editionById(it.app.db, id)) as EditionRow
    expect((await whyWaiting(it.app, edition, undefined)).map(describeReason)).toEqual([
      expect.stringMatching(
        /^slow\.example is slow: 421 4\.7\.28 .*; it gets .* messages? a (second|minute), slowed on Friday 27 /,
      ),
    ])
    await sender.close()

    const next = await reopen(it)
    const { pace } = next.rates.of('anybody@slow.example', null)
    expect(inWords(pace)).toMatchObject({ rate: expect.any(Number), reason: busy })
    it.clock.advance(14 * day)
    expect((await reopen(it)).rates.of('anybody@slow.example', null).pace.rate).toBeNull()
  })

  test('is slow for another process too, from its next pass on', async () => {
    let isBusy = true
    const { it, id, sender } = await sending({
      people: peopleAt('slow.example', 20),
      answer: () => (isBusy ? busy : undefined),
    })
    const other = await reopen(it)
    await send({ it, id, sender }, 0)
    isBusy = false
    expect(other.rates.of('anybody@slow.example', null).pace.rate).toBeNull()
    const report = await send({ it, id, sender: other }, 0)
    expect(other.rates.of('anybody@slow.example', null).pace.rate).not.toBeNull()
    expect(report.counts.accepted).toBeLessThan(10)
  })

  test('is written down as free again when its limit is gone', async () => {
    let isBusy = true
    const { it, id, sender } = await sending({
      people: peopleAt('slow.example', 20),
      answer: () => (isBusy ? busy : undefined),
    })
    await send({ it, id, sender }, 0)
    expect(await it.app.db.selectFrom('paces').select('name').execute()).toHaveLength(1)
    isBusy = false
    it.clock.advance(10 * day)
    await send({ it, id, sender })
    expect(await countDeliveries(it.app.db, id)).toMatchObject({ accepted: 20 })
    expect(await it.app.db.selectFrom('paces').select('name').execute()).toEqual([])
  })

  test('keeps nothing in our hands while we wait for it: what was answered is on record', async () => {
    const clock = fakeClock()
    let waits = 0
    const { it, id, sender } = await sending({
      people: peopleAt('slow.example', 40),
      clock: {
        ...clock,
        async wait(milliseconds) {
          waits += 1
          while ((await countDeliveries(it.app.db, id)).sending > 0) await setImmediate()
          await clock.wait(milliseconds)
        },
      },
      answer: (to) => (to.startsWith('reader00003') ? busy : undefined),
    })
    await send({ it, id, sender })
    expect(waits).toBeGreaterThan(3)
    expect(await countDeliveries(it.app.db, id)).toMatchObject({ accepted: 39, deferred: 1 })
  })

  test('does not keep us from a pause, a stop of all sending, or the end, for longer than a second', async () => {
    for (const how of ['paused', 'all stopped', 'aborted'] as const) {
      const clock = fakeClock()
      const controller = new AbortController()
      let stoppedAt = ''
      const { it, id, sender } = await sending({
        people: peopleAt('slow.example', 20),
        clock: {
          ...clock,
          async wait(milliseconds, signal) {
            if (stoppedAt === '' && msBetween(start, clock.now()) > 5 * second) {
              stoppedAt = clock.now()
              if (how === 'aborted') controller.abort()
              else if (how === 'all stopped') await stopAllSending(it.app, { who: 'Ada', reason: 'a wrong name' })
              else await pause(it.app, id, 'Ada', 'a wrong name')
            }
            if (!signal?.aborted) await clock.wait(milliseconds)
          },
        },
        answer: () => busy,
      })
      const { signal } = controller
      await sendEdition(it.app, sender, id, { unknown: 'repeat', signal, maxSlowWaitMs: Number.POSITIVE_INFINITY })
      expect(stoppedAt).not.toBe('')
      expect(msBetween(stoppedAt, clock.now())).toBeLessThanOrEqual(second)
      expect((await countDeliveries(it.app.db, id)).sending).toBe(0)
    }
  })

  test('is no trouble of the relay: the pass goes on, and says when it will', async () => {
    const { it, id, sender } = await sending({
      people: [...peopleAt('slow.example', 60), ...peopleAt('fast.example', 20)],
      answer: (to) => (isAt('slow.example', to) ? busy : undefined),
    })
    const report = await send({ it, id, sender }, 30 * second)
    expect(report).toMatchObject({ stopped: null, finished: false, counts: { accepted: 20 } })
    expect(msBetween(start, it.clock.now())).toBeGreaterThanOrEqual(30 * second)
    expect(report.counts.queued).toBeGreaterThan(10)
  })

  test('is not the relay that says 421 to everybody: that stops the pass', async () => {
    const domains = Array.from({ length: 30 }, (_, index) => peopleAt(`domain${index}.example`, 2)).flat()
    const { it, id, sender } = await sending({ people: domains, answer: () => '421 4.3.2 going down' })
    const report = await send({ it, id, sender })
    expect(report.stopped && describeReason(report.stopped)).toContain('421 4.3.2 going down')
    expect(report.counts.queued).toBeGreaterThan(30)
  })

  test('may be one behind many domains: by their MX they share its pace', async () => {
    const findMx: FindMx = {
      find: async (domain) => (domain.startsWith('firm') ? ['aspmx.l.google.com'] : []),
      close() {},
    }
    let refusals = 0
    const { it, id, sender } = await sending({
      people: [...peopleAt('firm1.org', 120), ...peopleAt('firm2.org', 40), ...peopleAt('own.org', 40)],
      answer: (to, clock) => (isAt('firm1.org', to) && clock.now() === start && refusals++ < 3 ? busy : undefined),
      findMx,
    })
    await send({ it, id, sender }, 0)
    const rows = await it.app.db.selectFrom('paces').select('name').execute()
    expect(rows).toEqual([{ name: 'google.com' }])
    expect(sender.rates.of('new@firm2.org', null).pace.rate).not.toBeNull()
    expect(sender.rates.of('new@own.org', null).pace.rate).toBeNull()
  })
})

function send({ it, id, sender }: Pick<Ready, 'it' | 'id' | 'sender'>, maxSlowWaitMs = 10 * minute) {
  return sendEdition(it.app, sender, id, { unknown: 'repeat', maxSlowWaitMs })
}

async function reopen(it: Ready['it']) {
  const sender = await openSender(it.app)
  closing.push(sender.close)
  return sender
}
