import type { Config } from '../config/config.ts'
import { openStore, type Store, storeExists } from '../store/open.ts'
import { systemClock } from '../time/clock.ts'

/** Runs `work` with the store and closes it; undefined if there is no store. Never makes one. */
export async function withExistingStore<T>(
  { store: { url } }: Config,
  work: (store: Store) => Promise<T>,
): Promise<T | undefined> {
  if (!storeExists(url)) return undefined
  const store = await openStore(url, systemClock)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}
