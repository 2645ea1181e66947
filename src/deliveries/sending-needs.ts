import type { Message } from '../mail/mime.ts'
import type { DeliveryCounts, QueuedDelivery } from '../store/deliveries/deliveries.ts'
import type { Engine } from '../store/engine.ts'
import type { Db } from '../store/schema.ts'
import type { Worker } from '../store/system/workers.ts'
import type { WaitingClock } from '../time/clock.ts'
import type { ProviderRates } from './limits/provider-rates.ts'
import type { Providers } from './limits/providers.ts'
import type { Rules } from './limits/rules.ts'
import type { RelayPool } from './relays/relay-pool.ts'
import type { SliceSource } from './slice-source.ts'

/** The dependencies of the sending steps. `personalise` fills and signs one message; `reuse` takes its buffer back. */
export type DeliverNeeds = {
  db: Db
  engine: Engine
  clock: WaitingClock
  relays: RelayPool
  worker: Worker
  /** The rate of each mail provider, and the provider of each domain. */
  rates: ProviderRates
  providers: Providers
  /** The digest's limits on when to send; absent: no limits. */
  rules: Rules | undefined
  personalise: (delivery: QueuedDelivery) => Message | Promise<Message>
  reuse?: (message: Message) => void
  /** Called when the store is unavailable and the pass waits for it. */
  onStoreAway?: (reason: string) => void
  /** Called when the store is back and the pass continues. */
  onStoreBack?: (awayMs: number) => void
  /** Called with an internal error that ended a connection's work. */
  onFault?: (error: unknown) => void
}

/** The digest's rule for deliveries cut off during the relay's reply. */
export type UnknownRule = 'repeat' | 'hold'

export type SendOptions = {
  /** When it fires, no message is begun; those in flight are finished and recorded. */
  signal?: AbortSignal
  /** The slices to send; absent: all that are due. */
  source?: SliceSource
  onProgress?: (counts: DeliveryCounts) => void
  /** Milliseconds that a pass waits for slow mail providers when it has nothing else to do; default: one minute. */
  maxSlowWaitMs?: number
}
