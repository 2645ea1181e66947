import { type Config, relayName, relaySetting } from '../../../config/config.ts'
import { readSecretFile } from '../../../config/secret-file.ts'
import { AppError, messageOf } from '../../../errors.ts'
import { openFetcher } from '../../../http/fetcher.ts'
import { oneLine } from '../../reply-rules/reply-text.ts'
import type { RelaySettings } from '../relay-settings.ts'
import { masker } from './masking.ts'
import { RefreshToken, type TokenStore } from './refresh-token.ts'
import type { Tokens } from './tokens.ts'

export type OAuth2Settings = NonNullable<Config['relay']['oauth2']>

/** A token is not used in its last minute, since clocks differ and signing in takes time. */
const expiryMarginMs = 60_000
const defaultLifeSeconds = 600
/** The timeout for one answer of the endpoint. */
const maxTimeoutSeconds = 20

/**
 * Access tokens for SMTP's XOAUTH2, by a refresh token (RFC 6749 §6) or else by client credentials (§4.4); undefined
 * for a relay without OAuth 2. Connections share one token and one request for a new one.
 *
 * Secret files are read for each request, so they can change while the process runs. With a store, all processes share
 * a rotated refresh token; without a store, the configured token is used each time.
 */
export async function openTokens(relay: RelaySettings, store?: TokenStore): Promise<Tokens | undefined> {
  const { user, oauth2: settings } = relay
  if (user === undefined || settings === undefined) return undefined
  const { default: XOAuth2 } = await import('nodemailer/lib/xoauth2')
  const client = new TokenClient(relay, settings, store)
  const source = new XOAuth2({ user, provisionCallback: (_user, _renew, done) => client.provide(done) })
  return {
    source,
    get problem() {
      return client.problem
    },
    close: () => client.close(),
  }
}

type GrantedToken = { token: string; seconds: number; refreshToken: string | undefined }

/** The client of one token endpoint. */
class TokenClient {
  readonly #relay: RelaySettings
  readonly #settings: OAuth2Settings
  readonly #store: TokenStore | undefined
  readonly #closing = new AbortController()
  readonly #timeout: number
  readonly #fetcher: ReturnType<typeof openFetcher>
  #refresh: { configured: string; token: RefreshToken } | undefined
  /** Why the last request for a token failed. */
  problem: AppError | undefined

