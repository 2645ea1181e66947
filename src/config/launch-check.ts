import { BlockList, isIP } from 'node:net'
import { type Config, relaysOf } from './config.ts'

/** The place of a setting: a path in `lastword.yml`, or in the job file of the digest. */
export type SettingPlace = { file: 'config' | 'job'; path: string[] }

/**
 * A value that must not be sent to subscribers. `private-address`: readers cannot reach it, so no unsubscribe link would
 * work; `sample`: it is still that of the sample files (`example.org`, RFC 2606).
 */
export type LaunchProblem = SettingPlace & { fault: 'private-address' | 'sample'; setting: string; value: string }

/** The publisher's data in an email: from the settings, or from the sealed bytes. */
export type Imprint = {
  webUrl: string
  site: string
  contact: string
  address: string
  from: string
  replyTo?: string | undefined
  returnPath?: string | undefined
}

type DigestSender = { from: { address: string }; replyTo?: string | undefined }

/**
 * Whether every relay is a mail catcher (`relay.catcher`), as in the demo and in tests, so that no message reaches a
 * person. A relay on a public address never counts as one; a relay on this machine, such as Postfix, may deliver.
 */
export function sendsOnlyToCatchers(config: Pick<Config, 'relay' | 'relays'>): boolean {
  return relaysOf(config).every(({ catcher, host }) => catcher && isPrivateHost(host))
}

/** The settings that must be changed before an edition of the digest is sent. */
export function launchProblems(
  config: Pick<Config, 'publication' | 'web' | 'relay'>,
  digest: DigestSender,
): LaunchProblem[] {
  const { publication, web, relay } = config
  const { site, contact, address } = publication
  return imprintProblems({
    webUrl: web.url,
    site,
    contact,
    address,
    from: digest.from.address,
    replyTo: digest.replyTo,
    returnPath: relay.returnPath,
  })
}

/** The problems of an imprint. `returnPath` and `replyTo` count only if they differ from the contact address. */
export function imprintProblems(imprint: Imprint): LaunchProblem[] {
  const { webUrl, site, contact, address, from, replyTo, returnPath } = imprint
  const unlessContact = (mailbox: string | undefined) => (mailbox === contact ? undefined : mailbox)
  const url = hostOf(webUrl)
  return [
    ...(isPrivateHost(url) ? [problem('private-address', webUrl, 'config', 'web', 'url')] : []),
    ...(isSampleHost(url) ? [problem('sample', webUrl, 'config', 'web', 'url')] : []),
    ...(isSampleHost(hostOf(site)) ? [problem('sample', site, 'config', 'publication', 'site')] : []),
    ...(isSampleMailbox(contact) ? [problem('sample', contact, 'config', 'publication', 'contact')] : []),
    ...(isSampleAddress(address) ? [problem('sample', firstLine(address), 'config', 'publication', 'address')] : []),
    ...(isSampleMailbox(unlessContact(returnPath))
      ? [problem('sample', `${returnPath}`, 'config', 'relay', 'returnPath')]
      : []),
    ...(isSampleMailbox(from) ? [problem('sample', from, 'job', 'from', 'address')] : []),
    ...(isSampleMailbox(unlessContact(replyTo)) ? [problem('sample', `${replyTo}`, 'job', 'replyTo')] : []),
  ]
}

function problem(
  fault: LaunchProblem['fault'],
  value: string,
  file: SettingPlace['file'],
  ...path: string[]
): LaunchProblem {
  return { fault, setting: path.join('.'), value, file, path }
}

/** Whether only this machine or its network can reach the host, which is a name, or an IP address with or without brackets. */
export function isPrivateHost(host: string): boolean {
  const name = bareHost(host)
  const version = isIP(name)
  if (version !== 0) return privateAddresses.check(name, version === 4 ? 'ipv4' : 'ipv6')
  return !name.includes('.') || privateDomains.some((domain) => isWithin(name, domain))
}

/** Whether the host is in an example domain (RFC 2606 §3), which the sample files use. */
function isSampleHost(host: string): boolean {
  return ['example.com', 'example.net', 'example.org'].some((domain) => isWithin(bareHost(host), domain))
}

function isSampleMailbox(mailbox: string | undefined): boolean {
  return mailbox !== undefined && isSampleHost(mailbox.slice(mailbox.lastIndexOf('@') + 1))
}

/** The start of the sample's postal address, also on one line as in an email. */
const sampleAddress = /\bExample Publishing Ltd\W+1 Market Street\b/i

function isSampleAddress(address: string): boolean {
  return sampleAddress.test(address)
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? ''
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : url
}

function bareHost(host: string): string {
  return host
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase()
}

function isWithin(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`)
}

/** Domains that are not in the public DNS: RFC 2606 §2, RFC 6761, RFC 6762 §3, RFC 8375, `internal` (ICANN, 2024), and those of home routers. */
const privateDomains = [
  ...['localhost', 'local', 'internal', 'test', 'example', 'invalid', 'home.arpa'],
  ...['lan', 'home', 'corp', 'intranet', 'localdomain'],
]

/** Loopback, private, link-local, shared (RFC 6598), unspecified, documentation, benchmarks; in IPv6 the same. */
const privateAddresses = blockList([
  ...['127.0.0.0/8', '::1/128', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '100.64.0.0/10'],
  ...['0.0.0.0/8', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '198.18.0.0/15', '224.0.0.0/3'],
  ...['::/128', 'fe80::/10', 'fec0::/10', 'fc00::/7', 'ff00::/8', '2001:db8::/32'],
])

/** IPv4 inside IPv6 (`::ffff:10.0.0.1`) is checked as IPv4. */
function blockList(subnets: string[]): BlockList {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [address = '', bits] = subnet.split('/')
    list.addSubnet(address, Number(bits), isIP(address) === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}
