import type { App } from '../app.ts'
import { envelopeSender, relaysOf } from '../config/config.ts'
import { type DeliverOptions, type DeliverReport, deliver } from '../deliveries/deliver.ts'
import { type Buckets, openBuckets } from '../deliveries/limits/buckets.ts'
import { dnsMx, type FindMx, openProviders, type Providers } from '../deliveries/limits/providers.ts'
import { rulesOf } from '../deliveries/limits/rules.ts'
import { Relays } from '../deliveries/relays/relays.ts'
import { untilStored } from '../deliveries/until-stored.ts'
import { keepAlive, releaseAbandoned, startWorker, stopWorker } from '../deliveries/worker.ts'
import { obstacleText, settingObstaclesOf } from '../editions/approval-rules.ts'
import { editionName } from '../editions/edition.ts'
import { AppError, messageOf } from '../errors.ts'
import { bufferPool } from '../mail/buffer-pool.ts'
import { compileSignedMessage, type Signer } from '../mail/dkim.ts'
import { loadSigners } from '../mail/dkim-keys.ts'
import { deliveryKeys } from '../mail/keys.ts'
import { compileMessage, type Message } from '../mail/mime.ts'
import { loadClient } from '../mail/smtp/connect.ts'
import { toMessageTemplate } from '../messages/message-template.ts'
import { lowerSigningPriority } from '../runtime/pool-threads.ts'
import { verifyCounts } from '../store/deliveries/counts.ts'
import { clearFutureWaits } from '../store/digests/clock-faults.ts'
import { editionById, variantsOf } from '../store/editions/editions.ts'
import type { EditionRow } from '../store/schema.ts'
import type { Worker } from '../store/system/workers.ts'
import { addMs, type Instant, minute, second } from '../time/clock.ts'

/** A process that sends: relays to hand messages to, and a row by which others know that it lives. */
export type Sender = {
  relays: Relays
  signers: Signer[]
  worker: Worker
  buckets: Buckets
  providers: Providers
  /** By edition: until when there is nothing to do for it; see `isQuiet`. */
  quietUntil: Map<string, Instant>
  close(): Promise<void>
}

/** A power cut may take the answers of the last second, and those people get a second copy. */
const syncIntervalMs = second
/** Others take a sender for dead after two minutes of silence. */
const heartbeatMs = 20 * second

/** Becomes a sender, and first of all settles what a sender that died left in mid-air. `findMx` is DNS if absent. */
export async function openSender(
  app: App,
  findMx: FindMx = dnsMx(),
  command: 'start' | 'run' = 'run',
): Promise<Sender> {
  const signers = loadSigners(app.config.relay.dkim)
  if (signers.length > 0) await lowerSigningPriority()
  await loadClient()
  const relays = new Relays(app, relaysOf(app.config))
  const providers = openProviders({ ...app, findMx: app.config.pace.providers ? findMx : undefined })
  const buckets = await openBuckets({ ...app, providers })
  const worker = await startWorker(app, command) // last: a fault before it leaves no row of a sender that is none
  const heartbeatTimer = setInterval(() => void keepAlive(app, worker).catch(() => {}), heartbeatMs).unref()
  const released = await releaseAbandoned(app, worker)
  if (released > 0) app.log.warn({ released }, 'deliveries cut off by a crash are unknown now')
  return {
    relays,
    signers,
    worker,
    buckets,
    providers,
    quietUntil: new Map(),
    async close() {
      clearInterval(heartbeatTimer)
      await relays.close()
      providers.close()
      await buckets.save('always')
      await stopWorker(app, worker)
    },
  }
}

/**
 * Why an approved edition is not sent, one sentence each: settings that must be changed first. None where somebody let it go
 * out in spite of them.
 */
export async function sendingObstacles(
  app: Pick<App, 'db' | 'config' | 'digests'>,
  edition: EditionRow,
): Promise<string[]> {
  if (edition.overriddenAt !== null) return []
  return (await settingObstaclesOf(app, edition)).map(obstacleText)
}

/**
 * Sends what the approved edition still owes: the sealed bytes, each copy with its own key. AppError `conflict` where
 * `sendingObstacles` finds something.
 */
