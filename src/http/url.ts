import { maxLength } from '../config/field-limits.ts'

/**
 * The address in full, http or https, without a user name or password; null where there is none, or it is longer than
 * `longest.address`. One that is whole already stays as its publisher wrote it.
 */
export function absoluteUrl(address: string, base: string): string | null {
  const url = address.length > maxLength.address ? null : resolveWithoutCredentials(address, base)
  return url !== null && url.length <= maxLength.address ? url : null
}

/** Whether it would be an address of the web if it were shorter. */
export function isUrlTooLong(address: string, base: string): boolean {
  if (address.length > maxLength.address) return !isUnsafeUrl(address)
  return (resolveWithoutCredentials(address, base)?.length ?? 0) > maxLength.address
}

function resolveWithoutCredentials(address: string, base: string): string | null {
  const url = resolveUrl(address, base)
  return url && withoutCredentials(url)
}

/**
 * `https://bank.example@evil.example/` leads to evil.example, and reads as if it did not; and `bank.example\\@evil.example`
 * is read as the one by browsers and as the other by older programs (RFC 3986 §3.2.1, §7.6).
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

/** Nothing has to be done to it, as to most. */
const completeUrl = /^https?:\/\/[^\s<>"\\^`{|}/&][^\s&]*$/

/** Whoever wrote `www.harbour.example`, or `harbour.example/a` on that host itself, forgot what stands before it. */
function withScheme(text: string, base: string): string {
  if (/^www\.[\w-]+\.\w/i.test(text)) return `http://${text}`
  const host = /^(https?:)\/\/([^/?#]+)/i.exec(base)
  return host && text.toLowerCase().startsWith(`${host[2]}/`.toLowerCase()) ? `${host[1]}//${text}` : text
}

/** The same of a feed's own site: `harbour.example`, which is hardly a page of the site that we read it from. */
export function withSiteScheme(address: string): string {
  const bare = address.length > maxLength.address ? '' : address.trim()
  return bareHost.test(bare) && !fileName.test(bare) ? `http://${bare}` : address
}

const bareHost = /^(?:[a-z\d][a-z\d-]*\.)+[a-z]{2,20}(?:\/|$)/i
const fileName = /^[^/]+\.(?:[sx]?html?|php\d?|aspx?|jsp|cgi|cfm|xml|rss|rdf|atom|json|txt)(?:\/|$)/i

/** Like `absolute`, but never a file: of pictures and films. */
export function httpUrl(address: string, base: string): string | null {
  const url = absoluteUrl(address, base)
  return url && /^https?:/i.test(url) ? url : null
}

/** A link that runs, carries its own page, or reaches into the reader's machine. */
export function isUnsafeUrl(address: string): boolean {
  return unsafeScheme.test(address.slice(0, 100).replace(ignoredCharacters, ''))
}

const unsafeScheme = /^(?:javascript|vbscript|data|file|blob|about|view-source|chrome|jar):/i
// biome-ignore lint/suspicious/noControlCharactersInRegex: browsers ignore them inside "java\nscript:"
const ignoredCharacters = /[\u0000-\u0020]+/g

/** The base that a chain of xml:base values (outermost first) makes. Nonsense in the chain changes nothing. */
export function resolveBase(bases: string[], start: string): string {
  let base = start
  for (const step of bases) {
    const next = absoluteUrl(step, base)
    if (next) base = next
  }
  return base
}

/**
 * Whether an address is on another site than its feed: behind a feed proxy, a shortener, another publisher. `siteUrl` is
 * the site that the feed names, else the feed's own address. `www.` and subdomains of the same site make no difference.
 */
export function isOffSite(address: string, siteUrl: string): boolean {
  const [one, other] = [hostWithoutWww(address), hostWithoutWww(siteUrl)]
  return one !== other && !one.endsWith(`.${other}`) && !other.endsWith(`.${one}`)
}

/** The host of an address without `www.`; empty where it is no address. */
export function hostWithoutWww(address: string): string {
  return URL.canParse(address) ? new URL(address).hostname.replace(/^www\./, '') : ''
}
