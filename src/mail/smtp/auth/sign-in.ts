import { relaySetting } from '../../../config/config.ts'
import { readSecretFile } from '../../../config/secret-file.ts'
import { ConnectError } from '../connect-error.ts'
import type { Login } from '../nodemailer-client.ts'
import type { RelaySettings } from '../relay-settings.ts'
import { accessToken, type Tokens } from './tokens.ts'

/** `forms`: the secret in each form that is sent to the relay. */
export type Credentials = { login: { password: string } | Tokens; forms(): string[] }

/** SASL mechanisms (RFC 4422) that take a password, the preferred one first. */
const passwordMechanisms = ['PLAIN', 'LOGIN', 'CRAM-MD5']

/**
 * The password or access token of the settings; undefined without a sign-in. Loaded before we connect, so that no relay
 * waits for a token; throws AppError if there is none.
 */
export async function credentialsFor(
  settings: RelaySettings,
  tokens: Tokens | undefined,
): Promise<Credentials | undefined> {
  const { user } = settings
  if (user === undefined) return undefined
  if (tokens) {
    await accessToken(tokens)
    return { login: tokens, forms: () => tokenForms(user, tokens) } // the token may be replaced while we sign in
  }
  const password = passwordOf(settings)
  return { login: { password }, forms: () => passwordForms(user, password) }
}

/** The password in the settings, or in the file that they name. Throws if it is missing, empty or cannot be read. */
function passwordOf(settings: RelaySettings): string {
  const { password, passwordFile } = settings
  const setting = relaySetting(settings, 'passwordFile')
  const found = password ?? (passwordFile === undefined ? '' : readSecretFile(passwordFile, setting))
  if (found !== '') return found
  throw new ConnectError(`${relaySetting(settings, 'user')} is set and there is no password: set ${setting}`)
}

/**
 * How to sign in, by the mechanisms that the relay offers on this connection (RFC 4954 §3); `ehlo`: the lines of its
 * answer to EHLO. Throws ConnectError if the relay offers no mechanism that fits the settings.
 */
export function loginFor(settings: RelaySettings, ehlo: string[], secret: { password: string } | Tokens): Login {
  const user = settings.user ?? ''
  const offered = mechanismsIn(ehlo)
  if (offered.length === 0) throw noSignIn(settings, ehlo)
  if ('source' in secret) {
    if (offered.includes('XOAUTH2')) return { user, method: 'XOAUTH2', oauth2: secret.source } as Login
    throw new ConnectError(
      `the relay offers ${listed(offered)} for sign-in and no XOAUTH2: set ${relaySetting(settings, 'passwordFile')} instead of oauth2`,
    )
  }
  const method = passwordMechanisms.find((one) => offered.includes(one))
  if (method) return { user, method, credentials: { user, pass: secret.password } } as Login
  const instead = offered.includes('XOAUTH2')
    ? `set ${relaySetting(settings, 'oauth2')} instead of a password`
    : 'none of them takes a password from here'
  throw new ConnectError(`the relay offers ${listed(offered)} for sign-in: ${instead}`)
}

/** Also reads the old spelling `AUTH=PLAIN`. */
function mechanismsIn(ehlo: string[]): string[] {
  const names = ehlo.flatMap((line) => /^AUTH[ =](.*)$/i.exec(line)?.[1]?.split(/[ =]+/) ?? [])
  return [...new Set(names.map((name) => name.toUpperCase()).filter((name) => /^[A-Z0-9_-]{1,20}$/.test(name)))]
}

function noSignIn(settings: RelaySettings, ehlo: string[]): ConnectError {
  const begin = 'the relay offers no sign-in on this connection'
  const user = relaySetting(settings, 'user')
  if (settings.security === 'none' && ehlo.some((line) => /^STARTTLS$/i.test(line)))
    return new ConnectError(`${begin}, which is not encrypted: set ${relaySetting(settings, 'security')}: starttls`, {
      change: { security: 'starttls' },
    })
  return new ConnectError(
    `${begin}: remove ${user} if it wants none, or check ${relaySetting(settings, 'port')} (most relays sign in on port 587 with starttls, or on 465 with tls)`,
  )
}

const listed = (names: string[]) => names.slice(0, 8).join(', ')

/** The forms in which a password is sent: after the name (PLAIN, RFC 4616 §2), or alone (LOGIN). */
export function passwordForms(user: string, password: string): string[] {
  return [`\0${user}\0${password}`, password]
}

/** The forms in which an access token is sent (XOAUTH2). */
function tokenForms(user: string, { source }: Tokens): string[] {
  const token = source.accessToken || ''
  return token === '' ? [] : [`user=${user}\u0001auth=Bearer ${token}\u0001\u0001`, token]
}