export async function sendEdition(
  app: App,
  sender: Sender,
  editionId: string,
  options: DeliverOptions,
): Promise<DeliverReport> {
  const { db, clock, secret } = app
  const { relays, worker, signers, buckets, providers } = sender
  const edition = await editionById(db, editionId)
  const [variant] = await variantsOf(db, editionId)
  if (!edition || !variant)
    throw new AppError('missing', `edition ${editionId} is not sealed: there is nothing to send`)
  const obstacles = await sendingObstacles(app, edition)
  if (obstacles.length > 0)
    throw new AppError('conflict', `${editionName(edition)} is not sent. ${obstacles.join(' ')}`)
  const buffers = bufferPool()
  // The envelope is between us and the relay of today: nobody reads it, and a relay that refuses one may take another.
  const { address: returnPath, isPersonal: personalReturnPath } = envelopeSender(app.config)
  const template = { ...toMessageTemplate(secret, edition, variant), returnPath, personalReturnPath }
  const compile =
    signers.length > 0 ? compileSignedMessage(template, signers, buffers.take) : compileMessage(template, buffers.take)
  const keysOf = deliveryKeys(secret)
  const personalise = ({ subscriberId, email, name }: { subscriberId: string; email: string; name: string }) =>
    compile({ email, name, keys: keysOf({ subscriberId, editionRef: edition.ref }), date: clock.now() })
  const reuse = ({ pieces: [own] }: Message) => own && buffers.give(own)
  const rules = rulesOf(app, edition.digest)
  const needs = {
    db,
    engine: app.store.engine,
    clock,
    relays,
    worker,
    buckets,
    providers,
    rules,
    personalise,
    reuse,
    onStoreAway: (reason: string) =>
      app.log.warn(
        { event: 'store.away', edition: editionId, reason },
        'the database cannot be used; sending waits for it',
      ),
    onStoreBack: () =>
      app.log.info({ event: 'store.back', edition: editionId }, 'the database can be used again; sending goes on'),
    onFault: (err: unknown) =>
      app.log.error({ event: 'sending.internal_error', edition: editionId, err }, 'internal error while sending'),
  }
  const report = await withSync(app, () =>
    untilStored({ ...needs, signal: options.signal }, async () => {
      await clearFutureWaits(db, editionId, clock.now())
      return await deliver(needs, editionId, options)
    }),
  )
  if (report.finished) await checkCounts(app, editionId)
  recordQuiet(sender, editionId, report, clock.now())
  return report
}

/** Counts the deliveries of a finished edition once, and corrects its counters where they are wrong. */
async function checkCounts({ db, store, log }: App, editionId: string): Promise<void> {
  const wrong = await verifyCounts(db, store.engine, editionId).catch((err: unknown) => {
    log.warn({ event: 'edition.counts_unchecked', edition: editionId, err }, 'delivery counters could not be checked')
  })
  if (wrong)
    log.warn(
      { event: 'edition.counts_corrected', edition: editionId, wrong },
      'delivery counters were wrong; recounted',
    )
}

/** Does the work, and brings what it commits to the disk each second, and at the end. */
async function withSync<T>({ store, log }: App, work: () => Promise<T>): Promise<T> {
  const sync = () => store.sync().catch((error) => log.error({ error: messageOf(error) }, 'the store cannot be synced'))
  const syncTimer = setInterval(() => void sync(), syncIntervalMs)
  try {
    return await work()
  } finally {
    clearInterval(syncTimer)
    await sync()
  }
}

/** Looked at more often than that an edition with a million copies that wait would keep the store busy. */
const maxQuietMs = minute

function recordQuiet({ quietUntil: quiet }: Sender, editionId: string, { wait }: DeliverReport, now: Instant): void {
  const latest = addMs(now, maxQuietMs)
  if (!wait) quiet.delete(editionId)
  else quiet.set(editionId, wait.until < latest ? wait.until : latest)
}

/** Whether the last pass has found that there is nothing to do for the edition yet. */
export function isQuiet({ quietUntil: quiet }: Sender, editionId: string, now: Instant): boolean {
  const until = quiet.get(editionId)
  return until !== undefined && now < until && until <= addMs(now, maxQuietMs) // the clock may have been set back
}
