import { indexKey } from './identity.ts'

/**
 * The address for recognising an article, from any link: scheme and host in lower case; without default port, `www.` or
 * `m.`, fragment (unless it is an address), tracking parameters, `index.html` and final slash; other parameters sorted. For comparison only; text
 * that is not an address is unchanged, and an address too long for an index becomes a hash.
 */
export function canonicalAddress(address: string): string {
  return indexKey(URL.canParse(address) ? foldedAddress(address) : address)
}

function foldedAddress(address: string): string {
  const url = new URL(address)
  if (!/^#[!/]/.test(url.hash)) url.hash = '' // `#!` and `#/` begin an address that a script reads
  url.username = ''
  url.password = ''
  url.hostname = url.hostname.replace(mobileHostPrefix, '')
  for (const [name, value] of [...url.searchParams])
    if (trackingParameter.test(name) || (sourceParameter.test(name) && feedSource.test(value)))
      url.searchParams.delete(name)
  url.searchParams.sort()
  url.pathname = url.pathname
    .replace(/\/{2,}/g, '/')
    .replace(/\/index\.(?:html?|php)$/i, '/')
    .replace(/(?<=.)\/$/, '')
  const text = url.href.replace(/\?$/, '')
  return text.replace(/^http:/, 'https:') // the same page, before and after a site introduced TLS
}

/** The prefixes for the desktop and mobile versions of one site; `www.` alone is no host. */
const mobileHostPrefix = /^(?:www|m)\.(?=[^.]+\.[^.]+)/

// utm_source=…, fbclid=…, gclid=…, gbraid=…, mc_cid=…, at_medium=… (BBC), ns_campaign=…, CMP=share_btn_tw (Guardian), xtor=RSS-1
const trackingParameter =
  /^(?:(?:utm|mc|at|ns|pk|mtm|hsa|itm|wt|__hs)_.*|_hs(?:enc|mi)|fbclid|gclid|gclsrc|gbraid|wbraid|dclid|msclkid|twclid|igshid|yclid|cmp|cmpid|xtor|ocid|ftag|smid|sref|ref_src|mkt_tok|_ga|_gl|feature_source)$/i

// ref=rss, source=rss----5517fd7b58a6---4 (Medium), partner=rss&emc=rss (New York Times); but ref=main distinguishes pages
const sourceParameter = /^(?:ref|source|src|from|via|partner|emc|output)$/i
const feedSource = /^(?:rss|atom|feed)s?(?![a-z])/i

/** Whether the address is a site's front page, which is not an article. Text that is not an address counts as one. */
export function isFrontPage(address: string): boolean {
  if (!URL.canParse(address)) return true
  const { pathname, search } = new URL(address)
  return pathname === '/' && search === ''
}

/** A text without case, accents and apostrophes. */
export function folded(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/['’]/g, '')
    .toLowerCase()
}

/** The words of a title without case, accents and punctuation. Numbers are words too. */
export function titleWords(title: string): string[] {
  return folded(title).match(/[\p{L}\p{N}]+/gu) ?? []
}

/** Shorter titles, such as "Morning briefing", are shared by many stories. */
export const minTitleWords = 4

/** Equal for titles with the same words in the same order. */
export function titleKey(title: string): string {
  return indexKey(titleWords(title).join(' ') || title)
}
