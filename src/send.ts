import type { App } from './app.ts'
import { minute, second } from './clock.ts'
import { type DeliverOptions, type DeliverReport, deliver } from './deliveries/deliver.ts'
import { openRelay, type Relay } from './deliveries/relay.ts'
import { keepAlive, releaseAbandoned, startWorker, stopWorker } from './deliveries/worker.ts'
import { AppError, messageOf } from './errors.ts'
import { bufferPool } from './messages/buffers.ts'
import { compileSigned, type Signer } from './messages/dkim.ts'
import { letterOf } from './messages/letter.ts'
import { compileLetter, type Message } from './messages/mime.ts'
import { openSigners } from './messages/signers.ts'
import { editionById, variantsOf } from './store/editions.ts'
import type { Worker } from './store/workers.ts'
import { deliveryKey } from './subscribers/token.ts'

/** A process that sends: a relay to hand messages to, and a row by which others know that it lives. */
export type Sender = { relay: Relay; signers: Signer[]; worker: Worker; rest: Rest; close(): Promise<void> }

/** A relay that took nothing is left alone until then (on the clock of `performance`), each time twice as long, up to ten minutes. */
export type Rest = { until: number; next: number }

const firstRest = 15 * second
/** A power cut may take the answers of the last second, and those people get a second copy. */
const syncing = second
/** Others take a sender for dead after two minutes of silence. */
const heartbeat = 20 * second

/** Becomes a sender, and first of all settles what a sender that died left in mid-air. */
export async function openSender(app: App): Promise<Sender> {
  const signers = openSigners(app.config.relay.dkim)
  const worker = await startWorker(app)
  const relay = openRelay(app.config.relay)
  const beat = setInterval(() => void keepAlive(app, worker).catch(() => {}), heartbeat).unref()
  const released = await releaseAbandoned(app, worker)
  if (released > 0) app.log.warn({ released }, 'deliveries cut off by a crash are unknown now')
  return {
    relay,
    signers,
    worker,
    rest: { until: 0, next: firstRest },
    async close() {
      clearInterval(beat)
      relay.close()
      await stopWorker(app, worker)
    },
  }
}

/** Sends what the approved edition still owes: the sealed bytes, each copy with its own key. */
export async function sendEdition(
  app: App,
  sender: Sender,
  editionId: string,
  options: DeliverOptions,
): Promise<DeliverReport> {
  const { db, clock, secret } = app
  const { relay, worker, signers } = sender
  const edition = await editionById(db, editionId)
  const [variant] = await variantsOf(db, editionId)
  if (!edition || !variant)
    throw new AppError('missing', `edition ${editionId} is not sealed: there is nothing to send`)
  const buffers = bufferPool()
  const letter = letterOf(edition, variant)
  const fill = signers.length > 0 ? compileSigned(letter, signers, buffers.take) : compileLetter(letter, buffers.take)
  const personalise = ({ subscriberId, email, name }: { subscriberId: string; email: string; name: string }) =>
    fill({ email, name, key: deliveryKey(secret, { subscriberId, editionRef: edition.ref }), date: clock.now() })
  const reuse = ({ wire }: Message) => buffers.give(wire)
  const needs = { db, engine: app.store.engine, clock, relay, worker, personalise, reuse }
  const report = await whileSyncing(app, () => deliver(needs, editionId, options))
  sender.rest = restAfter(report, sender.rest)
  return report
}

/** Does the work, and brings what it commits to the disk each second, and at the end. */
async function whileSyncing<T>({ store, log }: App, work: () => Promise<T>): Promise<T> {
  const sync = () => store.sync().catch((error) => log.error({ error: messageOf(error) }, 'the store cannot be synced'))
  const beat = setInterval(() => void sync(), syncing)
  try {
    return await work()
  } finally {
    clearInterval(beat)
    await sync()
  }
}

function restAfter({ stopped, over }: DeliverReport, { next }: Rest): Rest {
  if (stopped === null || over) return { until: 0, next: firstRest }
  return { until: performance.now() + next, next: Math.min(next * 2, 10 * minute) }
}
