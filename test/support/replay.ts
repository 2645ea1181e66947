import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, openApp } from '../../src/app.ts'
import { articlesIn, type Render } from '../../src/editions/edition.ts'
import { explain } from '../../src/editions/explain.ts'
import { addAllToLedger } from '../../src/editions/ledger.ts'
import { ignoreFeed, releaseFeed } from '../../src/editions/stories/flood-decision.ts'
import { silentLog } from '../../src/log.ts'
import { refreshNow } from '../../src/pipeline/refresh-feeds.ts'
import { openSender } from '../../src/pipeline/sending/sender.ts'
import { quarantinedFeeds } from '../../src/store/ledger/stories.ts'
import { addMs, day } from '../../src/time/clock.ts'
import { type BusyFeed, startBusyFeed } from './busy-feed.ts'
import { advanceEditions, makeDueEditions } from './pipeline.ts'
import { type ReceivedMessage, startRelay } from './smtp/relay.ts'
import { openWorld, plainRender, subscribe } from './world.ts'

/** What happens to the newsroom, by the week. In the last four weeks nothing is published, so that all goes out. */
export type ReplayOptions = {
  weeks: number
  /** The process dies so often, at moments that nobody chose. */
  restarts: number
  /** Weeks in which the feed is broken, or for three days a page to sign in at. */
  brokenIn: number
  loginIn: number
  /** Weeks in which the site moves, and every guid and address becomes another. */
  moves: [number, number]
  /** Which share of the articles the agency shows before its flood. */
  agencyShare: number
  /** From then on the agency shows everything, what is old too. */
  flood: number
}

/** Of a busy feed, and an agency that has half of it, read and mailed each day of the course. */
export type ReplayReport = {
  restarts: number
  published: number
  /** Messages of their own: a repeat has the same Message-ID. */
  messages: number
  /** Readers and articles that met in more than one message. */
  twice: string[]
  /** Readers and published articles that never met. */
  missing: string[]
  /** By reader: how many articles of the archive, from before the first look, were mailed. */
  archived: number[]
  /** The feeds that an editor was asked about, and where the site was then. */
  storms: string[]
  /** The last articles for which the answer is not the number of a sent edition. */
  unexplained: string[]
  seconds: number
}

const start = '2026-01-01T07:00:00.000Z' // a Thursday
const quietWeeks = 4
const archiveSize = 60
const readers = [1, 2]
export const maximum = 40
export const wireMaximum = 10

