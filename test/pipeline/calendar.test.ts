import { afterEach, expect, test } from 'vitest'
import { describeReason } from '../../src/describe/describe.ts'
import { explain } from '../../src/editions/explain.ts'
import { makeDue } from '../../src/pipeline/make-due.ts'
import { latestEditions } from '../../src/store/editions/editions.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { makeDueEditions } from '../support/pipeline.ts'
import { newsFeed, openWorld, publishTitles, subscribe, type World } from '../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const thursday = '2026-12-17T12:00:00.000Z'

onBothEngines('the calendar', (freshUrl) => {
  async function world(schedule: string): Promise<World> {
    const it = await openWorld({ storeUrl: await freshUrl(), job: { schedule } })
    closing.push(it.close)
    await subscribe(it, 1)
    it.clock.set(thursday)
    await makeDueEditions(it.app) // the digest is known from now on
    return it
  }

  /** Each edition by its due date, as the scheduler finds it once an hour. */
  async function editionsUntil(it: World, end: string): Promise<string[][]> {
    for (let now = Date.parse(it.clock.now()); now <= Date.parse(end); now += 3_600_000) {
      it.clock.set(new Date(now).toISOString())
      await makeDueEditions(it.app)
    }
    const editions = await latestEditions(it.app.db, { limit: 100 })
    return editions
      .toReversed()
      .map(({ dueAt, status, reason }) => [dueAt.slice(0, 10), status, reason ? describeReason(reason) : ''])
  }

  test('records a skipped date with its reason, and the next edition has the articles', async () => {
    const it = await world('{ cron: "0 7 * * FRI", skip: [{ on: 2026-12-25, name: Christmas }] }')
    it.clock.set('2026-12-18T08:00:00.000Z')
    await makeDueEditions(it.app)
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const editions = await editionsUntil(it, '2027-01-01T08:00:00.000Z')
    expect(editions.slice(1)).toEqual([
      ['2026-12-25', 'skipped', 'its date is skipped (Christmas); its articles stay pending'],
      ['2027-01-01', 'composed', ''],
    ])
  })

  test('drops the articles of a skipped date where the job file says so, and explains it', async () => {
    const it = await world('{ cron: "0 7 * * FRI", skip: [{ on: 2026-12-25, content: drop }] }')
    await publishTitles(it, newsFeed, ['One', 'Two'])
    it.clock.set('2026-12-18T08:00:00.000Z')
    await makeDueEditions(it.app)
    await publishTitles(it, newsFeed, ['Three', 'Four'])
    const editions = await editionsUntil(it, '2026-12-25T08:00:00.000Z')
    expect(editions.at(-1)).toEqual(['2026-12-25', 'skipped', 'its date is skipped; its articles became backlog'])
    const [answer] = await explain(it.app.db, it.app.digests, 'Three')
    expect(answer?.answer).toBe(
      'in none: backlog since 2026-12-25T07:00:00.000Z: no edition was made on 2026-12-25T07:00:00.000Z: its date is skipped; its articles became backlog',
    )
    it.clock.set('2027-01-01T07:00:00.000Z')
    await makeDueEditions(it.app)
    const [newest] = await latestEditions(it.app.db, { limit: 1 })
    expect(newest?.reason && describeReason(newest.reason)).toContain('no new articles')
  })

  test('two schedulers record one skipped run and make one shifted edition', async () => {
    const skip = '[{ on: 2026-12-18 }, { on: 2026-12-25, shift: before }]'
    const it = await world(`{ cron: "0 7 * * FRI", skip: ${skip} }`)
    await publishTitles(it, newsFeed, ['One', 'Two'])
    for (const now of ['2026-12-18T07:00:00.000Z', '2026-12-24T07:00:00.000Z', '2026-12-25T07:00:00.000Z']) {
      it.clock.set(now)
      await Promise.all([makeDue(it.app, it.digest), makeDue(it.app, it.digest)])
    }
    expect(await editionsUntil(it, '2026-12-26T00:00:00.000Z')).toEqual([
      ['2026-12-18', 'skipped', 'its date is skipped; its articles stay pending'],
      ['2026-12-24', 'composed', ''],
    ])
  })

  test('a pause makes no edition until its date, over weeks', async () => {
    const it = await world('{ cron: "0 7 * * FRI", pauseUntil: 2027-01-08 }')
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const paused = 'the digest is paused until 2027-01-08; its articles stay pending'
    expect(await editionsUntil(it, '2027-01-08T08:00:00.000Z')).toEqual([
      ['2026-12-18', 'skipped', paused],
      ['2026-12-25', 'skipped', paused],
      ['2027-01-01', 'skipped', paused],
      ['2027-01-08', 'composed', ''],
    ])
  })

  test('a date that is added to the calendar while nothing runs loses no run that both calendars have', async () => {
    const it = await world('"0 7 * * FRI"')
    await publishTitles(it, newsFeed, ['One', 'Two'])
    it.clock.set('2026-12-18T09:00:00.000Z')
    const schedule = '{ cron: "0 7 * * FRI", skip: [2026-12-25] }'
    const again = await openWorld({ storeUrl: it.app.config.store.url, job: { schedule }, clock: it.clock })
    closing.push(again.close)
    await makeDueEditions(again.app)
    const editions = await latestEditions(it.app.db, { limit: 5 })
    expect(editions.map(({ dueAt, status }) => [dueAt.slice(0, 10), status])).toEqual([['2026-12-18', 'composed']])
  })
})
