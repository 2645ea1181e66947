import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type App, openApp } from '../app.ts'
import { configSchema } from '../config/config.ts'
import { compose } from '../editions/compose.ts'
import { approve } from '../editions/review.ts'
import { seal } from '../editions/seal.ts'
import { AppError } from '../errors.ts'
import { silentLog } from '../log.ts'
import { saveArticles } from '../store/articles/articles.ts'
import { addressesByStatus } from '../store/deliveries/deliveries.ts'
import { editionById } from '../store/editions/editions.ts'
import { ensureFeeds, recordSuccess } from '../store/feeds/feeds.ts'
import { addSubscribers } from '../store/subscribers/subscribers.ts'
import { hour, systemClock } from '../time/clock.ts'
import { type DrillSink, startDrillSink } from './drill-sink.ts'
import type { DrillOrder } from './drill-worker.ts'
import { trustLocalhost } from './localhost-tls.ts'

export type DrillOptions = {
  recipients: number
  kills: number
  unknown: 'repeat' | 'hold'
  /** The sink defers, drops connections and says 421. */
  faults: boolean
  /** Messages go over STARTTLS, to a sink that answers at once. */
  tls: boolean
}

/** The sink's own count is the truth; of the ledger comes only what it calls unknown, and whose copy a kill cut off. */
export type DrillReport = {
  recipients: number
  /** So many people have the message. */
  accepted: number
  /** So many do not, and the ledger does not say that it cannot know. */
  lost: number
  /** Messages that somebody got once too often … */
  duplicates: number
  /** … and of these, those whose earlier copy a kill or the sink had cut off before the answer, with the same Message-ID. */
  duplicatesExplained: number
  unknown: number
  kills: number
  /** The most deliveries that one kill found on their way; never more than there are connections. */
  mostAtOneKill: number
  connections: number
  seconds: number
}

const connections = 5
/** A pass that ends early is not the end; this many are. */
const maxPasses = 500

