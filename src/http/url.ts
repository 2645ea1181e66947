import { maxLength } from '../config/field-limits.ts'

/**
 * The absolute URL without a user name or password, or null if there is none or it is longer than `maxLength.address`. An
 * absolute URL stays as its publisher wrote it.
 */
export function absoluteUrl(address: string, base: string): string | null {
  const url = address.length > maxLength.address ? null : resolveWithoutCredentials(address, base)
  return url !== null && url.length <= maxLength.address ? url : null
}

/** Whether the address is a web address that is too long. */
export function isUrlTooLong(address: string, base: string): boolean {
  if (address.length > maxLength.address) return !isUnsafeUrl(address)
  return (resolveWithoutCredentials(address, base)?.length ?? 0) > maxLength.address
}

function resolveWithoutCredentials(address: string, base: string): string | null {
  const url = resolveUrl(address, base)
  return url && withoutCredentials(url)
}

/**
 * Removes user name and password: `https://bank.example@evil.example/` looks like bank.example and leads to evil.example,
 * and programs disagree about `bank.example\\@evil.example` (RFC 3986 §7.6).
 */
export function withoutCredentials(address: string): string {
  const authority = /^https?:\/\/([^/?#]*)/i.exec(address)?.[1] ?? ''
  const url = /[@\\]/.test(authority) ? URL.parse(address) : null
  if (!url) return address
  url.username = ''
  url.password = ''
  return url.href
}

function resolveUrl(address: string, base: string): string | null {
  if (completeUrl.test(address) && URL.canParse(address)) return address
  const text = address
    .replace(/[\r\n\t]+\s*/g, '')
    .replaceAll('&amp;', '&') // escaped twice
    .trim()
  if (/^https?:\/\/[^\s<>"\\^`{|}/]\S*$/i.test(text) && URL.canParse(text))
    return text.replace(/^[A-Z]+/i, (scheme) => scheme.toLowerCase())
  if (text === '' || isUnsafeUrl(text)) return null
  const hosted = withScheme(text, base)
  if (/^[a-z][a-z\d+.-]*:/i.test(hosted) && !/^https?:/i.test(hosted)) return null
  return URL.parse(hosted, base)?.href ?? null
}

/** An absolute URL that needs no change, as most are. */
const completeUrl = /^https?:\/\/[^\s<>"\\^`{|}/&][^\s&]*$/

/** Adds a missing scheme: to `www.harbour.example`, and to `harbour.example/a` on that host. */
function withScheme(text: string, base: string): string {
  if (/^www\.[\w-]+\.\w/i.test(text)) return `http://${text}`
  const host = /^(https?:)\/\/([^/?#]+)/i.exec(base)
  return host && text.toLowerCase().startsWith(`${host[2]}/`.toLowerCase()) ? `${host[1]}//${text}` : text
}

/** Adds a missing scheme to the address of a feed's site: `harbour.example` is hardly a relative path. */
export function withSiteScheme(address: string): string {
  const bare = address.length > maxLength.address ? '' : address.trim()
  return bareHost.test(bare) && !fileName.test(bare) ? `http://${bare}` : address
}

const bareHost = /^(?:[a-z\d][a-z\d-]*\.)+[a-z]{2,20}(?:\/|$)/i
const fileName = /^[^/]+\.(?:[sx]?html?|php\d?|aspx?|jsp|cgi|cfm|xml|rss|rdf|atom|json|txt)(?:\/|$)/i

/** Like `absoluteUrl`, but only http and https. */
export function httpUrl(address: string, base: string): string | null {
  const url = absoluteUrl(address, base)
  return url && /^https?:/i.test(url) ? url : null
}

/** Whether a link runs code, contains its page, or reads from the reader's computer. */
export function isUnsafeUrl(address: string): boolean {
  return unsafeScheme.test(address.slice(0, 100).replace(ignoredCharacters, ''))
}

const unsafeScheme = /^(?:javascript|vbscript|data|file|blob|about|view-source|chrome|jar):/i
// biome-ignore lint/suspicious/noControlCharactersInRegex: browsers ignore them inside "java\nscript:"
const ignoredCharacters = /[\u0000-\u0020]+/g

/** Resolves a chain of xml:base values, outermost first. Invalid values are ignored. */
export function resolveBase(bases: string[], start: string): string {
  let base = start
  for (const step of bases) {
    const next = absoluteUrl(step, base)
    if (next) base = next
  }
  return base
}

/**
 * Whether an address is on another site than its feed, as behind a feed proxy or a shortener. `siteUrl` is the site or the
 * address of the feed; `www.` and subdomains do not count.
 */
export function isOffSite(address: string, siteUrl: string): boolean {
  const [one, other] = [hostWithoutWww(address), hostWithoutWww(siteUrl)]
  return one !== other && !one.endsWith(`.${other}`) && !other.endsWith(`.${one}`)
}

/** The host of an address, or the text itself if it is no address. */
export function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).hostname : address
}

/** The host of an address without `www.`, or empty. */
export function hostWithoutWww(address: string): string {
  return URL.canParse(address) ? new URL(address).hostname.replace(/^www\./, '') : ''
}