/** Plays a course through a whole application: real feeds, a real relay, a real store in a file, and a clock that jumps. */
export async function replay(course: ReplayOptions): Promise<ReplayReport> {
  const began = performance.now()
  const random = seeded(20261123)
  const bomb = makeCrasher(random, course.restarts)
  const feed = await startBusyFeed(random, () => Date.parse(bomb.time))
  feed.publish(archiveSize, Date.parse(start) - day)
  const relay = await startRelay()
  const folder = mkdtempSync(join(tmpdir(), 'lastword-replay-'))
  const world = await openWorld({
    storeUrl: `file:${join(folder, 'lastword.db')}`,
    relayPort: relay.port,
    job: jobOf(feed),
    config: { feeds: { allow: [new URL(feed.url).host], timeout: 10, maximumBytes: 1e7, alertAfter: '24h' } },
  })
  try {
    await subscribe(world, readers.length)
    const storms = new Set<string>()
    const app = await runReplay(course, world.app, { feed, bomb, random, storms })
    const unexplained = await unexplainedArticles(app, feed)
    await app.close()
    return {
      restarts: bomb.burnt(),
      published: feed.pieces.length - archiveSize,
      ...readersOf(relay.accepted, feed),
      storms: [...storms].map((name) => name.replace(feed.url, 'feed').replace(feed.wire, 'wire')),
      unexplained,
      seconds: Math.round(performance.now() - began) / 1000,
    }
  } finally {
    await world.close()
    await relay.close()
    await feed.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const jobOf = (feed: BusyFeed) => ({
  schedule: '"0 7 * * FRI"',
  zone: 'UTC',
  thin: '{ minimum: 1, rule: skip }',
  sections: `
  - { name: latest, title: Latest, layout: latest, feeds: ["${feed.url}"], maximum: ${maximum} }
  - { name: wire, title: The wire, layout: latest, feeds: ["${feed.wire}"], maximum: ${wireMaximum} }`,
})

type ReplayState = { feed: BusyFeed; bomb: Crasher; random: () => number; storms: Set<string> }

/** Every day of the course; a day on which the process dies is tried again by the next one. Returns the last. */
async function runReplay(course: ReplayOptions, first: App, { feed, bomb, random, storms }: ReplayState): Promise<App> {
  let app = await reopen(first, bomb)
  for (let step = 0; step < 7 * course.weeks; step++) {
    bomb.time = addMs(start, step * day)
    applyFeedChanges(course, feed, step, random, bomb.time)
    for (;;) {
      const done = await runDueWork(app, feed, storms).then(
        () => true,
        () => false,
      )
      if (done && !bomb.isBurnt()) break
      await app.close()
      bomb.renew()
      app = await reopen(first, bomb)
    }
  }
  return app
}

/** What happens in the newsroom, and to its server, in a day. */
function applyFeedChanges(
  course: ReplayOptions,
  feed: BusyFeed,
  step: number,
  random: () => number,
  now: string,
): void {
  const week = Math.floor(step / 7)
  feed.answer = week === course.brokenIn ? 'error' : week === course.loginIn && step % 7 < 3 ? 'login' : 'feed'
  feed.site = course.moves.filter((move) => week >= move).length
  feed.wireShare = week < course.flood ? course.agencyShare : 1
  feed.publish(step > 0 && week < course.weeks - quietWeeks ? Math.floor(random() * 9) : 0, Date.parse(now))
  if (step > 0) feed.vanish()
  feed.edit(0.02)
}

async function unexplainedArticles(app: App, feed: BusyFeed): Promise<string[]> {
  const unexplained: string[] = []
  for (const { key } of feed.pieces.slice(-20)) {
    const answers = await explain(app.db, app.digests, `https://new.example/2/${key}`)
    if (!answers.some(({ answer }) => /^in edition \d+ \(sent\)/.test(answer))) unexplained.push(key)
  }
  return unexplained
}

/** Who got what, and how often. */
function readersOf(taken: ReceivedMessage[], feed: BusyFeed) {
  const messages = new Map(taken.map(({ to, raw }) => [`${to} ${messageId(raw)}`, keysIn(raw)]))
  const got = new Map<string, number>()
  for (const [name, keys] of messages)
    for (const key of keys) {
      const meeting = `${name.split(' ')[0]} ${key}`
      got.set(meeting, (got.get(meeting) ?? 0) + 1)
    }
  const address = (reader: number) => `reader${String(reader).padStart(5, '0')}@readers.example`
  const met =
    (reader: number) =>
    ({ key }: { key: string }) =>
      got.has(`${address(reader)} ${key}`)
  return {
    messages: messages.size,
    twice: [...got].filter(([, count]) => count > 1).map(([meeting]) => meeting),
    missing: readers.flatMap((reader) =>
      feed.pieces
        .slice(archiveSize)
        .filter((piece) => !met(reader)(piece))
        .map(({ key }) => `${address(reader)} ${key}`),
    ),
    archived: readers.map((reader) => feed.pieces.slice(0, archiveSize).filter(met(reader)).length),
  }
}

/** What the timetable does in one go; an editor looks at what waits for one. */
async function runDueWork(app: App, feed: BusyFeed, storms: Set<string>): Promise<void> {
  await refreshNow(app, [feed.url, feed.wire])
  await addAllToLedger(app)
  for (const { url } of await quarantinedFeeds(app.db)) {
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

/** A process may die while it opens, too: then there is another. */
async function reopen(app: App, bomb: ReplayState['bomb']): Promise<App> {
  for (;;) {
    try {
      const opened = await openApp({ config: app.config, clock: bomb.clock, log: silentLog })
      return { ...opened, render: withAddresses }
    } catch (error) {
      if (!bomb.isBurnt()) throw error
      bomb.renew()
    }
  }
}

const withAddresses: Render = async (draft) => {
  const rendered = await plainRender(draft)
  const urls = articlesIn(draft.sections).map(({ url }) => url)
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
function makeCrasher(random: () => number, restarts: number) {
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

type Crasher = ReturnType<typeof makeCrasher>

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
