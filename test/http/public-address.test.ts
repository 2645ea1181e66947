import type { LookupAddress } from 'node:dns'
import * as dns from 'node:dns'
import { expect, test, vi } from 'vitest'
import { AddressRefused, guardedLookup, isUnsafePort, refusalReason } from '../../src/http/public-address.ts'

vi.mock('node:dns', async (original) => ({ ...(await original<typeof dns>()), lookup: vi.fn() }))

test.each(['::7f00:1', '::a9fe:a9fe', '4000::1'])(
  '%s is outside of what IPv6 gives out, and refused for that',
  (address) => {
    expect(refusalReason(address)).toContain('2000::/3')
  },
)

test.each([25, 5060, 5061, 6379, 6667, 10080])('port %i belongs to another protocol', (port) => {
  expect(isUnsafePort(new URL(`https://magazine.example:${port}/`))).toBe(true)
})

test.each([80, 8080, 8443])('port %i may serve a feed', (port) => {
  expect(isUnsafePort(new URL(`https://magazine.example:${port}/`))).toBe(false)
})

const publicAddress = { address: '93.184.216.34', family: 4 }

test.each([
  ['the first', [{ address: '10.0.0.1', family: 4 }, publicAddress]],
  ['the second', [publicAddress, { address: '10.0.0.1', family: 4 }]],
  ['the last', [publicAddress, publicAddress, { address: '::1', family: 6 }]],
])('a name is refused if %s of its addresses is one of our own network', async (_, addresses) => {
  expect(await lookUp(addresses)).toBeInstanceOf(AddressRefused)
})

test('a name whose addresses are all public is connected to', async () => {
  expect(await lookUp([publicAddress, publicAddress])).toBeNull()
})

/** How the guarded lookup of a name ends, where DNS answers with these addresses. */
function lookUp(addresses: LookupAddress[]): Promise<Error | null> {
  const answer = (_: string, __: object, callback: (error: null, addresses: LookupAddress[]) => void) =>
    callback(null, addresses)
  vi.mocked(dns.lookup).mockImplementation(answer as never)
  return new Promise((resolve) => guardedLookup('magazine.example', { all: true }, (error) => resolve(error)))
}