  constructor(relay: RelaySettings, settings: OAuth2Settings, store: TokenStore | undefined) {
    this.#relay = relay
    this.#settings = settings
    this.#store = store
    this.#timeout = Math.min(maxTimeoutSeconds, relay.timeout)
    this.#fetcher = openFetcher({
      allow: [new URL(settings.tokenUrl).host],
      timeout: this.#timeout,
      maximumBytes: 64 * 1024,
      userAgent: 'Lastword/0.1',
    })
  }

  /** Requests a token, and answers as nodemailer expects. */
  async provide(done: (error: Error | null, token?: string, expiresAtMs?: number) => void): Promise<void> {
    let granted: GrantedToken
    try {
      granted = await this.#requestToken()
    } catch (error) {
      this.problem = new AppError('unavailable', `no access token: ${oneLine(messageOf(error))}`)
      return done(this.problem)
    }
    this.problem = undefined
    done(null, granted.token, Date.now() + Math.max(1000, granted.seconds * 1000 - expiryMarginMs))
  }

  async #requestToken(): Promise<GrantedToken> {
    const { refreshToken, refreshTokenFile } = this.#settings
    const configured = refreshToken ?? this.#secretIn(refreshTokenFile, 'refreshTokenFile')
    if (configured === undefined || this.#store === undefined) return await this.#ask(configured)
    const kept = this.#keptFor(configured, this.#store)
    return await kept.alone(() => this.#refreshWith(kept), this.#closing.signal)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#fetcher.close()
  }

  /** The stored token for the configured one, which may have changed in its file. */
  #keptFor(configured: string, store: TokenStore): RefreshToken {
    if (this.#refresh?.configured !== configured) {
      const { clientId } = this.#settings
      const token = new RefreshToken(store, { relay: relayName(this.#relay), clientId, configured })
      this.#refresh = { configured, token }
    }
    return this.#refresh.token
  }

  /** Another process may just have replaced a token that is refused: the newer token is tried once. */
  async #refreshWith(kept: RefreshToken): Promise<GrantedToken> {
    const used = await kept.newest()
    const given = await this.#ask(used).catch(async (error) => {
      const newer = error instanceof InvalidGrant ? await kept.newest() : used
      if (newer === used) throw error
      return await this.#ask(newer)
    })
    if (given.refreshToken !== undefined && given.refreshToken !== used) await kept.save(given.refreshToken)
    return given
  }

  async #ask(refreshToken: string | undefined): Promise<GrantedToken> {
    const { host } = new URL(this.#settings.tokenUrl)
    const form = this.#formWith(refreshToken)
    const answer = await this.#fetcher.post(this.#settings.tokenUrl, form)
    if (answer.kind === 'failed')
      throw new AppError(
        'unavailable',
        answer.reason.includes('no complete answer') ? this.#silent(host) : answer.reason,
      )
    const given = tokenIn(answer.bytes)
    if (given) return given
    const failure = errorAnswerIn(answer.bytes)
    const words = withoutSecrets(`${answer.status}${failure.words}`, form)
    const message = `the token endpoint ${host} answered ${words}`
    throw failure.isInvalidGrant ? new InvalidGrant(message) : new AppError('unavailable', message)
  }

  #silent(host: string): string {
    return `the token endpoint ${host} did not answer in ${this.#timeout} s`
  }

  /** RFC 6749 §4.4.2 and §6, with the client's credentials in the form (§2.3.1), which Google and Microsoft accept. */
  #formWith(refreshToken: string | undefined): URLSearchParams {
    const { clientId, scope, clientSecret, clientSecretFile } = this.#settings
    const secret = clientSecret ?? this.#secretIn(clientSecretFile, 'clientSecretFile')
    const grant =
      refreshToken === undefined
        ? { grant_type: 'client_credentials' }
        : { grant_type: 'refresh_token', refresh_token: refreshToken }
    return new URLSearchParams({
      ...grant,
      client_id: clientId,
      ...(secret !== undefined && { client_secret: secret }),
      ...(scope !== undefined && { scope }),
    })
  }

  #secretIn(file: string | undefined, setting: string): string | undefined {
    return file === undefined ? undefined : readSecretFile(file, relaySetting(this.#relay, `oauth2.${setting}`))
  }
}

/** The refresh token expired, was revoked, or was used before (RFC 6749 §5.2). */
class InvalidGrant extends AppError {
  constructor(message: string) {
    super('unavailable', message)
  }
}

/** RFC 6749 §5.1; undefined for any other answer. */
function tokenIn(bytes: Uint8Array): GrantedToken | undefined {
  const { access_token: token, expires_in: seconds, refresh_token: next } = parsed(bytes)
  if (typeof token !== 'string' || token === '') return undefined
  const refreshToken = typeof next === 'string' && next !== '' ? next : undefined
  return { token, seconds: Number(seconds) || defaultLifeSeconds, refreshToken }
}

/** The error text of RFC 6749 §5.2, or a description of any other answer. */
function errorAnswerIn(bytes: Uint8Array): { words: string; isInvalidGrant: boolean } {
  const { error, error_description } = parsed(bytes)
  const said = [error, error_description].filter((one) => typeof one === 'string').join(': ')
  const isPage = /^\s*<(!doctype|html|head|body)/i.test(Buffer.from(bytes.subarray(0, 500)).toString('latin1'))
  const words = said ? `, ${said}` : ` with no access_token in it${isPage ? ' (an HTML page)' : ''}`
  return { words, isInvalidGrant: error === 'invalid_grant' }
}

/** An endpoint may repeat the secrets of the request. */
function withoutSecrets(text: string, form: URLSearchParams): string {
  return masker(() => ['refresh_token', 'client_secret'].map((name) => form.get(name) ?? ''))(text)
}

function parsed(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
