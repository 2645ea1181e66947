import { BlockList, isIP, isIPv4 } from 'node:net'
import { addMs, type Clock, type Instant } from '../time/clock.ts'

/** Counts the requests of each key within a sliding window of `windowMs`, in the memory of this process. */
export class RequestBudget {
  readonly #clock: Clock
  readonly #max: number
  readonly #windowMs: number
  readonly #requests = new Map<string, Instant[]>()

  constructor(clock: Clock, { max, windowMs }: { max: number; windowMs: number }) {
    this.#clock = clock
    this.#max = max
    this.#windowMs = windowMs
  }

  /** Counts a request; false, without counting it, if the key has used up its budget. */
  take(key: string): boolean {
    const now = this.#clock.now()
    const from = addMs(now, -this.#windowMs)
    for (const [other, times] of this.#requests) {
      const recent = times.filter((at) => at > from && at <= now)
      if (recent.length > 0) this.#requests.set(other, recent)
      else this.#requests.delete(other)
    }
    const times = this.#requests.get(key) ?? []
    if (times.length >= this.#max) return false
    this.#requests.set(key, [...times, now])
    return true
  }
}

/** Peers that are a proxy of ours: only they may name the client. */
const privateAddresses = new BlockList()
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  privateAddresses.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  privateAddresses.addSubnet(network, prefix, 'ipv6')

/**
 * The network of a client: its IPv4 address, or the first 64 bits of its IPv6 address. Behind a proxy on a private
 * address, the client is the last entry of `X-Forwarded-For`, which that proxy wrote.
 */
export function clientNetwork(peer: string, forwardedFor: string | undefined): string {
  const direct = withoutIpv4Prefix(peer)
  const forwarded = withoutIpv4Prefix(forwardedFor?.split(',').at(-1)?.trim() ?? '')
  const isProxied = isIP(direct) !== 0 && isIP(forwarded) !== 0
  if (!isProxied || !privateAddresses.check(direct, isIPv4(direct) ? 'ipv4' : 'ipv6')) return network(direct)
  return network(forwarded)
}

/** `::ffff:192.0.2.1` as `192.0.2.1` (RFC 4291 §2.5.5.2). */
function withoutIpv4Prefix(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}

function network(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const [left, right] = [head, tail ?? ''].map((part) => part.split(':').filter((group) => group !== ''))
  const zeros = tail === undefined ? 0 : 8 - (left?.length ?? 0) - (right?.length ?? 0)
  const groups = [...(left ?? []), ...Array<string>(Math.max(0, zeros)).fill('0'), ...(right ?? [])]
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}
