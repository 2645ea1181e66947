import { Resolver } from 'node:dns/promises'
import { second } from '../../time/clock.ts'

/**
 * Finds the mail servers of a domain (MX, RFC 5321 §5.1), preferred first; empty if it has none. Rejects if DNS does
 * not answer.
 */
export type FindMx = { find(domain: string): Promise<string[]>; close(): void }

/** Queries the system's name servers, or those given. */
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

/** Top-level names that do not exist in DNS (RFC 6761, RFC 2606). */
export function isReserved(domain: string): boolean {
  return /(^|\.)(example|test|invalid|localhost|example\.(com|net|org))$/.test(domain)
}

/** Maps a second name of a provider to its first. */
const aliases: Record<string, string> = {
  // aspmx2.googlemail.com beside aspmx.l.google.com
  'googlemail.com': 'google.com',
  // contoso-com.mail.protection.outlook.com before 2025, contoso-com.a-v1.mx.microsoft after
  'mx.microsoft': 'outlook.com',
}

/** The provider of a domain's mail, from its first mail server: `aspmx.l.google.com` gives google.com. */
export function providerOf(domain: string, hosts: string[]): string {
  const host = hosts[0]?.toLowerCase().replace(/\.$/, '')
  if (!host || !/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host)) return domain // no MX, the null MX (RFC 7505), or an invalid host name
  const labels = host.split('.')
  const provider = labels.slice(isSharedEnding(labels) ? -3 : -2).join('.')
  return aliases[provider] ?? provider
}

/** Country domains can have a public second level: co.uk, com.au, or.jp. */
function isSharedEnding(labels: string[]): boolean {
  const [second = '', country = ''] = labels.slice(-2)
  return country.length === 2 && /^(ac|co|com|edu|go|gob|gouv|gov|gv|ltd|me|ne|net|nom|or|org|plc|sch)$/.test(second)
}
