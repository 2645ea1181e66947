import { relaySetting } from '../../config/config.ts'
import { AppError, messageOf } from '../../errors.ts'
import { oneLine } from '../reply-rules/reply-text.ts'
import type { RelaySettings } from './relay-settings.ts'

/** The values that settings should have, by their names in `relay` or one of `relays`. */
export type Change = Record<string, string | number | boolean>

/** Why there is no connection to the relay: one sentence, with the setting to change if there is one. */
export class ConnectError extends AppError {
  readonly change: Change | undefined

  constructor(message: string, { change, cause }: { change?: Change | undefined; cause?: unknown } = {}) {
    super('unavailable', message, { cause })
    this.name = 'ConnectError'
    this.change = change
  }
}

/** The error fields of nodemailer, Node and OpenSSL. `code` is nodemailer's, `originalCode` is Node's. */
type ClientError = {
  code?: string
  originalCode?: string
  timeoutType?: string
  command?: string
  response?: string
  reason?: string
  cert?: { subject?: { CN?: string | string[] }; subjectaltname?: string }
}

type Explanation = string | { message: string; change: Change } | undefined
/** The progress before a failure: whether TCP was connected, and whether the relay had sent anything. */
export type Progress = { isConnected: boolean; isGreeted: boolean }

type Explain = (error: ClientError, settings: RelaySettings, progress: Progress) => Explanation

/**
 * Explains a failure of connecting, securing or signing in, in one sentence without the messages of OpenSSL or Node.
 */
export function explainConnectError(cause: unknown, settings: RelaySettings, progress: Progress): AppError {
  if (cause instanceof AppError) return cause
  const error = (cause instanceof Error ? cause : {}) as ClientError
  for (const explain of explanations) {
    const found = explain(error, settings, progress)
    if (typeof found === 'string') return new ConnectError(found, { cause })
    if (found) return new ConnectError(found.message, { change: found.change, cause })
  }
  return new ConnectError(oneLine(messageOf(cause)), { cause })
}

/** The relay waits for a TLS handshake while we wait for its greeting. */
export function speaksTls(settings: RelaySettings): ConnectError {
  const change = { security: 'tls' }
  const setting = relaySetting(settings, 'security')
  return new ConnectError(`this port speaks TLS from the first byte: set ${setting}: tls`, { change })
}

/** The relay offers no STARTTLS, so the connection would not be encrypted. */
export function noStartTls(settings: RelaySettings): ConnectError {
  const [host, security] = [relaySetting(settings, 'host'), relaySetting(settings, 'security')]
  return new ConnectError(
    `it offers no STARTTLS on this port, so nothing would be encrypted: check ${host} and ${relaySetting(settings, 'port')} (587 as a rule); only for a relay on this machine or network set ${security}: none`,
  )
}

/** The server answers in a protocol other than SMTP. */
export function notSmtp(said: string, settings: RelaySettings): ConnectError {
  const words = printable(said)
  return new ConnectError(`the server on this port is no SMTP server, it says "${words}": ${checkPort(settings)}`)
}

const checkPort = (settings: RelaySettings) =>
  `check ${relaySetting(settings, 'host')} and ${relaySetting(settings, 'port')}`

function printable(text: string): string {
  return oneLine(text.replace(/[^\x20-\x7e\n]+/g, '?').trim()).slice(0, 100)
}

const codeOf = ({ originalCode, code }: ClientError) => originalCode ?? code ?? ''

const lookUp: Explain = (error, settings) => {
  const { host } = settings
  if (/^(ENOTFOUND|ENODATA|EAI_NODATA|EAI_NONAME|ENONAME)$/.test(codeOf(error)))
    return `there is no host ${host}: check ${relaySetting(settings, 'host')}`
  if (error.code === 'EDNS' || /^EAI_/.test(codeOf(error)))
    return `DNS gives no answer about ${host}: try again, or check ${relaySetting(settings, 'host')}`
  return undefined
}

const network: Explain = (error, settings) => {
  const { port } = settings
  switch (codeOf(error)) {
    case 'ECONNREFUSED':
      return `the connection is refused (ECONNREFUSED), nothing listens on port ${port} there: ${checkPort(settings)}`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return `this host cannot be reached (${codeOf(error)}): check ${relaySetting(settings, 'host')} and the network`
  }
  return undefined
}

const timeLimit: Explain = (error, settings, { isConnected, isGreeted }) => {
  const { timeout, port, security } = settings
  switch (error.timeoutType) {
    case 'CONNECT_TIMEOUT':
      return isConnected && security === 'tls'
        ? `no answer to the TLS handshake in ${timeout} s: ${checkPort(settings)}, and whether the port speaks TLS from the first byte`
        : `no connection to port ${port} in ${timeout} s: ${checkPort(settings)}, and whether a firewall or your provider blocks the port`
    case 'GREETING_TIMEOUT':
      return noGreeting(settings)
    case 'UPGRADE_TIMEOUT':
      return `it offers STARTTLS and does not finish the TLS handshake in ${timeout} s`
    case 'SOCKET_TIMEOUT':
      return isGreeted ? `no answer in ${timeout} s while connecting` : noGreeting(settings)
  }
  return undefined
}

