import { afterEach, expect, test } from 'vitest'
import { advanceEditions, makeDueEditions } from '../../src/advance.ts'
import { type App, openApp } from '../../src/app.ts'
import { day, later, type WaitingClock } from '../../src/clock.ts'
import type { Render } from '../../src/editions/edition.ts'
import { enrolAll } from '../../src/editions/enrol.ts'
import { explain } from '../../src/editions/explain.ts'
import { ignoreFeed, releaseFeed } from '../../src/editions/storm-decision.ts'
import { refreshFeeds } from '../../src/feeds/refresh.ts'
import { silentLog } from '../../src/log.ts'
import { openSender } from '../../src/send.ts'
import { heldFeeds } from '../../src/store/stories.ts'
import { sqliteUrl } from '../support/engines.ts'
import { startRelay } from '../support/relay.ts'
import { openWorld, plainRender, subscribe } from '../support/world.ts'
import { type BusyFeed, startBusyFeed } from './busy-feed.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const start = '2026-01-01T07:00:00.000Z' // a Thursday
const steps = 7 * 56
const restarts = 200
const archive = 60
const maximum = 40
const wireMaximum = 10

test('a year of a busy feed, an agency that has half of it, and 200 restarts: every article once to everybody, none lost, no archive mailed', async () => {
  const random = seeded(20261123)
  const bomb = makeBomb(random)
  const feed = await startBusyFeed(random, () => Date.parse(bomb.time))
  closing.push(feed.close)
  feed.publish(archive, Date.parse(start) - day)
  const relay = await startRelay()
  closing.push(relay.close)
  const world = await openWorld({
    storeUrl: sqliteUrl().url,
    relayPort: relay.port,
    job: {
      schedule: '"0 7 * * FRI"',
      zone: 'UTC',
      thin: '{ minimum: 1, rule: skip }',
      sections: `
  - { name: latest, title: Latest, layout: latest, feeds: ["${feed.url}"], maximum: ${maximum} }
  - { name: wire, title: The wire, layout: latest, feeds: ["${feed.wire}"], maximum: ${wireMaximum} }`,
    },
    config: { feeds: { allow: [new URL(feed.url).host], timeout: 10, maximumBytes: 1e7, alertAfter: '24h' } },
  })
  closing.push(world.close)
  await subscribe(world, 2)

  let app = await reopen(world.app, bomb.clock)
  const storms = new Set<string>() // by the feed, and the site that the newsroom was at
  for (let step = 0; step < steps; step++) {
    bomb.time = later(start, step * day)
    live(feed, step, random, bomb.time)
    for (;;) {
      const done = await work(app, feed, storms).then(
        () => true,
        () => false,
      )
      if (done && !bomb.isBurnt()) break
      await app.close()
      bomb.renew()
      app = await reopen(world.app, bomb.clock)
    }
  }
  closing.push(app.close)

  const got = new Map<string, number>()
  const messages = new Map(relay.taken.map(({ to, raw }) => [`${to} ${messageId(raw)}`, keysIn(raw)])) // a repeat has the same Message-ID
  for (const [name, keys] of messages)
    for (const key of keys) got.set(`${name.split(' ')[0]} ${key}`, (got.get(`${name.split(' ')[0]} ${key}`) ?? 0) + 1)

  const twice = [...got].filter(([, count]) => count > 1)
  expect(twice).toEqual([])
  const old = new Set(feed.pieces.slice(0, archive).map(({ key }) => key))
  const wanted = feed.pieces.slice(archive).map(({ key }) => key)
  const received = (reader: number) =>
    [...got.keys()].flatMap((name) => (name.startsWith(`reader0000${reader}`) ? [name.split(' ')[1] ?? ''] : []))
  for (const reader of [1, 2]) {
    expect(wanted.filter((key) => !received(reader).includes(key))).toEqual([])
    const archived = received(reader).filter((key) => old.has(key)).length
    expect(archived).toBeGreaterThanOrEqual(maximum)
    expect(archived).toBeLessThanOrEqual(maximum + wireMaximum) // as many as a first edition holds
  }
  expect(bomb.burnt()).toBe(restarts)
  const noticed = [`${feed.url} 1`, `${feed.url} 2`, `${feed.wire} 2`] // both moves of the site, and the agency's flood
  expect([...storms]).toEqual(noticed)
  expect(messages.size).toBeGreaterThan(2 * 50)
  for (const { key } of feed.pieces.slice(-20)) {
    const answers = await explain(app.db, app.digests, `https://new.example/2/${key}`)
    expect(answers.map((one) => one.answer)).toContainEqual(expect.stringMatching(/^in edition \d+ \(sent\)/))
  }
}, 300_000)

