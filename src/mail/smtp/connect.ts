import type { Socket } from 'node:net'
import type { AppError } from '../../errors.ts'
import { masker } from './auth/masking.ts'
import { type Credentials, credentialsFor, loginFor } from './auth/sign-in.ts'
import { signInReply } from './auth/sign-in-reply.ts'
import type { Tokens } from './auth/tokens.ts'
import { ConnectError, explainConnectError, noStartTls } from './connect-error.ts'
import type { Offers } from './envelope.ts'
import { watchGreeting } from './greeting.ts'
import type { Listener } from './listener.ts'
import { NodemailerClient } from './nodemailer-client.ts'
import type { RelaySettings } from './relay-settings.ts'
import { SmtpSession } from './smtp-session.ts'

/** `tokens`: for relays that use OAuth 2; `signal`: ends the attempt. */
export type ConnectOptions = { tokens?: Tokens | undefined; listener?: Listener; signal?: AbortSignal }

/** A secured, signed-in connection. The socket has no listeners; `mask` removes secrets from a reply. */
export type Connection = { socket: Socket; offers: Offers; mask: (text: string) => string }

/** Opens an SMTP session with the relay. Throws as `openConnection` does. */
export async function connect(settings: RelaySettings, options: ConnectOptions = {}): Promise<SmtpSession> {
  const { socket, offers, mask } = await openConnection(settings, options)
  return new SmtpSession(socket, offers, mask) // replies are stored, and editors read them
}

/**
 * Connects to the relay, secures and authenticates. Throws AppError, usually ConnectError, with one sentence if the
 * relay refuses us or does not meet the settings.
 */
export async function openConnection(settings: RelaySettings, options: ConnectOptions = {}): Promise<Connection> {
  const { tokens, listener, signal } = options
  const credentials = await credentialsFor(settings, tokens)
  const secrets = () => credentials?.forms() ?? []
  const mask = masker(secrets)
  let isSigningIn = false
  const maskedListener: Listener = (who, line) =>
    listener?.(who, isSigningIn && who === 'server' ? signInReply(line, secrets()) : mask(line))
  const client = await NodemailerClient.open(settings, listener && maskedListener)
  const cancel = () => client.close()
  signal?.addEventListener('abort', cancel)
  const greeting = watchGreeting(client, settings)
  try {
    await Promise.race([client.connect(), greeting.trouble])
    greeting.stop()
    if (settings.security !== 'none' && !client.isEncrypted) throw noStartTls(settings) // before a secret is sent
    isSigningIn = true
    if (credentials) await signIn(client, settings, credentials)
    return { ...client.takeSocket(), mask }
  } catch (error) {
    client.close()
    throw maskedError(tokens?.problem ?? explainConnectError(error, settings, client.progress), mask)
  } finally {
    greeting.stop()
    signal?.removeEventListener('abort', cancel)
  }
}

/** A token that was refused is not used again, even if it has not expired. */
async function signIn(client: NodemailerClient, settings: RelaySettings, { login, forms }: Credentials): Promise<void> {
  const chosen = loginFor(settings, client.ehloLines, login)
  try {
    await client.login(chosen)
  } catch (error) {
    maskSignInError(error, forms())
    if ('source' in login) login.source.accessToken = false
    throw error
  }
}

/** Shows a relay's answer to a sign-in in known words only, also in the log. */
function maskSignInError(error: unknown, secrets: string[]): void {
  if (!(error instanceof Error) || !('response' in error) || typeof error.response !== 'string') return
  error.response = signInReply(error.response, secrets)
  error.message = `${error.response}`
  error.stack = `${error.name}: ${error.message}`
}

function maskedError(error: AppError, mask: (text: string) => string): AppError {
  const message = mask(error.message)
  const { response = '' } = (error.cause ?? {}) as { response?: string } // longer than its part in the message
  if (message === error.message && mask(response) === response) return error
  const change = error instanceof ConnectError ? error.change : undefined
  return new ConnectError(message, { change })
}
