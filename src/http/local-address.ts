import { literalIp, refusalReason } from './public-address.ts'

/**
 * Whether only one machine or network can reach an address: `localhost`, a private IP address, a name without a dot, or one
 * of a local zone (RFC 6761, 6762, 8375, 9476).
 */
export function isLocalAddress(address: string): boolean {
  const url = URL.parse(address)
  if (!url || !/^https?:$/.test(url.protocol)) return false
  const ip = literalIp(url)
  if (ip !== null) return refusalReason(ip) !== null
  const host = url.hostname.replace(/\.$/, '')
  return !host.includes('.') || localZone.test(host)
}

const localZone = /\.(?:localhost|local|internal|intranet|lan|home\.arpa|alt)$/

/** Whether two local addresses are in one network: of the same host, the last two labels of it, or one IPv4 /16. */
export function isSameNetwork(one: string, other: string): boolean {
  const [ours, theirs] = [URL.parse(one), URL.parse(other)]
  if (!ours || !theirs) return false
  if (ours.hostname === theirs.hostname) return true
  const areIps = [ours, theirs].map((url) => literalIp(url) !== null)
  if (areIps[0] !== areIps[1]) return false
  const labels = (url: URL) => url.hostname.split('.')
  const zone = (url: URL) => (areIps[0] ? labels(url).slice(0, 2) : labels(url).slice(-2)).join('.')
  return zone(ours) === zone(theirs)
}
