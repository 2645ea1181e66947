import type { App } from '../../app.ts'
import { relaysOf } from '../../config/config.ts'
import { dnsMx, type FindMx } from '../../deliveries/limits/mail-servers.ts'
import { ProviderRates } from '../../deliveries/limits/provider-rates.ts'
import { Providers } from '../../deliveries/limits/providers.ts'
import { RelayPool } from '../../deliveries/relays/relay-pool.ts'
import { keepAlive, releaseAbandoned, startWorker, stopWorker } from '../../deliveries/worker.ts'
import type { Signer } from '../../mail/dkim.ts'
import { loadSigners } from '../../mail/dkim-keys.ts'
import { loadNodemailer } from '../../mail/smtp/nodemailer-client.ts'
import { lowerSigningPriority } from '../../runtime/pool-threads.ts'
import type { Worker } from '../../store/system/workers.ts'
import { type Instant, second } from '../../time/clock.ts'

/** A process that sends: relays to hand messages to, and a row by which others know that it lives. */
export type Sender = {
  relays: RelayPool
  signers: Signer[]
  worker: Worker
  buckets: ProviderRates
  providers: Providers
  /** By edition: until when there is nothing to do for it; see `isQuiet`. */
  quietUntil: Map<string, Instant>
  close(): Promise<void>
}

/** Others take a sender for dead after two minutes of silence. */
const heartbeatMs = 20 * second

/** Becomes a sender, and first of all settles what a sender that died had in flight. `findMx` is DNS if absent. */
export async function openSender(
  app: App,
  findMx: FindMx = dnsMx(),
  command: 'start' | 'run' = 'run',
): Promise<Sender> {
  const signers = loadSigners(app.config.relay.dkim)
  if (signers.length > 0) await lowerSigningPriority()
  await loadNodemailer()
  const relays = new RelayPool(app, relaysOf(app.config))
  const providers = new Providers({ ...app, findMx: app.config.pace.providers ? findMx : undefined })
  const buckets = await ProviderRates.open({ ...app, providers })
  const worker = await startWorker(app, command) // last: a fault before it leaves no row of a sender that is none
  const heartbeat = setInterval(() => void keepAlive(app, worker).catch(() => {}), heartbeatMs).unref()
  const released = await releaseAbandoned(app, worker)
  if (released > 0)
    app.log.warn({ event: 'deliveries.abandoned', released }, 'deliveries cut off by a crash are unknown now')
  return {
    relays,
    signers,
    worker,
    buckets,
    providers,
    quietUntil: new Map(),
    async close() {
      clearInterval(heartbeat)
      await relays.close()
      providers.close()
      await buckets.save('always')
      await stopWorker(app, worker)
    },
  }
}
