import type { Config } from '../../config/config.ts'

/** One relay, as `relay` and each of `relays` describe it. */
export type RelaySettings = Config['relays'][number]
