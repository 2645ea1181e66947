/** A time limit that is paused while no request runs, so that waiting for a host does not use it up. */
export class TimeLimit {
  readonly #controller = new AbortController()
  #left: number
  #since = 0
  #timer: NodeJS.Timeout | undefined

  constructor(milliseconds: number) {
    this.#left = milliseconds
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  start(): void {
    this.#since = performance.now()
    this.#timer ??= setTimeout(() => this.#controller.abort(), Math.max(0, this.#left))
  }

  pause(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#left -= performance.now() - this.#since
  }
}
