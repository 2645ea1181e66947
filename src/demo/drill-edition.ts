import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type App, openApp } from '../app.ts'
import { configSchema } from '../config/config.ts'
import { compose } from '../editions/compose/compose.ts'
import { approve } from '../editions/review/approve.ts'
import { seal } from '../editions/seal.ts'
import { AppError } from '../errors.ts'
import { silentLog } from '../log.ts'
import { saveArticles } from '../store/articles/articles.ts'
import { recordSuccess } from '../store/feeds/feed-polls.ts'
import { ensureFeeds } from '../store/feeds/feeds.ts'
import { addSubscribers } from '../store/subscribers/subscribers.ts'
import { systemClock } from '../time/clock.ts'
import { trustLocalhost } from './localhost-tls.ts'

export type DrillOptions = {
  recipients: number
  kills: number
  unknown: 'repeat' | 'hold'
  /** The sink defers, drops connections and replies 421. */
  faults: boolean
  /** Messages are sent over STARTTLS. */
  tls: boolean
}

/** The number of connections of the sender. */
export const connections = 5

const feed = 'https://drill.example/latest.xml'

/** Opens an application on a new store in `folder` with one digest, its subscribers and one approved edition. */
export async function prepareEdition(folder: string, port: number, options: DrillOptions) {
  const { recipients, unknown } = options
  mkdirSync(join(folder, 'jobs'))
  writeFileSync(join(folder, 'jobs/drill.yml'), job(unknown))
  const app = await openApp({ config: configOf(folder, port, options), clock: systemClock, log: silentLog })
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

function configOf(folder: string, port: number, { tls }: DrillOptions) {
  return configSchema.parse({
    publication: {
      name: 'Drill',
      site: 'https://drill.example',
      contact: 'desk@drill.example',
      address: '1 High Street',
    },
    relay: { ...trustLocalhost, port, catcher: true, security: tls ? 'starttls' : 'none', timeout: 10, connections },
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
