import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, openApp } from '../app.ts'
import { type Config, configSchema, environmentStoreUrl } from '../config/config.ts'
import { describeReason } from '../describe/describe.ts'
import { compose } from '../editions/compose/compose.ts'
import type { Digest } from '../editions/digest.ts'
import { approve } from '../editions/review/approve.ts'
import { seal } from '../editions/seal.ts'
import { AppError } from '../errors.ts'
import { openLog } from '../log.ts'
import { refreshAndEnrich } from '../pipeline/refresh-and-enrich.ts'
import { startSchedule } from '../pipeline/schedule.ts'
import { sendEdition } from '../pipeline/sending/send.ts'
import { openSender, type Sender } from '../pipeline/sending/sender.ts'
import { makeSignInLink } from '../pipeline/sign-in/sign-in-link.ts'
import { countDeliveries, type DeliveryCounts } from '../store/deliveries/deliveries.ts'
import { chosenOf } from '../store/editions/choices.ts'
import { variantsOf } from '../store/editions/variants.ts'
import type { EditionRow } from '../store/schema.ts'
import { addSubscribers } from '../store/subscribers/subscribers.ts'
import { addressKey } from '../subscribers/address.ts'
import { systemClock } from '../time/clock.ts'
import { serve } from '../web/server.ts'
import { startFeedServer } from './feed-server.ts'
import { freePort } from './listen.ts'
import { madeUpSubscribers } from './made-up-subscribers.ts'
import { startMailCatcher } from './mail-catcher.ts'

export type DemoOptions = {
  /** End when the edition is sent. */
  once?: boolean
  /** Print the result as JSON at the end. */
  json?: boolean
  /** Write every message as `.eml` to this folder. */
  mailDir?: string
  signal: AbortSignal
  onProgress: { update(counts: DeliveryCounts): void; end(): void }
  print(line: string): void
}

const root = new URL('../../', import.meta.url).pathname
const fixtures = join(root, 'fixtures/demo')
const subscriberCount = 200

/**
 * Sends one edition of a made-up magazine, served on a local port, to 200 made-up subscribers and a mail catcher. The
 * store is a file in a temporary folder, or the one in LASTWORD_STORE__URL.
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'lastword-demo-'))
  const magazine = await startFeedServer({ clock: systemClock })
  const catcher = await startMailCatcher(options.mailDir === undefined ? {} : { mailDir: options.mailDir })
  const config = await demoConfig(home, magazine.url, catcher.smtp)
  const app = await openApp({ config, log: openLog('warn') })
  const serving = await serve(app)
  const sender = await openSender(app)
  try {
    const edition = await makeAndSendEdition(app, sender, options)
    options.print(`${subscriberCount} subscribers got ${edition.subject}`)
    if (!options.once) await serveUntilStopped(app, sender, catcher.url, magazine.url, options)
    if (options.json)
      options.print(JSON.stringify({ ...(await summary(app, edition)), duplicates: catcher.duplicates() }))
  } finally {
    await sender.close()
    await serving.close()
    await app.close()
    await catcher.close()
    await magazine.close()
    rmSync(home, { recursive: true, force: true })
  }
}

async function demoConfig(home: string, magazineUrl: string, smtp: { host: string; port: number }): Promise<Config> {
  const jobs = join(home, 'jobs')
  mkdirSync(jobs)
  const job = readFileSync(join(fixtures, 'jobs/civic-ledger-weekly.yml'), 'utf8')
  writeFileSync(join(jobs, 'civic-ledger-weekly.yml'), job.replaceAll('http://magazine.invalid', magazineUrl))
  const port = await freePort()
  return configSchema.parse({
    publication: {
      name: 'Civic Ledger',
      site: magazineUrl,
      contact: 'letters@civic-ledger.example',
      address: 'Civic Ledger Ltd\nThe Old Corn Exchange\nNorthwold NW1 0AA',
      tagline: 'The trade paper of public service',
      language: 'en-GB',
      colours: { brand: '#134e54', accent: '#a8402a' },
    },
    relay: { ...smtp, catcher: true, security: 'none', connections: 5, returnPath: 'bounces@civic-ledger.example' },
    web: { url: `http://127.0.0.1:${port}`, host: '127.0.0.1', port },
    store: { url: environmentStoreUrl() ?? `file:${join(home, 'lastword.db')}` },
    feeds: { allow: [new URL(magazineUrl).host] },
    jobs,
    templates: join(root, 'templates'),
  })
}

async function makeAndSendEdition(app: App, sender: Sender, { onProgress, signal }: DemoOptions): Promise<EditionRow> {
  const [digest] = app.digests as [Digest]
  const subscribers = madeUpSubscribers(subscriberCount)
  const rows = subscribers.map((person) => ({
    ...person,
    emailKey: addressKey(person.email),
    proof: 'made up for the demo',
  }))
  await addSubscribers(app.db, digest.name, rows, app.clock.now())
  await refreshAndEnrich(app, digest)
  const composed = await compose(app, digest, app.clock.now())
  if (composed?.status !== 'composed')
    throw new AppError(
      'internal',
      `the demo has no edition: ${composed?.reason ? describeReason(composed.reason) : 'none was made'}`,
    )
  const edition = await seal(app, composed.id, digest)
  await approve(app, edition.id, 'rule: approval auto')
  const report = await sendEdition(app, sender, edition.id, {
    unknown: digest.unknown,
    signal,
    onProgress: onProgress.update,
  })
  onProgress.end()
  if (report.stopped) throw new AppError('unavailable', `the demo stopped: ${describeReason(report.stopped)}`)
  return edition
}

async function serveUntilStopped(
  app: App,
  sender: Sender,
  mailUrl: string,
  magazineUrl: string,
  { print, signal }: DemoOptions,
): Promise<void> {
  const schedule = startSchedule({ app, sender, signal })
  print(`The messages:     ${mailUrl}`)
  print(`The editors' page: ${await makeSignInLink(app, 'editor')}`)
  print(`The magazine:     ${magazineUrl}`)
  print('Ctrl-C ends the demo and deletes its files.')
  if (!signal.aborted) await once(signal, 'abort')
  await schedule.stop()
}

async function summary({ db }: App, edition: EditionRow) {
  const counts = await countDeliveries(db, edition.id)
  const [variant] = await variantsOf(db, edition.id)
  const chosen = await chosenOf(db, edition.id)
  return {
    edition: edition.number,
    articles: chosen.length,
    recipients: Object.values(counts).reduce((sum, count) => sum + count, 0),
    accepted: counts.accepted,
    refused: counts.refused,
    unknown: counts.unknown,
    bytesHtml: Buffer.byteLength(variant?.html ?? ''),
  }
}
