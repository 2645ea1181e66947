import type { App } from '../../app.ts'
import { second } from '../../time/clock.ts'

/** A power cut can lose the results of the last second, and those people get a second message. */
const syncEveryMs = second

/** Runs the work, and syncs its commits to disk every second and at the end. */
export async function withSync<T>({ store, log }: Pick<App, 'store' | 'log'>, work: () => Promise<T>): Promise<T> {
  const sync = () =>
    store.sync().catch((err) => log.error({ event: 'store.sync_failed', err }, 'the store cannot be synced'))
  const timer = setInterval(() => void sync(), syncEveryMs)
  try {
    return await work()
  } finally {
    clearInterval(timer)
    await sync()
  }
}
