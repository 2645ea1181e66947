import { readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { JobReader } from '../../src/pipeline/job-reader.ts'
import { latestEditions } from '../../src/store/editions/editions.ts'
import { fromJson } from '../../src/store/json.ts'
import { jobReaders } from '../../src/store/system/job-readers.ts'
import { second } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { inWords } from '../support/history.ts'
import { makeHome } from '../support/home.ts'
import { makeDueEditions } from '../support/pipeline.ts'
import { startAt } from '../support/started.ts'
import { newsFeed, openWorld, publishTitles, subscribe, type World, type WorldOptions } from '../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('job files of a running process', (freshUrl) => {
  async function open(
    now: string,
    job: WorldOptions['job'] = {},
  ): Promise<World & { jobs: JobReader; look(): Promise<void>; change(from: string, to: string): Promise<void> }> {
    const it = await openWorld({ storeUrl: await freshUrl(), job: { thin: '{ minimum: 0 }', ...job } })
    closing.push(it.close)
    it.clock.set(now)
    await subscribe(it, 1)
    const jobs = new JobReader(it.app)
    await makeDueEditions(it.app) // the digest is met
    const look = async () => {
      for (let looks = 0; looks < 2; looks++) {
        it.clock.advance(5 * second)
        await jobs.poll()
      }
    }
    return {
      ...it,
      jobs,
      look,
      async change(from, to) {
        const file = join(it.folder, 'jobs/weekly.yml')
        const before = readFileSync(file, 'utf8')
        expect(before).toContain(from)
        writeFileSync(file, before.replace(from, to))
        await look()
      },
    }
  }

  /** Another process on the same store, whose job file has this schedule. */
  async function beside(it: World, schedule: string): Promise<World> {
    const job = { schedule: `"${schedule}"`, thin: '{ minimum: 0 }' }
    const other = await openWorld({ storeUrl: it.app.config.store.url, clock: it.clock, job })
    closing.push(other.close)
    return other
  }

  async function at(it: World, instant: string): Promise<string[]> {
    it.clock.set(instant)
    await makeDueEditions(it.app)
    const editions = await latestEditions(it.app.db, { limit: 100 })
    return editions.map(({ dueAt, status }) => `${dueAt.slice(0, 16)} ${status}`)
  }

  test('a new schedule is followed, with no run twice and none missed that nobody had asked for', async () => {
    const it = await open('2026-11-26T12:00:00.000Z')
    await publishTitles(it, newsFeed, ['One'])
    expect(await at(it, '2026-11-27T07:00:00.000Z')).toEqual(['2026-11-27T07:00 composed'])
    it.clock.set('2026-12-02T12:00:00.000Z')
    await it.change('0 7 * * FRI', '0 7 * * *') // every day, from Wednesday noon on
    expect(await at(it, '2026-12-02T12:01:00.000Z')).toEqual(['2026-11-27T07:00 composed'])
    const daily = ['2026-12-03T07:00 composed', '2026-11-27T07:00 cancelled'] // the newer one replaces it
    expect(await at(it, '2026-12-03T07:00:00.000Z')).toEqual(daily)
    await it.change('0 7 * * *', '30 6 * * *') // earlier than the run of today, which is made
    expect(await at(it, '2026-12-03T07:01:00.000Z')).toEqual(daily)
    expect(await at(it, '2026-12-04T06:30:00.000Z')).toEqual([
      '2026-12-04T06:30 composed',
      '2026-12-03T07:00 cancelled',
      '2026-11-27T07:00 cancelled',
    ])
  })

  test('what the schedule before owed is made by its own time', async () => {
    const it = await open('2026-11-26T12:00:00.000Z')
    await publishTitles(it, newsFeed, ['One'])
    it.clock.set('2026-11-27T08:00:00.000Z') // nothing looked at seven
    await it.change('0 7 * * FRI', '0 7 * * MON')
    expect(await at(it, '2026-11-27T08:01:00.000Z')).toEqual(['2026-11-27T07:00 composed'])
    expect(await at(it, '2026-11-30T07:00:00.000Z')).toHaveLength(2)
  })

  const sevenToOnePast = ['0 7 * * FRI', '1 7 * * FRI'] as const

  test('a run that was not due yet when its schedule was changed is not made any more', async () => {
    const it = await open('2026-11-26T12:00:00.000Z', { approval: 'auto' })
    await publishTitles(it, newsFeed, ['One'])
    it.clock.set('2026-11-27T06:59:48.000Z')
    await it.change(...sevenToOnePast) // taken over at 06:59:58, and no minute begins before the old time
    expect(await at(it, '2026-11-27T07:00:00.000Z')).toEqual([])
    expect(await at(it, '2026-11-27T07:01:00.000Z')).toEqual(['2026-11-27T07:01 composed'])
    expect(await at(it, '2026-12-04T07:02:00.000Z')).toHaveLength(2)
  })

  test('a run that was due when its schedule was changed is made, and the next by the new one', async () => {
    const it = await open('2026-11-26T12:00:00.000Z', { approval: 'auto' })
    await publishTitles(it, newsFeed, ['One'])
    it.clock.set('2026-11-27T06:59:50.000Z')
    await it.change(...sevenToOnePast) // taken over at the very second
    expect(await at(it, '2026-11-27T07:00:01.000Z')).toEqual(['2026-11-27T07:00 composed'])
  })

  test('a run that was due while nothing ran, and that the file does not name any more, is not made up for', async () => {
    const it = await open('2026-11-26T12:00:00.000Z', { approval: 'auto' })
    await publishTitles(it, newsFeed, ['One'])
    it.clock.set('2026-11-27T07:00:02.000Z')
    const next = await beside(it, '0 8 * * MON')
    expect(await at(next, '2026-11-27T07:00:03.000Z')).toEqual(['2026-11-27T07:00 skipped'])
    const [skipped] = await latestEditions(next.app.db, { limit: 1 })
    expect(inWords(skipped)?.reason).toContain('the schedule was changed before it could be made')
    expect(await at(next, '2026-11-30T08:00:00.000Z')).toEqual([
      '2026-11-30T08:00 composed',
      '2026-11-27T07:00 skipped',
    ])
  })

  test('a process that is killed once it has taken a schedule over leaves the instant behind', async () => {
    const it = await open('2026-11-26T12:00:00.000Z')
    it.clock.set('2026-11-27T06:59:48.000Z')
    await it.change(...sevenToOnePast)
    it.clock.set('2026-11-27T07:00:30.000Z')
    const next = await beside(it, sevenToOnePast[1])
    await makeDueEditions(next.app)
    expect(await at(it, '2026-11-27T07:00:59.000Z')).toEqual([])
    expect(await at(next, '2026-11-27T07:01:00.000Z')).toEqual(['2026-11-27T07:01 composed'])
  })

  test('three schedules within a minute owe what was due while each counted', async () => {
    const it = await open('2026-11-26T12:00:00.000Z')
    it.clock.set('2026-11-27T06:59:45.000Z')
    await it.change('0 7 * * FRI', '0 6 * * FRI')
    await it.change('0 6 * * FRI', '2 7 * * FRI')
    it.clock.set('2026-11-27T07:01:00.000Z')
    expect(await at(it, '2026-11-27T07:01:00.000Z')).toEqual([])
    expect(await at(it, '2026-11-27T07:02:00.000Z')).toEqual(['2026-11-27T07:02 composed'])
  })

  test('of two processes with different schedules the one that read its file last says when, and neither misses a run', async () => {
    const it = await open('2026-11-26T12:00:00.000Z')
    it.clock.set('2026-11-26T12:30:00.000Z')
    const other = await beside(it, '30 7 * * FRI')
    const lines: string[] = []
    it.app.log = { ...it.app.log, warn: (fields: { event: string }) => void lines.push(fields.event) } as never
    const tick = async (instant: string) => {
      it.clock.set(instant)
      for (const { app } of [it, other, it]) await makeDueEditions(app)
    }
    for (const minute of ['06:59', '07:00', '07:01', '07:29', '07:30', '07:31'])
      await tick(`2026-11-27T${minute}:00.000Z`)
    expect(await at(it, '2026-11-27T07:32:00.000Z')).toEqual(['2026-11-27T07:30 composed'])
    expect(lines.filter((event) => event === 'schedule.differs')).toHaveLength(1)
    await it.change('The Weekly', 'The Daily') // no new schedule
    await tick('2026-12-04T07:00:00.000Z')
    expect(await at(it, '2026-12-04T07:01:00.000Z')).toHaveLength(1)
    await it.change('0 7 * * FRI', '15 7 * * FRI')
    await tick('2026-12-04T07:15:00.000Z')
    await tick('2026-12-04T07:30:00.000Z')
    expect((await at(it, '2026-12-04T07:31:00.000Z'))[0]).toBe('2026-12-04T07:15 composed')
  })

  for (const { within, status } of [
    { within: '12h', status: 'composed' },
    { within: '0m', status: 'skipped' },
  ])
    test(`a file that is away while its run is due, and back unchanged, leaves an edition that is ${status}`, async () => {
      const it = await open('2026-11-26T12:00:00.000Z', { missed: `{ within: ${within} }` })
      const file = join(it.folder, 'jobs/weekly.yml')
      const text = readFileSync(file, 'utf8')
      writeFileSync(join(it.folder, 'jobs/other.yml'), text.replace('0 7', '0 9'))
      await it.look()
      unlinkSync(file)
      it.clock.set('2026-11-27T06:59:40.000Z')
      await it.look()
      expect(await at(it, '2026-11-27T07:00:00.000Z')).toEqual([])
      writeFileSync(file, text)
      await it.look()
      expect(await at(it, '2026-11-27T07:01:00.000Z')).toEqual([`2026-11-27T07:00 ${status}`])
    })

  test('a file that comes back with another schedule has missed nothing', async () => {
    const it = await open('2026-11-26T12:00:00.000Z')
    const file = join(it.folder, 'jobs/weekly.yml')
    const text = readFileSync(file, 'utf8')
    writeFileSync(join(it.folder, 'jobs/other.yml'), text.replace('0 7', '0 9'))
    await it.look()
    unlinkSync(file)
    it.clock.set('2026-11-27T06:59:40.000Z')
    await it.look()
    it.clock.set('2026-11-27T07:00:20.000Z')
    writeFileSync(file, text.replace('0 7', '30 7'))
    await it.look()
    expect(await at(it, '2026-11-27T07:01:00.000Z')).toEqual([])
    expect(await at(it, '2026-11-27T07:30:00.000Z')).toEqual(['2026-11-27T07:30 composed'])
  })

  test('two processes that take a schedule over one after the other make no run twice', async () => {
    const it = await open('2026-11-26T12:00:00.000Z')
    const other = { ...it.app }
    it.clock.set('2026-11-27T06:59:00.000Z')
    await it.change('0 7 * * FRI', '30 7 * * FRI')
    await makeDueEditions(it.app)
    it.clock.set('2026-11-27T07:00:00.000Z')
    await makeDueEditions(other) // by the schedule of before
    expect(await at(it, '2026-11-27T07:01:00.000Z')).toEqual([])
    expect(await at(it, '2026-11-27T07:30:00.000Z')).toEqual(['2026-11-27T07:30 composed'])
  })

  test('a file that is away for weeks has missed its runs when it is back, and that is on record', async () => {
    const it = await open('2026-11-26T12:00:00.000Z')
    const file = join(it.folder, 'jobs/weekly.yml')
    const text = readFileSync(file, 'utf8')
    writeFileSync(join(it.folder, 'jobs/other.yml'), text)
    await it.look()
    unlinkSync(file)
    for (let looks = 0; looks < 2; looks++) await it.jobs.poll()
    expect(it.app.digests.map(({ name }) => name)).toEqual(['other'])
    it.clock.set('2026-12-16T12:00:00.000Z')
    writeFileSync(file, text)
    for (let looks = 0; looks < 2; looks++) await it.jobs.poll()
    const weekly = async () =>
      (await latestEditions(it.app.db, { digest: 'weekly', limit: 9 })).map(({ status, reason }) =>
        reason === null ? status : fromJson(reason),
      )
    await makeDueEditions(it.app)
    expect(await weekly()).toMatchObject([{ code: 'missed-several', count: 3, first: '2026-11-27T07:00:00.000Z' }])
    it.clock.set('2026-12-18T07:00:00.000Z')
    await makeDueEditions(it.app)
    expect(await weekly()).toHaveLength(2)
  })

  test('the store knows who reads them and what was refused, until the process ends or falls silent', async () => {
    const it = await open('2026-11-26T12:00:00.000Z')
    await it.change('FRI', 'FRYDAY')
    const [reader] = await jobReaders(it.app.db, it.clock.now())
    expect(reader).toMatchObject({
      folder: join(it.folder, 'jobs'),
      rejected: [{ message: expect.stringContaining('weekly.yml:'), runsBy: '2026-11-26T12:00:00.000Z' }],
    })
    await it.change('FRYDAY', 'FRI')
    expect(await jobReaders(it.app.db, it.clock.now())).toMatchObject([{ rejected: [] }])
    it.clock.advance(121 * second)
    expect(await jobReaders(it.app.db, it.clock.now())).toEqual([])
    await it.jobs.poll()
    expect(await jobReaders(it.app.db, it.clock.now())).toHaveLength(1)
    await it.jobs.close()
    expect(await jobReaders(it.app.db, it.clock.now())).toEqual([])
  })
})

