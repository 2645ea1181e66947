import { domainOf } from '../../mail/email-domain.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import { saveProviderRates, slowProviderRates } from '../../store/limits/provider-rates.ts'
import type { Db } from '../../store/schema.ts'
import { type Clock, hour, type Instant, msBetween, second } from '../../time/clock.ts'
import { ProviderRate, type Ticket } from './provider-rate.ts'
import type { Providers } from './providers.ts'

type Needs = { db: Db; clock: Clock; providers: Providers }

/** One mail provider and its rate over each relay. */
type RatesByRelay = { name: string; byRelay: Map<string, ProviderRate> }

/** Maximum number of domains kept in memory; slow domains are always kept. */
const maxDomains = 20_000
const saveIntervalMs = 10 * second

/** The rates of all mail providers over each relay, in this process; the relay is null if there is only one. */
export class ProviderRates {
  readonly #db: Db
  readonly #clock: Clock
  readonly #providers: Providers
  readonly #byDomain = new Map<string, RatesByRelay>()
  readonly #byName = new Map<string, RatesByRelay>()
  readonly #changed = new Set<ProviderRate>()
  readonly #onChange = (rate: ProviderRate) => void this.#changed.add(rate)
  #savedAt: Instant
  #forgotAt: Instant
  #pass = 0

  private constructor({ db, clock, providers }: Needs) {
    this.#db = db
    this.#clock = clock
    this.#providers = providers
    this.#savedAt = clock.now()
    this.#forgotAt = this.#savedAt
    providers.onFound((domain, name) => this.#joinDomain(domain, name))
  }

  /** Loads the stored rates. */
  static async open(needs: Needs): Promise<ProviderRates> {
    const rates = new ProviderRates(needs)
    await rates.#load()
    return rates
  }

  of(email: string, relay: string | null): ProviderRate {
    const domain = domainOf(email)
    let provider = this.#byDomain.get(domain)
    if (!provider) {
      if (this.#byDomain.size >= maxDomains) this.#forgetUnlimited()
      provider = this.#named(this.#providers.of(domain) ?? domain)
      this.#byDomain.set(domain, provider)
    }
    return this.#over(provider, relay ?? '')
  }

  /** A message is handed to the relay. */
  begin(email: string, relay: string | null): Ticket {
    return this.of(email, relay).begin(this.#pass)
  }

  /** Records the result. Returns the provider if the reply is its own: a rate complaint or greylisting. */
  recordResult(ticket: Ticket, result: SendResult, now: Instant): string | undefined {
    return ticket.rate.recordResult(ticket, result, now) ? ticket.rate.name : undefined
  }

  /** Looks up the unknown providers of these addresses: in the store, and in DNS without waiting. */
  async resolve(emails: string[]): Promise<void> {
    await this.#providers.resolve(emails.map(domainOf).filter((domain) => !this.#byDomain.has(domain)))
  }

  /** Begins a pass: measures the rates anew, and loads the lower rates that other processes have stored. */
  async beginPass(): Promise<void> {
    this.#pass += 1
    const now = this.#clock.now()
    if (!isWithin(this.#forgotAt, hour, now)) {
      this.#forgetUnlimited() // a domain can change its provider
      this.#forgotAt = now
    }
    await this.#load()
  }

  /** Saves the changed rates if the last save was a while ago, or if `always` is set. */
  async save(when?: 'always'): Promise<void> {
    const now = this.#clock.now()
    if (when !== 'always' && isWithin(this.#savedAt, saveIntervalMs, now)) return
    this.#savedAt = now
    const changed = [...this.#changed]
    this.#changed.clear()
    const slow = changed.flatMap(({ row }) => row ?? [])
    const unlimited = changed.filter(({ isUnlimited }) => isUnlimited)
    await saveProviderRates(this.#db, slow, unlimited)
    await this.#providers.save()
  }

  async #load(): Promise<void> {
    for (const row of await slowProviderRates(this.#db)) this.#over(this.#named(row.name), row.relay).load(row)
  }

  #named(name: string): RatesByRelay {
    const known = this.#byName.get(name)
    if (known) return known
    const provider: RatesByRelay = { name, byRelay: new Map() }
    this.#byName.set(name, provider)
    return provider
  }

  #over({ name, byRelay }: RatesByRelay, relay: string): ProviderRate {
    const known = byRelay.get(relay)
    if (known) return known
    const rate = new ProviderRate(name, relay, this.#clock, this.#onChange)
    byRelay.set(relay, rate)
    return rate
  }

  /** The provider of a domain is now known: the domain's limit applies to the provider. */
  #joinDomain(domain: string, name: string): void {
    const own = this.#byDomain.get(domain)
    this.#byDomain.delete(domain)
    if (!own || own.name === name) return
    for (const rate of own.byRelay.values()) this.#over(this.#named(name), rate.relay).adopt(rate)
  }

  #forgetUnlimited(): void {
    this.#byDomain.clear()
    for (const [name, { byRelay }] of this.#byName) {
      for (const [relay, { isUnlimited }] of byRelay) if (isUnlimited) byRelay.delete(relay)
      if (byRelay.size === 0) this.#byName.delete(name)
    }
  }
}

/** Whether the instant was less than this many milliseconds ago; false if the clock was set back since. */
function isWithin(at: Instant, milliseconds: number, now: Instant): boolean {
  return at <= now && msBetween(at, now) < milliseconds
}
