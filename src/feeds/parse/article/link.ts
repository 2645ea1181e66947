import { maxLength } from '../../../config/field-limits.ts'
import { isLocalAddress, isSameNetwork } from '../../../http/local-address.ts'
import { absoluteUrl, isUnsafeUrl, isUrlTooLong } from '../../../http/url.ts'
import type { Reason } from '../../../store/events/reason.ts'
import { redirectorTarget } from './redirectors.ts'

/** The address of an article, null if its entry has none, or why a link cannot be one. */
export type EntryLink = { url: string | null } | { reason: Reason; link?: string }

/**
 * The first link that readers can follow, behind a known redirector its target. `feedUrl` decides about local addresses: a
 * feed inside a network may link to that network.
 */
export function readLink(links: string[], { base, feedUrl }: { base: string; feedUrl: string }): EntryLink {
  let problem: EntryLink | undefined
  for (const link of links) {
    const url = absoluteUrl(link, base)
    if (url === null && isUrlTooLong(link, base))
      return { reason: { code: 'link-too-long', maximum: maxLength.address }, link }
    if (url === null) continue
    const target = absoluteUrl(redirectorTarget(url), base) ?? url
    const reason = linkProblem(link, target, feedUrl)
    if (reason === null) return { url: target }
    problem ??= { reason, link }
  }
  if (problem) return problem
  return links.some(isUnsafeUrl) ? { reason: { code: 'link-not-web' } } : { url: null }
}

function linkProblem(link: string, url: string, feedUrl: string): Reason | null {
  if (hasCredentials(link) || hasCredentials(url)) return { code: 'link-with-password' }
  if (isLocalAddress(url) && !isSameNetwork(url, feedUrl)) return { code: 'link-not-public' }
  return null
}

/** `https://bank.example@evil.example/` looks like the one site and leads to the other. */
function hasCredentials(link: string): boolean {
  return /^\s*https?:[\\/]{2}[^\\/?#]*[@\\]/i.test(link)
}
