import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { describeReason } from '../../../src/describe/describe.ts'
import { compose } from '../../../src/editions/compose/compose.ts'
import { approve } from '../../../src/editions/review/approve.ts'
import { seal } from '../../../src/editions/seal.ts'
import { systemClock } from '../../../src/time/clock.ts'
import { openWorld, plainRender, publishTitles, subscribe, type World } from '../world.ts'
import { nastyAnswers, startHostileRelay } from './relay.ts'
import { type HostileSite, startHostileSite } from './site.ts'
import { hostileDigest, StudioVisit } from './studio.ts'

export type HostileRun = {
  /** What is on record of each feed, by its path: the error, or how many articles were kept. */
  feeds: Record<string, string>
  /** Copies by status, after each was tried once at least. */
  deliveries: { status: string; reply: string | null }[]
  /** Articles in the edition that was made of the hostile feeds. */
  chosen: number
  /** Pages that the studio showed of it, by path, with the bytes of each. */
  pages: Record<string, number>
  health: { answers: number; failures: number; longestMs: number }
  peakMemoryMb: number
  /** The tasks that `start` says have held its event loop. */
  delayed: { task: string; count: number; worstMs: number }[]
}

/** `scale`: how large the feeds are, of their full size. `parallel`: feeds that are answered at once, one or two. */
export type HostileOptions = { scale?: number; parallel?: 1 | 2 }

/** One for each nasty answer: sending slows down with each of them. */
const readers = nastyAnswers.length - 1 // the last one comes to a message to the editors
const secret = 'a secret of at least 32 characters, for tests'

/**
 * Lets a real `start` read every hostile feed and send an edition over a hostile relay, and, started again, compare what it
 * read, read every feed with new guids, make an edition of them and show it in the studio; asks it for /health all the
 * time. The store is an empty one.
 */
export async function runHostile(
  storeUrl: string,
  { scale = 1, parallel = 1 }: HostileOptions = {},
): Promise<HostileRun> {
  await using open = new AsyncDisposableStack()
  const site = await startHostileSite(scale)
  open.defer(site.close)
  const relay = await startHostileRelay()
  open.defer(relay.close)
  const own = 'https://magazine.example/own.xml'
  const sections = `\n  - { name: latest, title: Latest, layout: latest, feeds: [${own}], maximum: 12 }`
  const clock = { ...systemClock, set() {}, advance() {} }
  const it = await openWorld({ storeUrl, job: { sections }, clock })
  open.defer(it.close)
  const hostile = { ...it.digest, name: hostileDigest }
  await subscribe(it, readers)
  await subscribe({ ...it, digest: hostile }, 1)
  await approveEdition(it, own)
  writeFileSync(join(it.folder, 'lastword.yml'), configText(storeUrl, relay.port))
  const job = join(it.folder, `jobs/${hostileDigest}.yml`)
  writeFileSync(job, jobText(site.feeds, '0 7 1 1 *'))
  if (parallel === 1) site.beforeFeed = oneAfterAnother(it, site.url)
  const measured = { answers: 0, failures: 0, longestMs: 0, peakMemoryMb: 0, delayed: [] as HostileRun['delayed'] }
  await runStart(it, measured, async () => (await allFeedsRead(it, site.url)) && (await allTried(it)))
  const feeds = await feedsOf(it, site.url)
  site.renewGuids()
  const dueAt = nextDueTime()
  writeFileSync(job, jobText(site.feeds, `${dueAt.getUTCMinutes()} ${dueAt.getUTCHours()} * * *`))
  const studio = new StudioVisit(it)
  const isDone = async (url: string) => (await studio.hasShownEdition(url)) && (await allCompared(it))
  await runStart(it, measured, isDone, dueAt)
  const { peakMemoryMb, delayed, ...health } = measured
  const { chosen, pages } = studio
  return { feeds, deliveries: await deliveriesOf(it), chosen, pages, health, peakMemoryMb, delayed }
}

/** Lets a feed be answered when the one before it is on record, or has not been for fifteen seconds. */
function oneAfterAnother({ app }: World, site: string): HostileSite['beforeFeed'] {
  let last: Promise<unknown> = Promise.resolve()
  const isRead = async (path: string, since: string) => {
    const row = await app.db
      .selectFrom('feeds')
      .select('fetchedAt')
      .where('url', '=', site + path)
      .executeTakeFirst()
    return (row?.fetchedAt ?? '') > since
  }
  return (path) => {
    const turn = last
    const work = async () => {
      const since = systemClock.now()
      for (let looks = 0; looks < 300 && !(await isRead(path, since)); looks++) await wait(50)
    }
    last = turn.then(work).catch(() => {}) // the store is closed: nothing is measured any more
    return turn
  }
}

async function approveEdition(it: World, feed: string): Promise<void> {
  await publishTitles(it, feed, ['Harbour', 'Library', 'Council'])
  const { id = '' } = (await compose(it.app, it.digest, it.clock.now())) ?? {}
  await seal({ ...it.app, render: plainRender }, id, it.digest)
  await approve(it.app, id, 'Ada')
}

function configText(storeUrl: string, relayPort: number): string {
  return `publication:
  name: The Magazine
  site: https://magazine.example
  contact: letters@magazine.example
  address: 1 High Street, Northwold
relay: { host: 127.0.0.1, port: ${relayPort}, security: none, timeout: 20, catcher: true }
store: { url: "${storeUrl}" }
web: { port: 0, secret: "${secret}" }
pace: { providers: false }
feeds: { allow: ["127.0.0.1", "127.0.0.2", "127.0.0.3"] }
templates: ${resolve('templates')}
log: warn
`
}

