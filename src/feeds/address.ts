import { lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Thrown at connect time for a name that leads to an address of our own network. */
export class AddressRefused extends Error {}

/** Why an address may not be fetched, in words, or null if it is a public one. */
export function refusal(address: string): string | null {
  if (!ipaddr.isValid(address)) return `${address} is not an address`
  const range = ipaddr.parse(address).range()
  return range === 'unicast' ? null : `${address} is not a public address (${rangeNames[range] ?? range})`
}

/** The address a URL names itself, `127.0.0.1` or `::1`, or null if it names a host. */
export function literalAddress(url: URL): string | null {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return ipaddr.isValid(host) ? host : null
}

/** True if the configuration allows the URL's `host` or `host:port`, whatever address it has. */
export function isAllowed(url: URL, allow: string[]): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const bare = url.hostname.replace(/^\[|\]$/g, '')
  const names = [url.hostname, bare, `${url.hostname}:${port}`]
  return allow.some((entry) => names.includes(entry.trim().toLowerCase()))
}

/**
 * The lookup of the connection itself: what is vetted here is what gets connected to, so that a name cannot answer
 * with a public address when asked and a private one when used (DNS rebinding). One bad address refuses the name.
 */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, [])
    const refused = addresses.map(({ address }) => refusal(address)).find((reason) => reason !== null)
    if (refused)
      return callback(new AddressRefused(`${hostname} leads to a place we do not fetch from: ${refused}`), [])
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
