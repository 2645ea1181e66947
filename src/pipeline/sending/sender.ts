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

/** A sending process: its relays, and a worker row that shows other processes that it is alive. */
export type Sender = {
  relays: RelayPool
  signers: Signer[]
  worker: Worker
  rates: ProviderRates
  providers: Providers
  /** Edition id to the time until which it has nothing to send; see `isQuiet`. */
  quietUntil: Map<string, Instant>
  close(): Promise<void>
}

/** Other processes consider a sender dead after two minutes without a heartbeat. */
const heartbeatMs = 20 * second

/** Registers this process as a sender and settles what dead senders left in flight. `findMx` is DNS by default. */
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
  const rates = await ProviderRates.open({ ...app, providers })
  const worker = await startWorker(app, command) // last, so that an earlier failure leaves no worker row
  const heartbeat = setInterval(() => void keepAlive(app, worker).catch(() => {}), heartbeatMs).unref()
  const released = await releaseAbandoned(app, worker)
  if (released > 0)
    app.log.warn({ event: 'deliveries.abandoned', released }, 'deliveries cut off by a crash are unknown now')
  return {
    relays,
    signers,
    worker,
    rates,
    providers,
    quietUntil: new Map(),
    async close() {
      clearInterval(heartbeat)
      await relays.close()
      providers.close()
      await rates.save('always')
      await stopWorker(app, worker)
    },
  }
}
