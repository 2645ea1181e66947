import type { Config } from '../config/config.ts'
import { openStore, type Store, storeExists } from '../store/open.ts'
import { systemClock } from '../time/clock.ts'

/** Looks something up in the store and closes it again; undefined where there is no store yet, which is not made for this. */
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
