import { domainsOf } from '../../mail/email-domain.ts'
import { answerOf, type SendResult } from '../../mail/smtp/result.ts'
import type { Answer, Reason } from '../../store/events/reason.ts'
import { countProviders } from './spread.ts'

/** The recipient that a reply is about. `provider` is the MX provider if known, else the domain. */
export type Answered = { subscriberId: string; email: string; provider: string; isFirstTry: boolean }

/** The breaker opens after this many refusals about us in a row … */
const maxRejections = 10
/** … from this many providers: a single provider may reject newsletters. */
const minProviders = 3
/**
 * It also opens at this many of the last replies, from this many domains: one large provider may reject all its domains
 * while other providers accept.
 */
const lastAnswers = 100
const maxRejectionsOfLast = 30
const minDomainsOfLast = 10
/** It also opens after this many refusals of any kind in a row: no list is that bad, but relays break. */
const maxRefusals = 50
/** At most this many of them count for one provider. */
const maxRefusalsOfOne = 25
const maxRemembered = 1000

/**
 * A circuit breaker for one relay and one pass: detects refusals about us, rather than one person or one provider.
 * Retries count only for rejections by several providers, because only refused people are retried.
 */
export class RefusalBreaker {
  readonly #isAllAt: (domains: string[]) => Promise<boolean>
  /** The rejections in a row. */
  #row: Answered[] = []
  /** The refusals of any kind in a row, first tries only. */
  #refusals: Answered[] = []
  #lastAnswer: Answer = ''
  #others = 0
  /** A ring buffer of the last replies: the domain of each first-try rejection, '' for any other reply. */
  readonly #recent: string[] = []
  #replyCount = 0
  #asking: Promise<boolean> | undefined

  /**
   * `isAllAt` returns whether all recipients of the edition are at these domains; then they cannot be spread more
   * widely.
   */
  constructor(isAllAt: (domains: string[]) => Promise<boolean>) {
    this.#isAllAt = isAllAt
  }

  /** Records an acceptance, which ends every row. */
  accepted(): void {
    this.#remember('')
    this.#others += 1
    if (this.#row.length > 0) this.#row = []
    if (this.#refusals.length > 0) this.#refusals = []
  }

  /**
   * Records the result of a message that was not accepted. Returns the reason to stop once there is enough evidence;
   * usually undefined, and then without a promise.
   */
  recordResult(result: SendResult, to: Answered): undefined | Promise<Reason | undefined> {
    const { kind } = result
    if (kind === 'unsent' || kind === 'cut' || kind === 'unknown' || kind === 'unfit') return undefined // a problem of the connection
    this.#remember(kind === 'rejected' && to.isFirstTry ? (domainsOf([to.email])[0] ?? '') : '')
    if (kind !== 'rejected') this.#others += 1
    if (kind === 'refused') this.#row = []
    if (kind !== 'rejected' && kind !== 'refused') return undefined
    this.#lastAnswer = answerOf(result)
    if (to.isFirstTry && this.#refusals.length < maxRemembered) this.#refusals.push(to)
    if (kind === 'rejected' && this.#row.length < maxRemembered) this.#row.push(to)
    return this.#judge()
  }

  /** The reason to pause at the end of a pass with only rejections; undefined if there was any other result. */
  async onlyRejections(): Promise<Reason | undefined> {
    if (this.#others > 0 || !this.#row.some(({ isFirstTry }) => isFirstTry)) return undefined
    if (countProviders(this.#row) < 2 && !(await this.#isAllAt(emailDomains(this.#row)))) return undefined
    return { code: 'all-rejected', count: this.#row.length, reply: this.#lastAnswer }
  }

  /** The recipients of the last row of rejections, who are not at fault. */
  recipientsToRequeue(): string[] {
    return this.#row.map(({ subscriberId }) => subscriberId)
  }

  async #judge(): Promise<Reason | undefined> {
    return (await this.#rejectionsInARow()) ?? this.#rejectionsOfLast() ?? (await this.#refusalsInARow())
  }

  async #rejectionsInARow(): Promise<Reason | undefined> {
    const row = this.#row
    if (row.length < maxRejections) return undefined
    const domains = emailDomains(row)
    const inThisRow: Reason = {
      code: 'rejections-in-a-row',
      count: row.length,
      domains,
      reply: this.#lastAnswer,
    }
    if (countProviders(row) >= minProviders) return inThisRow
    return this.#isTimeToAsk(row.length, maxRejections) && (await this.#ask(domains)) ? inThisRow : undefined
  }

  #rejectionsOfLast(): Reason | undefined {
    const rejections = this.#recent.filter((domain) => domain !== '')
    const domains = [...new Set(rejections)]
    if (rejections.length < maxRejectionsOfLast || domains.length < minDomainsOfLast) return undefined
    const last = this.#recent.length
    return { code: 'rejections-of-last', count: rejections.length, last, domains, reply: this.#lastAnswer }
  }

  async #refusalsInARow(): Promise<Reason | undefined> {
    const row = this.#refusals
    if (row.length < maxRefusals) return undefined
    const inThisRow: Reason = { code: 'refusals-in-a-row', count: row.length, reply: this.#lastAnswer }
    const byProvider = Map.groupBy(row, ({ provider }) => provider).values()
    const spread = byProvider.reduce((sum, { length }) => sum + Math.min(length, maxRefusalsOfOne), 0)
    if (spread >= maxRefusals) return inThisRow
    return this.#isTimeToAsk(row.length, maxRefusals) && (await this.#ask(emailDomains(row))) ? inThisRow : undefined
  }

  #remember(domain: string): void {
    this.#recent[this.#replyCount++ % lastAnswers] = domain
  }

  /** The query reads the whole list in the worst case, so it runs only once for every `every` refusals. */
  #isTimeToAsk(length: number, every: number): boolean {
    return this.#asking !== undefined || length % every === 0
  }

  /** Runs one query at a time: a connection with another refusal waits for the same result and sends nothing more. */
  #ask(domains: string[]): Promise<boolean> {
    this.#asking ??= this.#isAllAt(domains).finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }
}

function emailDomains(row: Answered[]): string[] {
  return domainsOf(row.map(({ email }) => email))
}
