import type { Config } from '../config/config.ts'
import { usePrivateCompileCache } from '../runtime/compile-cache.ts'

/** The argument of a drill's sender process. `shift`: how far its clock is ahead, in milliseconds. */
export type DrillOrder = { config: Config; editionId: string; unknown: 'repeat' | 'hold'; shift: number }

// Runs as its own process and sends until nothing is due or it is killed.
usePrivateCompileCache()
const { openApp } = await import('../app.ts')
const { toInstant } = await import('../time/clock.ts')
const { silentLog } = await import('../log.ts')
const { openSender } = await import('../pipeline/sending/sender.ts')
const { sendEdition } = await import('../pipeline/sending/send.ts')

const { config, editionId, unknown, ...order } = JSON.parse(process.argv[2] ?? '') as DrillOrder
let shift = order.shift
const clock = {
  now: () => toInstant(Date.now() + shift),
  async wait(milliseconds: number) {
    shift += milliseconds // waiting takes no time in a drill
  },
}
const app = await openApp({ config, clock, log: silentLog })
const sender = await openSender(app)
await sendEdition(app, sender, editionId, { unknown, maxSlowWaitMs: Number.POSITIVE_INFINITY })
await sender.close()
await app.close()
