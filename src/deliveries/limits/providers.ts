import { knownProviders, saveProviders } from '../../store/limits/providers.ts'
import type { Db } from '../../store/schema.ts'
import { addMs, type Clock, day, hour, type Instant } from '../../time/clock.ts'
import { type FindMx, isReserved, providerOf } from './mail-servers.ts'

/** How long a DNS answer is cached … */
const retentionMs = day
/** … and a DNS failure. */
const failureRetentionMs = hour
const maxRemembered = 20_000
const maxPending = 2000
const maxParallel = 8
/** After this many failures in a row, DNS is not queried for a while. */
const maxFailures = 5

type Listener = (domain: string, provider: string) => void
type Needs = { db: Db; clock: Clock; findMx?: FindMx | undefined }

/** Maps a domain to its mail provider. Without `findMx` DNS is not queried: each domain is its own provider. */
export class Providers {
  readonly #db: Db
  readonly #clock: Clock
  readonly #findMx: FindMx | undefined
  readonly #remembered = new Map<string, string>()
  readonly #unsaved = new Map<string, string>()
  readonly #pending = new Map<string, Promise<void>>()
  readonly #listeners: Listener[] = []
  readonly #queue: (() => void)[] = []
  #running = 0
  #failures = 0
  #rememberedUntil: Instant

  constructor({ db, clock, findMx }: Needs) {
    this.#db = db
    this.#clock = clock
    this.#findMx = findMx
    this.#rememberedUntil = addMs(clock.now(), failureRetentionMs)
  }

  /** Undefined: the provider is the domain itself, or not known yet. */
  of(domain: string): string | undefined {
    return this.#remembered.get(domain)
  }

  /** Called for each domain whose provider has another name. */
  onFound(listener: Listener): void {
    this.#listeners.push(listener)
  }

  /** Looks up these domains in the store, and the missing ones in DNS without waiting. */
  async resolve(domains: string[]): Promise<void> {
    if (!this.#findMx) return
    this.#forgetOld()
    const unknown = [...new Set(domains)].filter((domain) => this.#isUnknown(domain))
    if (unknown.length === 0) return
    const found = await knownProviders(this.#db, unknown, addMs(this.#clock.now(), -retentionMs))
    for (const [domain, provider] of found) this.#remember(domain, provider)
    for (const domain of unknown) {
      if (found.has(domain) || this.#pending.size >= maxPending || this.#failures >= maxFailures) continue
      this.#pending.set(domain, this.#ask(domain, this.#findMx))
    }
  }

  /** Resolves these domains and waits for DNS, up to a time limit. */
  async resolveWithin(domains: string[], milliseconds: number): Promise<void> {
    await this.resolve(domains)
    const asked = domains.flatMap((domain) => this.#pending.get(domain) ?? [])
    if (asked.length === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, milliseconds)
    await Promise.race([Promise.all(asked), promise])
    clearTimeout(timer)
  }

  async save(): Promise<void> {
    const found = new Map(this.#unsaved)
    this.#unsaved.clear()
    if (found.size > 0) await saveProviders(this.#db, found, this.#clock.now())
  }

  close(): void {
    this.#findMx?.close()
  }

  #forgetOld(): void {
    if (this.#clock.now() < this.#rememberedUntil) return
    this.#remembered.clear()
    this.#failures = 0
    this.#rememberedUntil = addMs(this.#clock.now(), failureRetentionMs)
  }

  #isUnknown(domain: string): boolean {
    return !this.#remembered.has(domain) && !this.#pending.has(domain) && !isReserved(domain)
  }

  #remember(domain: string, provider: string): void {
    if (this.#remembered.size >= maxRemembered) this.#remembered.clear()
    this.#remembered.set(domain, provider)
    if (provider !== domain) for (const listener of this.#listeners) listener(domain, provider)
  }

  async #ask(domain: string, { find }: FindMx): Promise<void> {
    if (this.#running >= maxParallel) await new Promise<void>((resolve) => this.#queue.push(resolve))
    this.#running += 1
    try {
      if (this.#failures >= maxFailures) return
      const provider = providerOf(domain, await find(domain))
      this.#failures = 0
      this.#remember(domain, provider)
      this.#unsaved.set(domain, provider)
    } catch {
      this.#failures += 1
      this.#remember(domain, domain)
    } finally {
      this.#running -= 1
      this.#pending.delete(domain)
      this.#queue.shift()?.()
    }
  }
}
