import { domainOf } from './limits/buckets.ts'

/** How widely a row of answers is spread: over which domains, as the store compares them, and over which mail providers. */
export function domainsOf(emails: string[]): string[] {
  return [...new Set(emails.map((email) => domainOf(email).toLowerCase()))]
}

export function countProviders(row: readonly { provider: string }[]): number {
  return new Set(row.map(({ provider }) => provider)).size
}
