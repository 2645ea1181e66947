type Host = { running: number; waiting: (() => void)[] }

/** Limits the work that runs for a host at the same time. The rest waits, first come, first served. */
export class HostLimit {
  readonly #maximum: number
  readonly #hosts = new Map<string, Host>()

  constructor(maximum: number) {
    this.#maximum = maximum
  }

  /** Runs the work when the host has a free place. Rejects with the signal's reason if it aborts the wait. */
  async run<T>(name: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const host = this.#hosts.get(name) ?? { running: 0, waiting: [] }
    this.#hosts.set(name, host)
    if (host.running < this.#maximum) host.running++
    else await waitForTurn(host, signal)
    try {
      return await work()
    } finally {
      const next = host.waiting.shift()
      if (next) next()
      else if (--host.running === 0) this.#hosts.delete(name)
    }
  }
}

/** `run` calls the first waiting function instead of freeing its place. */
function waitForTurn(host: Host, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      host.waiting.splice(host.waiting.indexOf(enter), 1)
      reject(signal?.reason)
    }
    const enter = () => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }
    if (signal?.aborted) return reject(signal.reason)
    host.waiting.push(enter)
    signal?.addEventListener('abort', stop, { once: true })
  })
}