const noGreeting = (settings: RelaySettings) =>
  `it takes the connection and gives no SMTP greeting in ${settings.timeout} s: ${checkPort(settings)}`

const selfSigned = /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)$/
const unknownIssuer =
  /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|CERT_UNTRUSTED|INVALID_CA)$/

const certificate: Explain = (error, settings) => {
  const code = codeOf(error)
  const ca = relaySetting(settings, 'ca')
  if (selfSigned.test(code))
    return `its certificate is self-signed, or from an own CA: if you trust it, set ${ca} to a PEM file of that certificate`
  if (unknownIssuer.test(code))
    return `its certificate is signed by a CA that this machine does not trust: set ${ca} to a PEM file of that CA`
  if (code === 'CERT_HAS_EXPIRED')
    return 'its certificate has expired: it has to be renewed there (or the clock of this machine is wrong)'
  if (code === 'CERT_NOT_YET_VALID')
    return 'its certificate is not valid yet: the clock of this machine, or of the one that made it, is wrong'
  if (code === 'CERT_REVOKED') return 'its certificate has been revoked: it has to be replaced there'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return wrongName(error, settings)
  return undefined
}

function wrongName({ cert }: ClientError, settings: RelaySettings): Explanation {
  const expected = settings.tlsServerName ?? settings.host
  const setting = relaySetting(settings, 'tlsServerName')
  const names = namesIn(cert).slice(0, 5)
  if (names.length === 0)
    return `its certificate is not for ${expected}, and names no host: it has to be replaced there`
  const which = names.length > 1 ? 'one of these names' : names[0]
  return `its certificate is for ${names.join(', ')} and not for ${expected}: set ${setting} to ${which}, if that is your relay`
}

function namesIn(cert: ClientError['cert']): string[] {
  const alternative = [...(cert?.subjectaltname ?? '').matchAll(/(?:DNS|IP Address):([^\s,]+)/g)].map(
    ([, name]) => name,
  )
  const names = alternative.length > 0 ? alternative : [cert?.subject?.CN].flat()
  return names.filter((name) => name !== undefined).map(printable)
}

/** The first bytes of the answer are not a TLS record. */
const noTls = /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_TOO_SMALL|HTTP_REQUEST|UNEXPECTED_MESSAGE)$/
const oldTls = /^ERR_SSL_.*(UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|WRONG_SSL_VERSION|ALERT_PROTOCOL_VERSION)$/
const tooWeak =
  /^ERR_SSL_.*(ALERT_HANDSHAKE_FAILURE|INSUFFICIENT_SECURITY|NO_SHARED_(CIPHER|GROUP)|KEY_TOO_SMALL|MD_TOO_WEAK)$/

const handshake: Explain = (error, settings, { isConnected }) => {
  const code = codeOf(error)
  if (noTls.test(code))
    return settings.security === 'tls' ? speaksPlain(settings) : 'it offers STARTTLS, and then does not speak TLS'
  if (oldTls.test(code))
    return 'it speaks only versions of TLS before 1.2, which are not safe: TLS has to be updated there'
  if (tooWeak.test(code)) return 'its keys or ciphers for TLS are too weak to be used: TLS has to be updated there'
  if (/^(ECONNRESET|EPIPE)$/.test(code) && settings.security === 'tls' && isConnected)
    return `it closed the connection in the TLS handshake: if the port does not speak TLS from the first byte, set ${relaySetting(settings, 'security')}: starttls`
  if (/^ERR_(SSL|TLS)_|^EPROTO$/.test(code)) return `the TLS handshake failed: ${printable(error.reason ?? code)}`
  return undefined
}

function speaksPlain(settings: RelaySettings): Explanation {
  return {
    message: `this port does not speak TLS from the first byte: set ${relaySetting(settings, 'security')}: starttls`,
    change: { security: 'starttls' },
  }
}

const replies: Explain = ({ command = '', response }, settings) => {
  if (response === undefined) return undefined
  if (!/^\d{3}([ -]|$)/.test(response)) return notSmtp(response, settings).message
  const reply = oneLine(response)
  if (command === 'STARTTLS') return `it offers STARTTLS and cannot do it now: ${reply}`
  if (command.startsWith('AUTH')) return refusedSignIn(reply, settings)
  return command === 'CONN' ? `it greets us with ${reply}` : `it answered ${command} with ${reply}`
}

function refusedSignIn(reply: string, settings: RelaySettings): string {
  if (reply.startsWith('4')) return `it cannot sign us in now: ${reply}`
  const ways = settings.oauth2 ? 'oauth2' : 'password'
  return `it refused the sign-in: ${reply}: check ${relaySetting(settings, 'user')} and ${relaySetting(settings, ways)}`
}

const closed: Explain = (error, _, { isConnected }) => {
  const isClosed = /^(ECONNRESET|EPIPE|ECONNABORTED)$/.test(codeOf(error)) || error.code === 'ECONNECTION'
  return isClosed ? `it closed the connection${isConnected ? ' before we were signed in' : ' at once'}` : undefined
}

const explanations: Explain[] = [lookUp, network, timeLimit, certificate, handshake, replies, closed]
