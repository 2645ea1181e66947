import { lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Thrown when a host name resolves to an address that is not public. */
export class AddressRefused extends Error {}

/** Why an IP address may not be fetched from, for a person; null if it is public. */
export function refusalReason(address: string): string | null {
  if (!ipaddr.isValid(address)) return `${address} is not an address`
  const parsed = ipaddr.parse(address)
  const range = parsed.range()
  if (range === 'unicast' && parsed.kind() === 'ipv6' && !parsed.match(globalUnicast))
    return `${address} is not a public address (IPv6 outside of 2000::/3)`
  return range === 'unicast' ? null : `${address} is not a public address (${rangeNames[range] ?? range})`
}

/** Global unicast (RFC 4291 §2.4); `::7f00:1`, an old form of 127.0.0.1, is not in it. */
const globalUnicast = ipaddr.parseCIDR('2000::/3')

/** The ports of other protocols: the “bad ports” of the Fetch Standard, and Redis. A request could be a command to them. */
export function isUnsafePort({ port }: URL): boolean {
  return unsafePorts.has(Number(port))
}

const unsafePorts = new Set([
  1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
  111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
  540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
  6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080, 6379,
])

/** The IP address in a URL, `127.0.0.1` or `::1`, or null if it has a host name. */
export function literalIp(url: URL): string | null {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return ipaddr.isValid(host) ? host : null
}

/** Whether `allow` has the URL's `host` or `host:port`. */
export function isAllowed(url: URL, allow: string[]): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const bare = url.hostname.replace(/^\[|\]$/g, '')
  const names = [url.hostname, bare, `${url.hostname}:${port}`]
  return allow.some((entry) => names.includes(entry.trim().toLowerCase()))
}

/**
 * The DNS lookup of a connection. It checks the addresses that are then connected to, which prevents DNS rebinding; one
 * address that is not public refuses the name with AddressRefused.
 */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, [])
    const refused = addresses.map(({ address }) => refusalReason(address)).find((reason) => reason !== null)
    if (refused)
      return callback(new AddressRefused(`${hostname} resolves to an address we do not fetch from: ${refused}`), [])
    const first = addresses[0]
    if (!first) return callback(new Error(`${hostname} has no address`), [])
    return options.all ? callback(null, addresses) : callback(null, first.address, first.family)
  })
}

const rangeNames: Record<string, string> = {
  loopback: 'this machine itself',
  private: 'a private network',
  linkLocal: 'link-local',
  uniqueLocal: 'a private network',
  carrierGradeNat: 'inside a provider’s network',
  unspecified: 'unspecified',
  ipv4Mapped: 'IPv4 inside IPv6',
  rfc6052: 'IPv4 inside IPv6',
}
