import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { relaySetting } from '../../config/config.ts'
import { readCertificates } from '../../config/pem-file.ts'
import { AppError, messageOf } from '../../errors.ts'
import type { RelaySettings } from './relay-settings.ts'

export type TlsOptions = { servername?: string; secureContext?: SecureContext }

/** A context holds about a hundred certificates and takes 15 ms to create, so it is kept until the file changes. */
const contexts = new WeakMap<RelaySettings, { pem: string; context: SecureContext }>()

/**
 * Node's TLS options for `tlsServerName` and `ca`. Each certificate in `ca` is trusted in addition to the default ones,
 * as a root, an intermediate CA or the relay's own; throws AppError if the file is missing.
 */
export function tlsOptions(settings: RelaySettings): TlsOptions {
  const { ca, tlsServerName } = settings
  return {
    ...(tlsServerName !== undefined && { servername: tlsServerName }),
    ...(ca !== undefined && { secureContext: contextFor(ca, settings) }),
  }
}

function contextFor(ca: string, settings: RelaySettings): SecureContext {
  const own = ownCertificates(ca, settings)
  const pem = own.join('\n')
  const kept = contexts.get(settings)
  if (kept?.pem === pem) return kept.context
  const context = createSecureContext({ ca: [...getCACertificates('default'), ...own], allowPartialTrustChain: true })
  contexts.set(settings, { pem, context })
  return context
}

function ownCertificates(ca: string, settings: RelaySettings): string[] {
  try {
    return readCertificates(ca)
  } catch (error) {
    throw new AppError('invalid', `${relaySetting(settings, 'ca')}: ${messageOf(error)}`)
  }
}
