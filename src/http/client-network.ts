import { isIP } from 'node:net'
import ipaddr, { type IPv4, type IPv6 } from 'ipaddr.js'

/** Peers in these ranges are a proxy of ours: only they may name the client. */
const proxyRanges: Record<'ipv4' | 'ipv6', string[]> = {
  ipv4: ['loopback', 'private'],
  ipv6: ['loopback', 'uniqueLocal', 'linkLocal'],
}

/**
 * The network of a client: its IPv4 address, or the first 64 bits of its IPv6 address. Behind a proxy on a private
 * address, the client is the last entry of `X-Forwarded-For`, which that proxy wrote.
 */
export function clientNetwork(peer: string, forwardedFor: string | undefined): string {
  const direct = parseIp(peer)
  if (!direct) return peer
  const isProxy = proxyRanges[direct.kind()].includes(direct.range())
  const forwarded = isProxy ? parseIp(forwardedFor?.split(',').at(-1)?.trim() ?? '') : undefined
  return networkOf(forwarded ?? direct)
}

/** IPv4 inside IPv6, `::ffff:192.0.2.1`, as IPv4 (RFC 4291 §2.5.5.2). */
function parseIp(address: string): IPv4 | IPv6 | undefined {
  return isIP(address) === 0 ? undefined : ipaddr.process(address)
}

function networkOf(address: IPv4 | IPv6): string {
  if (!('parts' in address)) return address.toString()
  const groups = address.parts.slice(0, 4)
  return groups.map((group) => group.toString(16)).join(':')
}
