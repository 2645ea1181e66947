import type XOAuth2Class from 'nodemailer/lib/xoauth2'
import type { Config } from '../config.ts'
import { AppError } from '../errors.ts'
import { openFetcher } from '../feeds/fetch.ts'
import { secretIn } from '../secret-file.ts'

export type OAuth2Settings = NonNullable<Config['relay']['oauth2']>

/** Gives nodemailer the access tokens of one mailbox, and asks for a new one when the last has run out. */
export type Tokens = { source: XOAuth2Class; close(): Promise<void> }

/** A token is not used for so long before it runs out: the clocks of two machines differ, and signing in takes time. */
const margin = 60_000
const unknownLife = 600

/**
 * Access tokens for SMTP's XOAUTH2, by a refresh token (RFC 6749 §6), or by client credentials (§4.4) where there is none.
 * Connections share one token; several that need a new one at once ask once. Secrets in files are read each time, so that
 * they can be changed while we run.
 */
export async function openTokens(user: string, settings: OAuth2Settings): Promise<Tokens> {
  const { default: XOAuth2 } = await import('nodemailer/lib/xoauth2')
  const fetcher = openFetcher({
    allow: [new URL(settings.tokenUrl).host],
    timeout: 20,
    maximumBytes: 64 * 1024,
    userAgent: 'Lastword/0.1',
  })
  const source = new XOAuth2({
    user,
    provisionCallback: (_user, _renew, done) =>
      askForToken(settings, fetcher).then(
        ({ token, seconds }) => done(null, token, Date.now() + Math.max(1000, seconds * 1000 - margin)),
        (error) => done(error as Error),
      ),
  })
  return { source, close: () => fetcher.close() }
}

type Given = { token: string; seconds: number }

async function askForToken(
  settings: OAuth2Settings,
  { post }: Pick<ReturnType<typeof openFetcher>, 'post'>,
): Promise<Given> {
  const { tokenUrl } = settings
  const answer = await post(tokenUrl, formOf(settings))
  if (answer.kind === 'failed') throw new AppError('unavailable', `no access token: ${answer.reason}`)
  const { access_token, expires_in, error, error_description } = parsed(answer.bytes)
  if (typeof access_token === 'string' && access_token !== '')
    return { token: access_token, seconds: Number(expires_in) || unknownLife }
  const said = [error, error_description].filter((one) => typeof one === 'string').join(': ')
  throw new AppError('unavailable', `no access token: ${tokenUrl} answered ${answer.status}${said && `, ${said}`}`)
}

/** RFC 6749 §4.4.2 and §6, with the client named in the form (§2.3.1), which Google and Microsoft both take. */
function formOf({ clientId, scope, ...settings }: OAuth2Settings): URLSearchParams {
  const secret = settings.clientSecret ?? written(settings.clientSecretFile, 'oauth2.clientSecretFile')
  const refresh = settings.refreshToken ?? written(settings.refreshTokenFile, 'oauth2.refreshTokenFile')
  const grant =
    refresh === undefined
      ? { grant_type: 'client_credentials' }
      : { grant_type: 'refresh_token', refresh_token: refresh }
  return new URLSearchParams({
    ...grant,
    client_id: clientId,
    ...(secret !== undefined && { client_secret: secret }),
    ...(scope !== undefined && { scope }),
  })
}

function written(file: string | undefined, what: string): string | undefined {
  return file === undefined ? undefined : secretIn(file, what)
}

function parsed(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