test('start makes an edition by a schedule that was changed under it, and says what it refuses', async () => {
  const home = makeHome()
  closing.push(home.remove)
  const start = await startAt(home.folder, '2026-11-26T12:00:10.000Z', 'Europe/London')
  closing.push(start.stop)
  const file = join(home.folder, 'jobs/weekly.yml')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace('schedule:', 'shedule:'))
  expect(await start.logged('jobs.rejected')).toMatchObject({ reason: expect.stringContaining('weekly.yml:') })
  writeFileSync(file, text.replace('0 7 * * FRI', '*/10 * * * *'))
  expect(await start.logged('jobs.changed')).toMatchObject({ digest: 'weekly' })
  start.setClock('2026-11-26T12:05:00.000Z') // chores are woken by that
  await start.logged('schedule.changed')
  start.setClock('2026-11-26T12:10:01.000Z')
  expect(await start.logged('edition.due')).toMatchObject({ dueAt: '2026-11-26T12:10:00.000Z' })
}, 90_000)

test('start comes up with a broken job file, says so, and takes its digest over once it is mended', async () => {
  const home = makeHome()
  closing.push(home.remove)
  const weekly = join(home.folder, 'jobs/weekly.yml')
  const other = join(home.folder, 'jobs/other.yml')
  const text = readFileSync(weekly, 'utf8')
  writeFileSync(other, `<<<<<<< ours\n${text}`)
  const start = await startAt(home.folder, '2026-11-26T12:00:10.000Z', 'Europe/London')
  closing.push(start.stop)
  expect(await start.logged('jobs.rejected')).toMatchObject({
    reason: expect.stringContaining('other.yml:1'),
    runsBy: null,
  })
  writeFileSync(other, text)
  expect(await start.logged('jobs.added')).toMatchObject({ digest: 'other' })
  expect(start.events().filter((event) => event === 'jobs.rejected')).toHaveLength(1)
}, 90_000)
