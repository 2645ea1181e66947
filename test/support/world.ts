import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, openApp } from '../../src/app.ts'
import { type Config, configSchema } from '../../src/config/config.ts'
import { compose } from '../../src/editions/compose/compose.ts'
import type { Digest } from '../../src/editions/digest.ts'
import type { Render } from '../../src/editions/edition.ts'
import { type Log, silentLog } from '../../src/log.ts'
import type { NewArticle } from '../../src/store/articles/article.ts'
import { saveArticles } from '../../src/store/articles/articles.ts'
import { freezePage } from '../../src/store/deliveries/audience.ts'
import { recordSuccess } from '../../src/store/feeds/feed-polls.ts'
import { ensureFeeds } from '../../src/store/feeds/feeds.ts'
import { addSubscribers } from '../../src/store/subscribers/subscribers.ts'
import { type FakeClock, fakeClock } from './clock.ts'

export const newsFeed = 'https://magazine.example/latest.xml'
export const opinionFeed = 'https://magazine.example/last-word.xml'

const job = `
title: The Weekly
schedule: "0 7 * * FRI"
zone: Europe/London
subject: "{lead} · {title} {number}"
preheader: "{second}"
from: { name: The Weekly, address: weekly@magazine.example }
approval: auto
lateCheck: false
thin: { minimum: 2, rule: skip }
sections:
  - { name: latest, title: Latest news, layout: latest, feeds: [${newsFeed}], maximum: 5 }
  - { name: last-word, title: Last word, layout: last-word, feeds: [${opinionFeed}], maximum: 2 }
  - { name: have-your-say, title: Have your say, layout: have-your-say }
`

export type World = { app: App; digest: Digest; clock: FakeClock; folder: string; close(): Promise<void> }

export type WorldOptions = {
  storeUrl: string
  /** Lines of the job file that take the place of the usual ones, by their key. */
  job?: Record<string, string>
  relayPort?: number
  /** Settings of the relay that differ from the usual ones. */
  relay?: Record<string, unknown>
  /** More relays, beside the first; what is not said is as in the first. */
  relays?: Record<string, unknown>[]
  config?: Partial<Config>
  /** Settings of the pace that differ from the usual ones. */
  pace?: Record<string, unknown>
  /** Of the settings for feeds, those that differ. */
  feeds?: Partial<Config['feeds']>
  clock?: FakeClock
  log?: Log
}

/** A whole application on a real store: one digest, a clock that stands, nothing that runs by itself. */
export async function openWorld({
  storeUrl,
  job: changes = {},
  relayPort = 1,
  relay = {},
  relays = [],
  config,
  pace = {},
  feeds = {},
  clock = fakeClock(),
  log = silentLog,
}: WorldOptions): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'lastword-world-'))
  mkdirSync(join(folder, 'jobs'))
  writeFileSync(join(folder, 'jobs/weekly.yml'), changed(changes))
  const usual = worldConfig(folder, storeUrl, { port: relayPort, ...relay }, relays, pace)
  const app = await openApp({
    config: { ...usual, feeds: { ...usual.feeds, ...feeds }, ...config },
    clock,
    log,
  })
  return {
    app,
    digest: app.digests[0] as Digest,
    clock,
    folder,
    async close() {
      await app.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A key is replaced with everything that is indented below it. */
function changed(changes: Record<string, string>): string {
  const kept = job.split(/\n(?=\S)/).filter((entry) => !Object.keys(changes).some((key) => entry.startsWith(`${key}:`)))
  const added = Object.entries(changes).map(([key, value]) => `${key}: ${value}`)
  return [...kept, ...added].join('\n')
}

const usualRelay = { host: '127.0.0.1', catcher: true, security: 'none', timeout: 5, connections: 3 }

function worldConfig(
  folder: string,
  storeUrl: string,
  relay: Record<string, unknown>,
  relays: Record<string, unknown>[],
  pace: Record<string, unknown>,
): Config {
  return configSchema.parse({
    publication: {
      name: 'The Magazine',
      site: 'https://magazine.example',
      contact: 'letters@magazine.example',
      address: '1 High Street',
    },
    relay: { ...usualRelay, returnPath: 'bounces@magazine.example', ...relay },
    relays: relays.map((one) => ({ ...usualRelay, ...one })),
    pace,
    web: { url: 'https://letters.magazine.example', secret: 'a secret of at least 32 characters, for tests' },
    store: { url: storeUrl },
    jobs: join(folder, 'jobs'),
    log: 'silent',
  })
}

/** Lets a feed show these articles, newest first, an hour apart, the newest an hour ago. */
export async function publishTitles({ app, clock }: World, feedUrl: string, titles: string[]): Promise<void> {
  const [feed] = await ensureFeeds(app.db, [feedUrl], clock.now())
  if (!feed) throw new Error('no feed')
  const articles = titles.map((title, index) =>
    makeDatedArticle(title, new Date(Date.parse(clock.now()) - (index + 1) * 3_600_000)),
  )
  await recordSuccess(
    app.db,
    feed.id,
    { title: 'The Magazine', siteUrl: null, etag: null, lastModified: null },
    clock.now(),
  )
  await saveArticles(app.db, feed.id, articles, clock.now())
}

export function makeDatedArticle(title: string, published: Date): NewArticle {
  const url = `https://magazine.example/${title.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`
  return {
    identity: url,
    url,
    title,
    summary: `${title}: what happened.`,
    author: 'A. Writer',
    image: null,
    video: null,
    categories: [],
    publishedAt: published.toISOString(),
    updatedAt: null,
  }
}

export async function subscribe({ app, digest, clock }: World, count: number): Promise<void> {
  const people = Array.from({ length: count }, (_, index) => {
    const email = `reader${String(index + 1).padStart(5, '0')}@readers.example`
    return { email, emailKey: email, name: `Reader ${index + 1}`, attributes: {}, proof: 'test' }
  })
  for (let start = 0; start < people.length; start += 1000) {
    await addSubscribers(app.db, digest.name, people.slice(start, start + 1000), clock.now())
  }
}

/** An edition that is being sent, with its audience frozen: one queued delivery for each subscriber. Returns its id. */
export async function frozenEdition({ app, digest, clock }: World): Promise<string> {
  const id = (await compose(app, digest, clock.now()))?.id ?? ''
  await app.db.updateTable('editions').set({ status: 'sending' }).where('id', '=', id).execute()
  await freezePage(app.db, { id, digest: digest.name }, { after: '', size: 1000 }, clock.now())
  return id
}

/** Renders in a microsecond what the real renderer takes half a second for; tests of the rendering use the real one. */
export const plainRender: Render = async ({ edition, sections, corrections, slot, digest }) => {
  const titles = sections.flatMap(({ items }) =>
    items.map((item) => (item.kind === 'letter' ? item.letter.headline : item.article.title)),
  )
  const head = JSON.stringify({
    number: edition.number,
    digest: { name: digest.name, title: digest.title },
    publication: { name: 'The Magazine', site: 'https://magazine.example' },
    webUrl: 'https://letters.magazine.example',
    from: digest.from,
    replyTo: 'letters@magazine.example',
    returnPath: 'bounces@magazine.example',
  })
  const wrong = corrections.map(({ said, words, number }) => `Correction of ${said}: ${words} (${number})\n`).join('')
  const text = `${titles.join('\n')}\n${wrong}https://letters.magazine.example/leave/${slot}\n`
  return { head, subject: titles[0] ?? '', preheader: titles[1] ?? '', html: `<pre>${text}</pre>`, text, problems: [] }
}