/** What happens in the newsroom, and to its server, in a day. The last four weeks are quiet, so that all goes out. */
function live(feed: BusyFeed, step: number, random: () => number, now: string): void {
  const week = Math.floor(step / 7)
  feed.answer = week === 10 ? 'error' : week === 20 && step % 7 < 3 ? 'login' : 'feed'
  feed.site = week < 15 ? 0 : week < 35 ? 1 : 2
  feed.wireShare = week < 40 ? 0.6 : 1 // from then on the agency has everything, what is old too
  feed.publish(step > 0 && week < 52 ? Math.floor(random() * 9) : 0, Date.parse(now))
  if (step > 0) feed.vanish()
  feed.edit(0.02)
}

/** What the timetable does in one go; an editor looks at what waits for one. */
async function work(app: App, feed: BusyFeed, storms: Set<string>): Promise<void> {
  await refreshFeeds(app, [feed.url, feed.wire])
  await enrolAll(app)
  for (const { url } of await heldFeeds(app.db)) {
    storms.add(`${url} ${feed.site}`)
    await (url === feed.wire ? releaseFeed : ignoreFeed)(app, url, 'Ada')
  }
  await makeDueEditions(app)
  const sender = await openSender(app)
  try {
    for (let round = 0; round < 3; round++) await advanceEditions(app, sender)
  } finally {
    await sender.close()
  }
}

async function reopen(app: App, clock: WaitingClock): Promise<App> {
  const opened = await openApp({ config: app.config, clock, log: silentLog })
  return { ...opened, render: withAddresses }
}

const withAddresses: Render = async (draft) => {
  const rendered = await plainRender(draft)
  const urls = draft.sections.flatMap((section) => section.articles.map((article) => article.url))
  return { ...rendered, text: `${rendered.text}${urls.join('\n')}\n` }
}

function keysIn(raw: Buffer): Set<string> {
  const text = raw.toString('utf8').replaceAll('=\r\n', '')
  return new Set(
    [...text.matchAll(/https:\/\/(?:old\.example\/news|new\.example\/\d)\/(k\d+k)/g)].map(([, key = '']) => key),
  )
}

function messageId(raw: Buffer): string {
  return /^message-id: *(\S+)/im.exec(raw.toString('utf8'))?.[1] ?? ''
}

/** A clock at which the process dies, again and again, at a moment that nobody chose; then everything it does fails. */
function makeBomb(random: () => number) {
  let burnt = 0
  let isBurnt = false
  const fresh = () => (burnt < restarts ? 1 + Math.floor(random() * 40) : Number.POSITIVE_INFINITY)
  let fuse = fresh()
  const bomb = {
    time: start,
    clock: {
      now() {
        if (isBurnt) throw new Error('this process is dead')
        if (--fuse > 0) return bomb.time
        isBurnt = true
        burnt += 1
        throw new Error('killed')
      },
      async wait() {},
    },
    isBurnt: () => isBurnt,
    burnt: () => burnt,
    renew() {
      isBurnt = false
      fuse = fresh()
    },
  }
  return bomb
}

/** mulberry32: the same numbers each time. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
