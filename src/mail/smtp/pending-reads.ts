/**
 * Runs `then` after data that has already arrived is read, which takes two turns of the event loop. A timeout calls
 * this first, since the answer may have arrived while the thread was busy.
 */
export function afterPendingReads(then: () => void): void {
  setImmediate(() => setImmediate(then))
}
