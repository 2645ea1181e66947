import { isAllowed, isUnsafePort, literalIp, refusalReason } from './public-address.ts'

/** In characters. */
const maxUrlLength = 8000

/** The URL, or the reason why it may not be fetched. `allow`: hosts that may have private addresses. */
export function acceptableUrl(address: string, allow: string[]): URL | string {
  if (address.length > maxUrlLength) return `an address with more than ${maxUrlLength} characters is not fetched`
  if (!URL.canParse(address)) return `"${address.slice(0, 200)}" is not an address`
  const url = new URL(address)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return `only http and https are fetched, not ${url.protocol}`
  if (url.username || url.password) return 'an address may not hold a name or password'
  if (isAllowed(url, allow)) return url
  if (isUnsafePort(url))
    return `port ${url.port} belongs to another protocol than HTTP; allow ${url.host} in feeds.allow if it is right`
  const ip = literalIp(url)
  return ip === null ? url : (refusalReason(ip) ?? url)
}
