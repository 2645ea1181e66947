/**
 * Runs `then` once the data that had already arrived has been read, which takes two turns of the event loop. A time limit
 * that expired while the thread was busy calls this first: the answer may be in the socket.
 */
export function afterPendingReads(then: () => void): void {
  setImmediate(() => setImmediate(then))
}
