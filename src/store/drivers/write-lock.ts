/** A lock with one holder at a time, granted in the order of requests. */
export class WriteLock {
  readonly #waiting: (() => void)[] = []
  #isHeld = false

  async acquire(): Promise<void> {
    if (this.#isHeld) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#isHeld = true
  }

  release(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#isHeld = false
  }
}
