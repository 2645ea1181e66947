import { type Client, openClient, type RequestOptions, type Response } from './client.ts'
import { displayHost, type FetchFailure, failureText, fetchFailure } from './failure.ts'
import type { FetchLimits } from './fetched.ts'
import { HostLimit } from './host-limit.ts'
import { isAllowed } from './public-address.ts'
import { TimeLimit } from './time-limit.ts'

const maxPerHost = 2

/** Waits for a free place at the URL's host, then runs `work`, whose `send` requests that URL. */
export type RunOnHost = <T>(
  url: URL,
  work: (send: (options: RequestOptions) => Promise<Response>, signal: AbortSignal) => Promise<T>,
) => Promise<T>

/** Requests with a time limit for each call and a limit of parallel requests for each host. */
export class BoundedRequests {
  readonly #limits: FetchLimits
  readonly #hosts = new HostLimit(maxPerHost)
  #client: Promise<Client> | undefined

  constructor(limits: FetchLimits) {
    this.#limits = limits
  }

  /** Runs one call; the wait for a host is not part of its time limit. An error of the network is a FetchFailure. */
  async run<T>(
    url: string,
    given: AbortSignal | undefined,
    call: (runOnHost: RunOnHost) => Promise<T | FetchFailure>,
  ): Promise<T | FetchFailure> {
    const limit = new TimeLimit(this.#limits.timeout * 1000)
    const signal = given ? AbortSignal.any([limit.signal, given]) : limit.signal
    let current = url
    const runOnHost: RunOnHost = (next, work) =>
      this.#hosts.run(next.hostname, given, async () => {
        current = next.href
        const client = await this.#openClient()
        const isGuarded = !isAllowed(next, this.#limits.allow)
        limit.start()
        const send = (options: RequestOptions) => client.send(next, isGuarded, { ...options, signal })
        return await work(send, signal).finally(() => limit.pause())
      })
    try {
      return await call(runOnHost)
    } catch (error) {
      if (!limit.signal.aborted) return fetchFailure(failureText(error, current))
      return fetchFailure(`${displayHost(current)} gave no complete answer within ${this.#limits.timeout} s`)
    }
  }

  async close(): Promise<void> {
    await (await this.#client)?.close()
  }

  #openClient(): Promise<Client> {
    this.#client ??= openClient(this.#limits.timeout * 1000, this.#limits.maximumBytes)
    return this.#client
  }
}