/** The start of a minute, far enough away for `start` to be up before. */
function nextDueTime(): Date {
  const minute = 60_000
  return new Date(Math.ceil(Date.now() / minute) * minute + 2 * minute)
}

/** A digest of all hostile feeds, whose editions an editor has to approve. */
function jobText(feeds: string[], schedule: string): string {
  return `title: Hostile
schedule: "${schedule}"
zone: UTC
subject: "{lead} · {title} {number}"
preheader: "{second}"
from: { name: The Weekly, address: weekly@magazine.example }
approval: required
sections:
  - { name: all, title: All, layout: latest, feeds: [${feeds.join(', ')}], maximum: 60, enrich: true, body: full }
`
}

type Measured = HostileRun['health'] & Pick<HostileRun, 'peakMemoryMb' | 'delayed'>

/** One life of `start`, until `isDone`; what was measured is added. Once it listens, its wall clock is set to `instant`. */
async function runStart(
  it: World,
  measured: Measured,
  isDone: (url: string) => Promise<boolean>,
  instant?: Date,
): Promise<void> {
  const env = { ...process.env, NODE_OPTIONS: `--import ${resolve('test/support/shifted-date.mjs')}` }
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', 'ipc']
  const child = spawn(resolve('src/lastword'), ['start'], { cwd: it.folder, env, stdio }) // its shell gives way to Node
  const ended = once(child, 'exit')
  try {
    const said: string[] = []
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      said.push(line)
      readDelay(line, measured)
    })
    const url = await listening(child).catch((error) => {
      throw new Error(`${error.message}: ${said.join('\n')}`)
    })
    if (instant) child.send({ offset: instant.getTime() - Date.now() })
    for (let asked = 0; asked % 25 !== 24 || !(await isDone(url)); asked++) {
      await askHealth(url, measured)
      if (child.exitCode !== null)
        throw new Error(`start has ended with ${child.exitCode}: ${said.slice(-5).join('\n')}`)
      await wait(20)
    }
    measured.peakMemoryMb = Math.max(measured.peakMemoryMb, peakMemoryOf(child))
    child.kill('SIGTERM')
    await ended
  } finally {
    child.kill('SIGKILL')
  }
}

async function askHealth(url: string, measured: Measured): Promise<void> {
  const start = performance.now()
  const status = await statusOf(`${url}/health`).catch(() => 0)
  measured.longestMs = Math.max(measured.longestMs, performance.now() - start)
  measured.answers++
  if (status !== 200) measured.failures++
}

/** Over a connection of its own: one that was kept may be closed under us. */
async function statusOf(url: string): Promise<number | undefined> {
  const request = get(url, { agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.resume()
  await once(response, 'end')
  return response.statusCode
}

async function listening(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const [, url] = /listening on (http:\S+?)\)/.exec(line) ?? []
    if (url) return url
  }
  throw new Error('start has not said where it listens')
}

function readDelay(line: string, { delayed }: Measured): void {
  if (!line.includes('event_loop.delayed')) return
  const { task, count, worstMs } = JSON.parse(line)
  delayed.push({ task, count, worstMs })
}

/** The highest resident memory of the process so far, as Linux has it. */
function peakMemoryOf({ pid }: ChildProcess): number {
  const [, kilobytes = '0'] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kilobytes) / 1024)
}

async function allFeedsRead({ app }: World, site: string): Promise<boolean> {
  const feeds = await app.db.selectFrom('feeds').select(['url', 'fetchedAt', 'error']).execute()
  const due = await app.db.selectFrom('articles').select('id').where('askAt', '<=', systemClock.now()).execute()
  const ours = feeds.filter(({ url }) => url.startsWith(site))
  return ours.length > 0 && ours.every(({ fetchedAt }) => fetchedAt !== null) && due.length === 0
}

async function allTried({ app }: World): Promise<boolean> {
  const rows = await app.db.selectFrom('deliveries').select('reply').execute()
  return rows.length === readers && rows.every(({ reply }) => reply !== null)
}

async function allCompared({ app }: World): Promise<boolean> {
  const open = app.db
    .selectFrom('ledger')
    .select('articleId')
    .where('comparedAt', 'is', null)
    .where('quarantinedAt', 'is', null)
  const rows = await open.limit(1).execute()
  const met = await app.db.selectFrom('ledger').select('feedId').distinct().execute()
  return rows.length === 0 && met.length > 1
}

async function feedsOf({ app }: World, site: string): Promise<Record<string, string>> {
  const feeds = await app.db.selectFrom('feeds').select(['id', 'url', 'error', 'rejected']).orderBy('url').execute()
  const said = feeds.map(async ({ id, url, error, rejected }) => {
    const articles = await app.db.selectFrom('articles').select('id').where('feedId', '=', id).execute()
    return [
      url.replace(site, ''),
      error === null ? `${articles.length} articles, ${rejected} entries rejected` : describeReason(error),
    ] as const
  })
  return Object.fromEntries(await Promise.all(said))
}

function deliveriesOf({ app }: World): Promise<HostileRun['deliveries']> {
  return app.db.selectFrom('deliveries').select(['status', 'reply']).execute()
}
