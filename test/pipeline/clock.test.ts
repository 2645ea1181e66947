import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { openApp } from '../../src/app.ts'
import { readConfig } from '../../src/config/config.ts'
import { compose } from '../../src/editions/compose/compose.ts'
import type { Digest } from '../../src/editions/digest.ts'
import { silentLog } from '../../src/log.ts'
import { ClockWatch } from '../../src/pipeline/clock-watch.ts'
import { editionById, latestEditions } from '../../src/store/editions/editions.ts'
import { addMs, hour, second } from '../../src/time/clock.ts'
import { fakeClock } from '../support/clock.ts'
import { makeHome } from '../support/home.ts'
import { makeDueEditions } from '../support/pipeline.ts'
import { type Started, startAt } from '../support/started.ts'
import { publishTitles, subscribe, type World } from '../support/world.ts'

const closing: (() => Promise<unknown> | unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const feed = 'http://127.0.0.1:1/feeds'

/** The folder of an operator, and its application beside the process that a test starts in it. */
async function house(now: string) {
  const home = makeHome({ feeds: feed, environment: {} })
  closing.push(home.remove)
  const config = readConfig(join(home.folder, 'lastword.yml'), {})
  const place = (path: string) => join(home.folder, path)
  const clock = fakeClock(now)
  const app = await openApp({
    config: {
      ...config,
      jobs: place('jobs'),
      templates: place('templates'),
      store: { url: `file:${place('data/lastword.db')}` },
    },
    clock,
    log: silentLog,
  })
  closing.push(app.close)
  const it: World = { app, digest: app.digests[0] as Digest, clock, folder: home.folder, close: app.close }
  return it
}

async function start(it: World, instant: string, zone: string): Promise<Started> {
  const started = await startAt(it.folder, instant, zone)
  closing.push(started.stop)
  return started
}

let stories = 0

/** Composes an edition and waits until the process that was started has sealed it. */
async function isSealedSoon(it: World): Promise<void> {
  const number = ++stories
  it.clock.advance(second)
  await publishTitles(it, `${feed}/latest.xml`, [`Harbour ${number}`, `Library ${number}`, `Council ${number}`])
  const id = (await compose(it.app, it.digest, it.clock.now()))?.id ?? ''
  while ((await editionById(it.app.db, id))?.status !== 'sealed') await pause(50)
}

describe('the schedule of a process', () => {
  test('goes on without a break when the clocks of its machine go back an hour', async () => {
    const [zone, change] = ['Europe/London', '2026-10-25T01:00:00.000Z'] as const
    const it = await house(addMs(change, -hour))
    const started = await start(it, addMs(change, -8 * second), zone)
    do await isSealedSoon(it)
    while (started.now() < addMs(change, 3 * second))
    await isSealedSoon(it)
    expect(started.events()).not.toContain('schedule.rearmed')
  })

  test('goes on when the clock is set back, and when it is set right again, and makes no run twice', async () => {
    const it = await house('2026-11-26T12:00:00.000Z')
    await subscribe(it, 1)
    await makeDueEditions(it.app) // the digest is met
    await publishTitles(it, `${feed}/latest.xml`, ['One', 'Two', 'Three'])
    const started = await start(it, '2026-11-27T07:00:10.000Z', 'UTC')
    const runs = async () => (await latestEditions(it.app.db, { limit: 9 })).filter(({ dueAt }) => dueAt === due)
    const due = '2026-11-27T07:00:00.000Z'
    while ((await runs())[0]?.status !== 'sealed') await pause(50)
    started.setClock('2026-11-27T05:30:00.000Z')
    expect(await started.logged('schedule.rearmed')).toMatchObject({ kind: 'step' })
    await isSealedSoon(it)
    started.setClock('2026-11-27T07:00:30.000Z')
    await isSealedSoon(it)
    await isSealedSoon(it)
    expect(await runs()).toHaveLength(1)
  })
})

describe('a look at the clocks', () => {
  function watched() {
    const reading = { wall: Date.parse('2026-11-27T07:00:00.000Z'), monotonic: 5_000 }
    const watch = new ClockWatch(() => ({ ...reading }))
    const pass = (milliseconds: number, drift = 0) => {
      reading.monotonic += milliseconds
      reading.wall += milliseconds + drift
    }
    return { watch, pass }
  }

  test('finds nothing while both go on together, as closely as time servers keep them', () => {
    const { watch, pass } = watched()
    for (let look = 0; look < 100; look++) {
      pass(5 * second, 3)
      watch.tick()
      expect(watch.check()).toBeUndefined()
    }
  })

  test.each([-hour, hour, -2 * second])('finds once that the clock was set by %i ms', (byMs) => {
    const { watch, pass } = watched()
    pass(5 * second, byMs)
    expect(watch.check()).toEqual({ kind: 'step', byMs })
    pass(5 * second)
    expect(watch.check()).toBeUndefined()
  })

  test('finds that no timer came for half a minute, and again after another', () => {
    const { watch, pass } = watched()
    const looks = Array.from({ length: 14 }, () => {
      pass(5 * second)
      return watch.check()
    })
    const silence = { kind: 'silence', forMs: 35 * second }
    expect(looks.flatMap((found, index) => (found ? [[index, found]] : []))).toEqual([
      [6, silence],
      [13, silence],
    ])
  })
})
