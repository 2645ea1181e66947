import { afterEach, expect, test } from 'vitest'
import { describeReason } from '../../src/describe/describe.ts'
import { compose } from '../../src/editions/compose/compose.ts'
import { openSender } from '../../src/pipeline/sending/sender.ts'
import { latestEditions } from '../../src/store/editions/editions.ts'
import { hour, second } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { advanceEditions, makeDueEditions } from '../support/pipeline.ts'
import { startRelay } from '../support/smtp/relay.ts'
import { newsFeed, openWorld, publishTitles, subscribe, type World, type WorldOptions } from '../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const thursday = '2026-11-26T12:00:00.000Z'
const friday = '2026-11-27T07:00:00.000Z'

onBothEngines('the timetable', (freshUrl) => {
  async function world(options: Partial<WorldOptions> = {}): Promise<World> {
    const it = await openWorld({ storeUrl: await freshUrl(), ...options })
    closing.push(it.close)
    await subscribe(it, 1)
    it.clock.set(thursday)
    await makeDueEditions(it.app) // the digest is met
    return it
  }

  test('makes an edition when it is due, and not before', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    it.clock.set('2026-11-27T06:59:59.999Z')
    expect(await makeDueEditions(it.app)).toBe(0)
    it.clock.set(friday)
    expect(await makeDueEditions(it.app)).toBe(1)
    expect(await makeDueEditions(it.app)).toBe(0)
    expect(await due(it)).toEqual([{ dueAt: friday, status: 'composed', reason: null }])
  })

  test('makes nothing that was due before the digest was first seen', async () => {
    const it = await openWorld({ storeUrl: await freshUrl() })
    closing.push(it.close)
    it.clock.set('2026-11-27T07:00:01.000Z')
    expect(await makeDueEditions(it.app)).toBe(0)
    expect(await due(it)).toEqual([])
  })

  test('makes up for a run that was missed by less than the rule says', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    it.clock.set('2026-11-27T18:59:00.000Z')
    expect(await makeDueEditions(it.app)).toBe(1)
    expect(await due(it)).toEqual([{ dueAt: friday, status: 'composed', reason: null }])
  })

  test('makes a run that could not be made at the next look', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    it.clock.set(friday)
    const { thin } = it.digest
    Object.assign(it.digest, { thin: undefined })
    expect(await makeDueEditions(it.app)).toBe(0)
    expect(await due(it)).toEqual([])
    Object.assign(it.digest, { thin })
    expect(await makeDueEditions(it.app)).toBe(1)
    expect(await due(it)).toEqual([{ dueAt: friday, status: 'composed', reason: null }])
  })

  test('skips a run that was missed by more, and the reason is on record', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    it.clock.set('2026-11-27T20:30:00.000Z')
    expect(await makeDueEditions(it.app)).toBe(0)
    expect(await due(it)).toEqual([
      { dueAt: friday, status: 'skipped', reason: 'missed by 13 h 30 min; the rule makes up for 12h' },
    ])
  })

  test('makes one edition after a month of silence, not four', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    it.clock.set('2026-12-18T09:00:00.000Z')
    expect(await makeDueEditions(it.app)).toBe(1)
    expect(await due(it)).toEqual([
      { dueAt: '2026-12-18T07:00:00.000Z', status: 'composed', reason: null },
      {
        dueAt: '2026-12-11T07:00:00.000Z',
        status: 'skipped',
        reason:
          '3 runs, due from 2026-11-27T07:00:00.000Z to 2026-12-11T07:00:00.000Z; the newest of them was missed by 7 days; the rule makes up for 12h',
      },
    ])
  })

  test('puts many runs that were missed down as one', async () => {
    const it = await world({ job: { schedule: '"*/30 * * * *"', missed: '{ within: 10m }' } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    it.clock.set('2026-11-29T12:45:00.000Z')
    expect(await makeDueEditions(it.app)).toBe(0)
    expect(await due(it)).toEqual([
      {
        dueAt: '2026-11-29T12:30:00.000Z',
        status: 'skipped',
        reason: expect.stringMatching(/^145 runs, due from 2026-11-26T12:30/),
      },
    ])
    it.clock.set('2026-11-29T13:00:00.000Z')
    expect(await makeDueEditions(it.app)).toBe(1)
  })

  test('a due time that a run by hand has served is neither missed nor made up for', async () => {
    const it = await world({ job: { thin: '{ minimum: 0 }' } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    for (const week of ['2026-11-27', '2026-12-04', '2026-12-11']) {
      it.clock.set(`${week}T07:00:01.000Z`)
      await compose(it.app, it.digest, it.clock.now())
    }
    it.clock.set('2026-12-11T08:00:00.000Z')
    expect(await makeDueEditions(it.app)).toBe(0)
    expect((await due(it)).map(({ status }) => status)).toEqual(['composed', 'composed', 'composed'])
    it.clock.set('2027-01-05T07:00:00.000Z') // nobody served three Fridays
    expect(await makeDueEditions(it.app)).toBe(0)
    expect((await due(it)).filter(({ status }) => status === 'skipped')).toMatchObject([
      { reason: expect.stringContaining('3 runs, due from 2026-12-18') },
    ])
  })

  test('makes no second edition when the clock goes back and comes again', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    it.clock.set(friday)
    await makeDueEditions(it.app)
    it.clock.advance(-2 * hour)
    await makeDueEditions(it.app)
    it.clock.advance(3 * hour)
    await makeDueEditions(it.app)
    expect(await due(it)).toHaveLength(1)
  })

  test('makes one edition when several schedulers wake at once', async () => {
    const it = await world()
    const other = await openWorld({ storeUrl: it.app.config.store.url, clock: it.clock })
    closing.push(other.close)
    await publishTitles(it, newsFeed, ['One', 'Two'])
    it.clock.set(friday)
    await Promise.all([makeDueEditions(it.app), makeDueEditions(it.app)])
    await makeDueEditions(other.app)
    expect(await due(it)).toHaveLength(1)
  })

  test('keeps 07:00 in London when the clocks change', async () => {
    const sundays = await openWorld({ storeUrl: await freshUrl(), job: { schedule: '"0 7 * * SUN"' } })
    closing.push(sundays.close)
    await subscribe(sundays, 1)
    sundays.clock.set('2026-03-21T12:00:00.000Z')
    await makeDueEditions(sundays.app)
    for (const instant of ['2026-03-22T07:00:00.000Z', '2026-03-29T06:00:00.000Z', '2026-10-25T07:00:00.000Z']) {
      await publishTitles(sundays, newsFeed, [`${instant} one`, `${instant} two`])
      sundays.clock.set(instant)
      await makeDueEditions(sundays.app)
    }
    const made = (await due(sundays)).filter((edition) => edition.status !== 'skipped').map((edition) => edition.dueAt)
    expect(made).toEqual(['2026-10-25T07:00:00.000Z', '2026-03-29T06:00:00.000Z', '2026-03-22T07:00:00.000Z'])
  })

  test('takes an edition from due to sent by rule alone', async () => {
    const relay = await startRelay()
    closing.push(relay.close)
    const it = await world({ relayPort: relay.port })
    await subscribe(it, 5)
    await publishTitles(it, newsFeed, ['One', 'Two'])
    it.clock.set(friday)
    await makeDueEditions(it.app)
    const sender = await openSender(it.app)
    closing.push(sender.close)
    await advanceEditions(it.app, sender)
    expect(relay.accepted).toHaveLength(5)
    expect(await due(it)).toEqual([{ dueAt: friday, status: 'sent', reason: null }])
  })

  test('stops at the editor when approval is required', async () => {
    const relay = await startRelay()
    closing.push(relay.close)
    const it = await world({ relayPort: relay.port, job: { approval: 'required' } })
    await subscribe(it, 2)
    await publishTitles(it, newsFeed, ['One', 'Two'])
    it.clock.set(friday)
    await makeDueEditions(it.app)
    const sender = await openSender(it.app)
    closing.push(sender.close)
    await advanceEditions(it.app, sender)
    expect(await due(it)).toEqual([{ dueAt: friday, status: 'sealed', reason: null }])
    expect(relay.accepted).toEqual([])
  })

  test('leaves a relay alone that took nothing, longer each time', async () => {
    let connects = 0
    const relay = await startRelay((stage) => {
      if (stage === 'connect') connects += 1
      return stage === 'connect' ? '421 closed' : undefined
    })
    closing.push(relay.close)
    const it = await world({ relayPort: relay.port })
    await subscribe(it, 20)
    await publishTitles(it, newsFeed, ['One', 'Two'])
    it.clock.set(friday)
    await makeDueEditions(it.app)
    const sender = await openSender(it.app)
    closing.push(sender.close)
    await advanceEditions(it.app, sender)
    const first = connects
    await advanceEditions(it.app, sender)
    expect(connects).toBe(first)
    it.clock.advance(15 * second)
    await advanceEditions(it.app, sender)
    const again = connects
    expect(again).toBeGreaterThan(first)
    it.clock.advance(15 * second)
    await advanceEditions(it.app, sender)
    expect(connects).toBe(again)
    it.clock.advance(15 * second)
    await advanceEditions(it.app, sender)
    expect(connects).toBeGreaterThan(again)
  })
})

async function due({ app }: World) {
  const editions = await latestEditions(app.db, { limit: 100 })
  return editions.map(({ dueAt, status, reason }) => ({ dueAt, status, reason: reason && describeReason(reason) }))
}
