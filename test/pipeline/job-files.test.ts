import { readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { makeDueEditions } from '../../src/advance.ts'
import { second } from '../../src/clock.ts'
import { JobReader } from '../../src/job-reader.ts'
import { latestEditions } from '../../src/store/editions.ts'
import { jobReaders } from '../../src/store/job-readers.ts'
import { onBothEngines } from '../support/engines.ts'
import { makeHome } from '../support/home.ts'
import { startAt } from '../support/started.ts'
import { newsFeed, openWorld, show, subscribe, type World } from '../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('job files of a running process', (freshUrl) => {
  async function open(
    now: string,
  ): Promise<World & { jobs: JobReader; change(from: string, to: string): Promise<void> }> {
    const it = await openWorld({ storeUrl: await freshUrl(), job: { thin: '{ minimum: 0 }' } })
    closing.push(it.close)
    it.clock.set(now)
    await subscribe(it, 1)
    const jobs = new JobReader(it.app)
    await makeDueEditions(it.app) // the digest is met
    const look = async () => {
      for (let looks = 0; looks < 2; looks++) {
        it.clock.advance(5 * second)
        await jobs.look()
      }
    }
    return {
      ...it,
      jobs,
      async change(from, to) {
        const file = join(it.folder, 'jobs/weekly.yml')
        writeFileSync(file, readFileSync(file, 'utf8').replace(from, to))
        await look()
      },
    }
  }

  async function at(it: World, instant: string): Promise<string[]> {
    it.clock.set(instant)
    await makeDueEditions(it.app)
    const editions = await latestEditions(it.app.db, { limit: 100 })
    return editions.map(({ dueAt, status }) => `${dueAt.slice(0, 16)} ${status}`)
  }

  test('a new schedule is followed, with no run twice and none missed that nobody had asked for', async () => {
    const it = await open('2026-11-26T12:00:00.000Z')
    await show(it, newsFeed, ['One'])
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
    await show(it, newsFeed, ['One'])
    it.clock.set('2026-11-27T08:00:00.000Z') // nothing looked at seven
    await it.change('0 7 * * FRI', '0 7 * * MON')
    expect(await at(it, '2026-11-27T08:01:00.000Z')).toEqual(['2026-11-27T07:00 composed'])
    expect(await at(it, '2026-11-30T07:00:00.000Z')).toHaveLength(2)
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

  test('a file that is away for weeks has missed nothing when it is back', async () => {
    const it = await open('2026-11-26T12:00:00.000Z')
    const file = join(it.folder, 'jobs/weekly.yml')
    const text = readFileSync(file, 'utf8')
    writeFileSync(join(it.folder, 'jobs/other.yml'), text)
    await it.change('', '')
    unlinkSync(file)
    for (let looks = 0; looks < 2; looks++) await it.jobs.look()
    expect(it.app.digests.map(({ name }) => name)).toEqual(['other'])
    it.clock.set('2026-12-16T12:00:00.000Z')
    writeFileSync(file, text)
    for (let looks = 0; looks < 2; looks++) await it.jobs.look()
    const weekly = async () =>
      (await latestEditions(it.app.db, { digest: 'weekly', limit: 9 })).map(({ dueAt }) => dueAt)
    await makeDueEditions(it.app)
    expect(await weekly()).toEqual([])
    it.clock.set('2026-12-18T07:00:00.000Z')
    await makeDueEditions(it.app)
    expect(await weekly()).toEqual(['2026-12-18T07:00:00.000Z'])
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
    await it.jobs.look()
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
