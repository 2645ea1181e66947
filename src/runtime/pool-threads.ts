import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { promisify } from 'node:util'

const niceIncrement = 5

/**
 * Lets the threads on which copies are signed step back behind the one that talks to the relays: where there are fewer
 * cores than threads that want one, it would wait for its turn with all signed and nothing on the wire. Only Linux gives
 * each thread a priority of its own; elsewhere, or where that is forbidden, all stays as it is.
 */
export async function lowerSigningPriority(): Promise<void> {
  await promisify(randomBytes)(1) // the threads are started with their first work
  try {
    for (const thread of poolThreads()) setPriority(thread, getPriority() + niceIncrement)
  } catch {
    // they sign all the same
  }
}

/** The ids that Linux has for the threads of libuv's pool. */
export function poolThreads(): number[] {
  const ids = readdirSync('/proc/self/task')
  return ids.filter((id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim() === 'libuv-worker').map(Number)
}
