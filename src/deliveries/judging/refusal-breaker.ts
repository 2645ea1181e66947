import { domainsOf } from '../../mail/email-domain.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import type { Reason } from '../../store/events/reason.ts'
import { countProviders } from './spread.ts'

/** Whom an answer is about; `provider` takes their mail: by its MX where that is known, else the domain itself. */
export type Answered = { subscriberId: string; email: string; provider: string; isFirstTry: boolean }

/** So many refusals in a row that are about us … */
const maxRejections = 10
/** … from so many providers: one alone may have something against newsletters. */
const minProviders = 3
/** Or such a share of the last answers, of so many domains: all that one large provider hosts, among others that take it. */
const lastAnswers = 100
const maxRejectionsOfLast = 30
const minDomainsOfLast = 10
/** Or, whatever the words are about, so many refusals in a row: nobody has a list as bad as that, but relays break. */
const maxRefusals = 50
/** Of one provider no more of them count than this. */
const maxRefusalsOfOne = 25
const maxRemembered = 1000

/**
 * A circuit breaker for one relay and one pass: finds refusals that are about us, and not about one person or one
 * provider. People who were put off before, and are tried again, count only for rejections by several providers: those
 * who are due again are those whom somebody has refused.
 */
export class RefusalBreaker {
  readonly #isAllAt: (domains: string[]) => Promise<boolean>
  /** Rejections in a row. */
  #row: Answered[] = []
  /** Refusals of any kind in a row, of people who were never tried before. */
  #refusals: Answered[] = []
  #lastReply = ''
  #others = 0
  /** The domain of each first rejection among the last answers, '' for any other answer, going round. */
  readonly #recent: string[] = []
  #heard = 0
  #asking: Promise<boolean> | undefined

  /** `isAllAt` tells whether the edition goes to nobody outside these domains: then they are spread as widely as they can be. */
  constructor(isAllAt: (domains: string[]) => Promise<boolean>) {
    this.#isAllAt = isAllAt
  }

  /** A message was accepted: that ends every row. */
  accepted(): void {
    this.#remember('')
    this.#others += 1
    if (this.#row.length > 0) this.#row = []
    if (this.#refusals.length > 0) this.#refusals = []
  }

  /**
   * Hears the answer to one message that was not accepted. Returns what there is against us, once it is enough;
   * undefined for nearly all, and then at once, without a promise.
   */
  recordResult({ kind, reply }: SendResult, to: Answered): undefined | Promise<Reason | undefined> {
    if (kind === 'unsent' || kind === 'cut' || kind === 'unknown' || kind === 'unfit') return undefined // that is the connection's
    this.#remember(kind === 'rejected' && to.isFirstTry ? (domainsOf([to.email])[0] ?? '') : '')
    if (kind !== 'rejected') this.#others += 1
    if (kind === 'refused') this.#row = []
    if (kind !== 'rejected' && kind !== 'refused') return undefined
    this.#lastReply = reply
    if (to.isFirstTry && this.#refusals.length < maxRemembered) this.#refusals.push(to)
    if (kind === 'rejected' && this.#row.length < maxRemembered) this.#row.push(to)
    return this.#judge()
  }

  /** What there is against us at the end of a pass that brought nothing but rejections; undefined if it brought anything else. */
  async onlyRejections(): Promise<Reason | undefined> {
    if (this.#others > 0 || !this.#row.some(({ isFirstTry }) => isFirstTry)) return undefined
    if (countProviders(this.#row) < 2 && !(await this.#isAllAt(emailDomains(this.#row)))) return undefined
    return { code: 'all-rejected', count: this.#row.length, reply: this.#lastReply }
  }

  /** Whose copies were rejected in the last row, through no fault of theirs. */
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
      reply: this.#lastReply,
    }
    if (countProviders(row) >= minProviders) return inThisRow
    return this.#isTimeToAsk(row.length, maxRejections) && (await this.#ask(domains)) ? inThisRow : undefined
  }

  #rejectionsOfLast(): Reason | undefined {
    const rejections = this.#recent.filter((domain) => domain !== '')
    const domains = [...new Set(rejections)]
    if (rejections.length < maxRejectionsOfLast || domains.length < minDomainsOfLast) return undefined
    const last = this.#recent.length
    return { code: 'rejections-of-last', count: rejections.length, last, domains, reply: this.#lastReply }
  }

  async #refusalsInARow(): Promise<Reason | undefined> {
    const row = this.#refusals
    if (row.length < maxRefusals) return undefined
    const inThisRow: Reason = { code: 'refusals-in-a-row', count: row.length, reply: this.#lastReply }
    const byProvider = Map.groupBy(row, ({ provider }) => provider).values()
    const spread = byProvider.reduce((sum, { length }) => sum + Math.min(length, maxRefusalsOfOne), 0)
    if (spread >= maxRefusals) return inThisRow
    return this.#isTimeToAsk(row.length, maxRefusals) && (await this.#ask(emailDomains(row))) ? inThisRow : undefined
  }

  #remember(domain: string): void {
    this.#recent[this.#heard++ % lastAnswers] = domain
  }

  /** The question reads the whole list in the worst case: now and then is often enough. */
  #isTimeToAsk(length: number, every: number): boolean {
    return this.#asking !== undefined || length % every === 0
  }

  /** One question at a time: who hears of a refusal meanwhile waits for the answer with it, and sends nothing more. */
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
