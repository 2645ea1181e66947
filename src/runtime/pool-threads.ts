import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { promisify } from 'node:util'

const niceIncrement = 5

/**
 * Lowers the priority of the threads that sign messages (nice +5), so that on few cores they do not delay the thread that
 * sends. Only on Linux, which has a priority for each thread; without effect elsewhere or without the right.
 */
export async function lowerSigningPriority(): Promise<void> {
  await promisify(randomBytes)(1) // the first work starts the threads
  try {
    for (const thread of poolThreads()) setPriority(thread, getPriority() + niceIncrement)
  } catch {
    // they sign with the same priority
  }
}

/** The Linux thread ids of libuv's pool. */
export function poolThreads(): number[] {
  const ids = readdirSync('/proc/self/task')
  return ids.filter((id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim() === 'libuv-worker').map(Number)
}
