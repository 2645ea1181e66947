import { Resolver } from 'node:dns/promises'
import { knownProviders, saveProviders } from '../../store/limits/providers.ts'
import type { Db } from '../../store/schema.ts'
import { addMs, type Clock, day, hour, second } from '../../time/clock.ts'

/** Finds the mail servers of a domain (MX, RFC 5321 §5.1), the preferred first; none if it has none. Rejects when DNS does not answer. */
export type FindMx = { find(domain: string): Promise<string[]>; close(): void }

/** Who takes the mail of a domain. */
export type Providers = {
  /** By what is known now; undefined: the domain itself, for all we know. */
  of(domain: string): string | undefined
  /** Looks in the store for these domains, and asks DNS behind our back for those that are not there. */
  meet(domains: string[]): Promise<void>
  /** Waits until DNS has answered for these domains, or so many milliseconds. */
  settle(domains: string[], milliseconds: number): Promise<void>
  /** Hears of each domain whose provider is another one than itself. */
  onFound(listener: (domain: string, provider: string) => void): void
  save(): Promise<void>
  close(): void
}

/** So long an answer is believed … */
const kept = day
/** … and so long no answer. */
const silence = hour
const mostRemembered = 20_000
const mostWaiting = 2000
const atOnce = 8
/** After so many questions in a row without an answer there is no DNS. */
const mostSilent = 5

type Needs = { db: Db; clock: Clock; findMx?: FindMx | undefined }

/** Without `findMx` nobody is asked: each domain is its own provider. */
export function openProviders({ db, clock, findMx }: Needs): Providers {
  const remembered = new Map<string, string>()
  const fresh = new Map<string, string>()
  const waiting = new Map<string, Promise<void>>()
  const listeners: ((domain: string, provider: string) => void)[] = []
  const queue: (() => void)[] = []
  let busy = 0
  let silent = 0
  let rememberedUntil = addMs(clock.now(), silence)

  function remember(domain: string, provider: string): void {
    if (remembered.size >= mostRemembered) remembered.clear()
    remembered.set(domain, provider)
    if (provider !== domain) for (const listener of listeners) listener(domain, provider)
  }

  async function ask(domain: string, { find }: FindMx): Promise<void> {
    if (busy >= atOnce) await new Promise<void>((resolve) => queue.push(resolve))
    busy += 1
    try {
      if (silent >= mostSilent) return // no DNS: it is left alone for a while
      const provider = providerOf(domain, await find(domain))
      silent = 0
      remember(domain, provider)
      fresh.set(domain, provider)
    } catch {
      silent += 1
      remember(domain, domain)
    } finally {
      busy -= 1
      waiting.delete(domain)
      queue.shift()?.()
    }
  }

  async function meet(domains: string[]): Promise<void> {
    if (!findMx) return
    if (clock.now() >= rememberedUntil) {
      remembered.clear()
      silent = 0
      rememberedUntil = addMs(clock.now(), silence)
    }
    const unknown = [...new Set(domains)].filter(
      (domain) => !remembered.has(domain) && !waiting.has(domain) && !isMadeUp(domain),
    )
    if (unknown.length === 0) return
    const found = await knownProviders(db, unknown, addMs(clock.now(), -kept))
    for (const [domain, provider] of found) remember(domain, provider)
    for (const domain of unknown) {
      if (found.has(domain) || waiting.size >= mostWaiting || silent >= mostSilent) continue
      waiting.set(domain, ask(domain, findMx))
    }
  }

  return {
    of: (domain) => remembered.get(domain),
    meet,
    async settle(domains, milliseconds) {
      await meet(domains)
      const asked = domains.flatMap((domain) => waiting.get(domain) ?? [])
      if (asked.length === 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, milliseconds)
      await Promise.race([Promise.all(asked), promise])
      clearTimeout(timer)
    },
    onFound: (listener) => void listeners.push(listener),
    async save() {
      const found = new Map(fresh)
      fresh.clear()
      if (found.size > 0) await saveProviders(db, found, clock.now())
    },
    close: () => findMx?.close(),
  }
}

/** Asks the name servers of this machine, or those named. */
export function dnsMx(servers?: string[]): FindMx {
  const resolver = new Resolver({ timeout: 2 * second, tries: 1 })
  if (servers) resolver.setServers(servers)
  return {
    async find(domain) {
      try {
        const answers = await resolver.resolveMx(domain)
        return answers.sort((a, b) => a.priority - b.priority).map(({ exchange }) => exchange)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'ENOTFOUND' || code === 'ENODATA') return []
        throw error
      }
    },
    close: () => resolver.cancel(),
  }
}

/** Names that are in no DNS (RFC 6761, RFC 2606). */
function isMadeUp(domain: string): boolean {
  return /(^|\.)(example|test|invalid|localhost|example\.(com|net|org))$/.test(domain)
}

/** Two names of one house. */
const aliases: Record<string, string> = {
  // aspmx2.googlemail.com beside aspmx.l.google.com
  'googlemail.com': 'google.com',
  // contoso-com.mail.protection.outlook.com before 2025, contoso-com.a-v1.mx.microsoft after
  'mx.microsoft': 'outlook.com',
}

/** Who takes the mail of the domain, by the name of its first mail server: `aspmx.l.google.com` is google.com. */
export function providerOf(domain: string, hosts: string[]): string {
  const host = hosts[0]?.toLowerCase().replace(/\.$/, '')
  if (!host || !/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host)) return domain // none, the null MX (RFC 7505), or no host name
  const labels = host.split('.')
  const house = labels.slice(isSharedEnding(labels) ? -3 : -2).join('.')
  return aliases[house] ?? house
}

/** Under a country there may be a second level that belongs to nobody: co.uk, com.au, or.jp. */
function isSharedEnding(labels: string[]): boolean {
  const [second = '', country = ''] = labels.slice(-2)
  return country.length === 2 && /^(ac|co|com|edu|go|gob|gouv|gov|gv|ltd|me|ne|net|nom|or|org|plc|sch)$/.test(second)
}
