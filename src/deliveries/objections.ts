import type { SendResult } from './delivery.ts'

export type Objections = {
  /**
   * Hears the answer to one message. Returns, in words for a person, what there is against us, once it is enough;
   * undefined for nearly all, and then at once, without a promise.
   */
  hear(result: SendResult, to: { subscriberId: string; email: string }): undefined | Promise<string | undefined>
  /** The same at the end of a pass that brought nothing but refusals about us. */
  nothingElse(): string | undefined
  /** Whose copies were refused in the last row, through no fault of theirs. */
  blameless(): string[]
}

/** So many in a row … */
const inARow = 10
/** … from so many domains: one alone may have something against its own people's newsletter. */
const domainsInARow = 3
/** Or such a share of the last answers, of so many domains: all that one large provider hosts, among others that take it. */
const lastAnswers = 100
const share = 30
const domainsInShare = 10
/** Or, whatever the words are about, so many refusals in a row: nobody has a list as bad as that, but relays break. */
const refusalsInARow = 50

const kept = 1000

/**
 * Listens for refusals that are about us and not about one person or one domain. `isAllAt` tells whether the edition
 * goes to nobody outside these domains: then they are spread as widely as they can be.
 */
export function openObjections(isAllAt: (domains: string[]) => Promise<boolean>): Objections {
  let row: { subscriberId: string; domain: string }[] = []
  let last = ''
  let refusals = 0
  let others = 0
  const recent: string[] = [] // the domain of each refusal about us, or nothing, going round
  let heard = 0
  let asking: Promise<boolean> | undefined

  const objection = (what: string) => `${what}; the last answer: ${last}`

  async function judge(): Promise<string | undefined> {
    const domains = [...new Set(row.map(({ domain }) => domain))]
    const inThisRow = objection(`${row.length} refusals in a row that are about us, from ${listed(domains)}`)
    if (row.length >= inARow && domains.length >= domainsInARow) return inThisRow
    if (row.length >= inARow && (asking || row.length % inARow === 0) && (await ask(domains))) return inThisRow
    const against = recent.filter((domain) => domain !== '')
    const spread = [...new Set(against)]
    if (against.length >= share && spread.length >= domainsInShare)
      return objection(`${against.length} of the last ${recent.length} answers are about us, from ${listed(spread)}`)
    if (refusals >= refusalsInARow) return objection(`${refusals} refusals in a row, and nothing taken between`)
    return undefined
  }

  /** One question at a time: who hears of a refusal meanwhile waits for the answer with it, and sends nothing more. */
  function ask(domains: string[]): Promise<boolean> {
    asking ??= isAllAt(domains).finally(() => {
      asking = undefined
    })
    return asking
  }

  return {
    hear({ kind, reply }, { subscriberId, email }) {
      if (kind === 'unsent' || kind === 'cut' || kind === 'unknown') return undefined // that is the connection's
      const isAboutUs = kind === 'rejected'
      const domain = isAboutUs ? email.slice(email.lastIndexOf('@') + 1).toLowerCase() : ''
      recent[heard++ % lastAnswers] = domain
      if (!isAboutUs) others += 1
      if (kind === 'accepted' || kind === 'refused') row = []
      refusals = kind === 'rejected' || kind === 'refused' ? refusals + 1 : kind === 'accepted' ? 0 : refusals
      if (kind !== 'rejected' && kind !== 'refused') return undefined
      last = reply
      if (isAboutUs && row.length < kept) row.push({ subscriberId, domain })
      return judge()
    },
    nothingElse() {
      if (others > 0 || row.length === 0) return undefined
      return objection(`nothing was taken, and all ${row.length} answers are about us`)
    },
    blameless: () => row.map(({ subscriberId }) => subscriberId),
  }
}

function listed(domains: string[]): string {
  const named = domains.slice(0, 3).join(', ')
  if (domains.length === 1) return `the domain ${named}`
  return `${domains.length} domains (${named}${domains.length > 3 ? ', …' : ''})`
}
