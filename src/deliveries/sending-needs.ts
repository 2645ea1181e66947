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

/** What the steps of sending need. `personalise` fills, and signs, one message; `reuse` gets its bytes back when they are free. */
export type DeliverNeeds = {
  db: Db
  engine: Engine
  clock: WaitingClock
  relays: RelayPool
  worker: Worker
  /** How fast each mail provider is written to, and who takes whose mail. */
  buckets: ProviderRates
  providers: Providers
  /** The digest's rules about when; without them all goes at once. */
  rules: Rules | undefined
  personalise: (delivery: QueuedDelivery) => Message | Promise<Message>
  reuse?: (message: Message) => void
  /** Told that the store is away, and that the pass waits for it. */
  onStoreAway?: (reason: string) => void
  /** Told that it is back, and that the pass goes on. */
  onStoreBack?: () => void
  /** Told of an internal error that ended a connection's work. */
  onFault?: (error: unknown) => void
}

/** The digest's rule for what was cut off inside the relay's answer. */
export type UnknownRule = 'repeat' | 'hold'

export type SendOptions = {
  /** When it fires, nothing new is begun; what is in flight is finished and recorded. */
  signal?: AbortSignal
  /** Which slices; all that are due if absent. */
  source?: SliceSource
  onProgress?: (counts: DeliveryCounts) => void
  /** Milliseconds that a pass waits for mail providers that are slow, when it has nothing else to do; a minute if absent. */
  patience?: number
}
