import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { isPrivateHost, launchProblems, sendsOnlyToCatchers } from '../../src/config/launch-check.ts'
import { describeSentence } from '../../src/describe/describe.ts'
import { parseDigest } from '../../src/editions/jobs/read-job.ts'

test.each([
  ...['localhost', 'LOCALHOST.', 'pages.localhost', 'box', 'nas.local', 'news.internal', 'a.test', 'a.example'],
  ...['mail.home.arpa', 'router.lan', '127.0.0.1', '127.8.8.8', '10.0.0.1', '172.16.0.1', '172.31.255.255'],
  ...['192.168.1.20', '169.254.3.4', '100.64.0.1', '0.0.0.0', '[::1]', '::', '[fe80::1]', 'fd12:3456::1'],
  ...['[::ffff:192.168.1.20]', '192.0.2.7', '2001:db8::1'],
])('%s is an address that readers cannot reach', (host) => {
  expect(isPrivateHost(host)).toBe(true)
})

test.each(['news.harbour.net', 'localhost.harbour.net', 'local.net', '172.32.0.1', '11.0.0.1', '2606:4700::1111'])(
  '%s is one that they can reach',
  (host) => {
    expect(isPrivateHost(host)).toBe(false)
  },
)

const good = {
  publication: { site: 'https://harbour.net', contact: 'desk@harbour.net', address: '1 Quay Street\nNorthwold' },
  web: { url: 'https://news.harbour.net' },
  relay: { returnPath: undefined },
}
type Settings = Parameters<typeof launchProblems>[0]
const digest = { from: { address: 'weekly@harbour.net' } }
const problems = (change: object, of: Parameters<typeof launchProblems>[1] = digest) =>
  launchProblems({ ...good, ...change } as Settings, of).map(({ fault, setting }) => `${fault} ${setting}`)

test('settings of a publication of its own have no problem', () => {
  expect(problems({})).toEqual([])
  expect(problems({ relay: { returnPath: 'bounces@harbour.net' } }, { ...digest, replyTo: 'x@harbour.net' })).toEqual(
    [],
  )
})

test('each setting that readers would see is named once, whatever form the address has', () => {
  expect(problems({ web: { url: 'http://2130706433:3000/news' } })).toEqual(['private-address web.url'])
  expect(problems({ web: { url: 'https://www.example.org/' } })).toEqual(['sample web.url'])
  const publication = { ...good.publication, contact: 'desk@news.example.com' }
  expect(problems({ publication })).toEqual(['sample publication.contact'])
  expect(problems({ publication }, { ...digest, replyTo: publication.contact })).toEqual(['sample publication.contact'])
  expect(problems({}, { from: { address: 'weekly@example.net' }, replyTo: 'a@example.org' })).toEqual([
    'sample from.address',
    'sample replyTo',
  ])
  expect(problems({ relay: { returnPath: 'bounces@example.org' } })).toEqual(['sample relay.returnPath'])
})

test('the sample files as they are have every problem, and a sentence for each', () => {
  const config = readConfig('lastword.example.yml', {})
  const job = readFileSync('jobs/public-sector-weekly.example.yml', 'utf8')
  const found = launchProblems(config, parseDigest(job, 'public-sector-weekly.yml', 'templates'))
  expect(found.map(({ setting }) => setting)).toEqual([
    ...['web.url', 'publication.site', 'publication.contact', 'publication.address', 'from.address'],
  ])
  for (const problem of found) expect(describeSentence({ code: 'setting', ...problem })).toMatch(/^[\w.]+ is .*: .*\.$/)
})

test('a relay on this machine may deliver; only a mail catcher with a private address never does', () => {
  const relays = (...hosts: [string, boolean][]) => {
    const [relay, ...others] = hosts.map(([host, catcher]) => ({ host, catcher }))
    return { relay, relays: others } as unknown as Parameters<typeof sendsOnlyToCatchers>[0]
  }
  expect(sendsOnlyToCatchers(relays(['localhost', false]))).toBe(false)
  expect(sendsOnlyToCatchers(relays(['127.0.0.1', true], ['localhost', false]))).toBe(false)
  expect(sendsOnlyToCatchers(relays(['localhost', true], ['mailpit', true], ['::1', true]))).toBe(true)
  expect(sendsOnlyToCatchers(relays(['localhost', true], ['smtp.harbour.net', true]))).toBe(false)
})