/** Sends one edition from a throw-away store to a sink of our own, and kills the sender with -9 at random instants. */
export async function drill(options: DrillOptions): Promise<DrillReport> {
  const began = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'lastword-drill-'))
  const sink = await startDrillSink({ faults: options.faults, security: securityOf(options) })
  try {
    const { app, editionId } = await prepareEdition(folder, sink.port, options)
    try {
      const killed = await sendWithKills(app, sink, editionId, options)
      const seconds = Math.round(performance.now() - began) / 1000
      return { ...(await countResults(app, sink, editionId, options.recipients, killed)), seconds }
    } finally {
      await app.close()
    }
  } finally {
    await sink.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

type KillRecord = { kills: number; mostAtOneKill: number; cutOff: Set<string> }

/** Starts senders and kills them until nothing is left to send. Between passes the clock runs ahead to what was put off. */
async function sendWithKills(app: App, sink: DrillSink, editionId: string, options: DrillOptions): Promise<KillRecord> {
  const killed: KillRecord = { kills: 0, mostAtOneKill: 0, cutOff: new Set() }
  let shift = 0
  for (let pass = 0; pass < maxPasses; pass++) {
    const killsLeft = options.kills - killed.kills
    // a sender that is quick does not end before its last kill
    sink.answerUpTo(options.recipients - killsLeft * connections - countGivenUp(killed, sink, options))
    const child = startSender({ config: app.config, editionId, unknown: options.unknown, shift })
    const exit = once(child, 'exit')
    if (killsLeft > 0) {
      const share = (options.recipients - sink.copies.size) / (killsLeft + 1)
      await Promise.race([exit, waitForRandomInstant(sink, share)])
      if (child.exitCode === null && child.kill('SIGKILL')) killed.kills += 1
    }
    const [code] = await exit
    if (child.signalCode === 'SIGKILL') {
      const cut = await addressesByStatus(app.db, editionId, 'sending')
      killed.mostAtOneKill = Math.max(killed.mostAtOneKill, cut.length)
      for (const address of cut) killed.cutOff.add(address)
    } else if (code !== 0) throw new AppError('internal', `a sender ended with ${code}: see above`)
    else if ((await editionById(app.db, editionId))?.status === 'sent') return killed
    else shift += hour
  }
  throw new AppError('internal', `the edition has not ended after ${maxPasses} passes`)
}

/** So many people were cut off before the sink had their copy, and nobody sends them another. */
function countGivenUp({ cutOff }: KillRecord, { copies }: DrillSink, { unknown }: DrillOptions): number {
  return unknown === 'hold' ? [...cutOff].filter((address) => !copies.has(address)).length : 0
}

/** Mostly in the middle of sending, after about so many messages; now and then while the sender starts. */
async function waitForRandomInstant(sink: DrillSink, messages: number): Promise<void> {
  if (Math.random() < 0.1) return await wait(Math.random() * 1000)
  await sink.untilMessageCount(sink.messageCount() + Math.ceil(1.5 * Math.random() * messages))
  await wait(Math.random() * 3)
}

function startSender(order: DrillOrder): ChildProcess {
  const launcher = join(import.meta.dirname, '../lastword')
  const worker = join(import.meta.dirname, 'drill-worker.ts')
  return spawn(launcher, [worker, JSON.stringify(order)], { stdio: ['ignore', 'ignore', 'inherit'] })
}

async function countResults(app: App, sink: DrillSink, editionId: string, recipients: number, killed: KillRecord) {
  const unknown = await addressesByStatus(app.db, editionId, 'unknown')
  let duplicates = 0
  let duplicatesExplained = 0
  for (const [address, copies] of sink.copies) {
    const [first] = copies
    for (const [index, copy] of copies.entries()) {
      if (index === 0) continue
      duplicates += 1
      const unheard = killed.cutOff.has(address) || copies[index - 1]?.answered === false
      if (unheard && copy.messageId === first?.messageId) duplicatesExplained += 1
    }
  }
  const accepted = sink.copies.size
  const lost = recipients - new Set([...sink.copies.keys(), ...unknown]).size
  const { kills, mostAtOneKill } = killed
  return {
    recipients,
    accepted,
    lost,
    duplicates,
    duplicatesExplained,
    unknown: unknown.length,
    kills,
    mostAtOneKill,
    connections,
  }
}

const feed = 'https://drill.example/latest.xml'

const securityOf = ({ tls }: DrillOptions) => (tls ? 'starttls' : 'none')

/** A whole application on a store of its own: one digest, so many subscribers, one approved edition. */
async function prepareEdition(folder: string, port: number, options: DrillOptions) {
  const { recipients, unknown } = options
  mkdirSync(join(folder, 'jobs'))
  writeFileSync(join(folder, 'jobs/drill.yml'), job(unknown))
  const app = await openApp({ config: configOf(folder, port, securityOf(options)), clock: systemClock, log: silentLog })
  const now = systemClock.now()
  await addArticles(app, now)
  for (let start = 0; start < recipients; start += 1000) {
    const people = Array.from({ length: Math.min(1000, recipients - start) }, (_, index) => person(start + index + 1))
    await addSubscribers(app.db, 'drill', people, now)
  }
  const [digest] = app.digests
  const edition = digest && (await compose(app, digest, now))
  if (!digest || !edition) throw new AppError('internal', 'the drill has no edition')
  await seal(app, edition.id, digest)
  await approve(app, edition.id, 'drill')
  return { app, editionId: edition.id }
}

function configOf(folder: string, port: number, security: 'none' | 'starttls') {
  return configSchema.parse({
    publication: {
      name: 'Drill',
      site: 'https://drill.example',
      contact: 'desk@drill.example',
      address: '1 High Street',
    },
    relay: { ...trustLocalhost, port, security, timeout: 10, connections },
    web: { url: 'https://letters.drill.example' },
    store: { url: `file:${join(folder, 'lastword.db')}` },
    jobs: join(folder, 'jobs'),
    templates: join(import.meta.dirname, '../../templates'),
    log: 'silent',
  })
}

function job(unknown: string): string {
  return `title: Drill
schedule: "0 7 * * FRI"
zone: Europe/London
subject: "{lead}"
preheader: "{second}"
from: { name: Drill, address: drill@drill.example }
approval: required
unknown: ${unknown}
sections:
  - { name: latest, title: Latest, layout: latest, feeds: [${feed}], maximum: 5 }
`
}

async function addArticles(app: App, now: string): Promise<void> {
  const [known] = await ensureFeeds(app.db, [feed], now)
  if (!known) throw new AppError('internal', 'the drill has no feed')
  await recordSuccess(app.db, known.id, { title: 'Drill', siteUrl: null, etag: null, lastModified: null }, now)
  const pieces = ['One', 'Two', 'Three'].map((title) => ({
    identity: title,
    url: `https://drill.example/${title}`,
    title,
    summary: `${title}: what happened.`,
    author: 'A. Writer',
    image: null,
    video: null,
    categories: [],
    publishedAt: now,
    updatedAt: null,
  }))
  await saveArticles(app.db, known.id, pieces, now)
}

function person(number: number) {
  const email = `reader${String(number).padStart(7, '0')}@readers.example`
  return { email, emailKey: email, name: `Reader ${number}`, attributes: {}, proof: 'drill' }
}
