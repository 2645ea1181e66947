import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { relaySetting } from '../../config/config.ts'
import { readCertificates } from '../../config/pem-file.ts'
import { AppError, messageOf } from '../../errors.ts'
import type { RelaySettings } from './relay-settings.ts'

export type TlsOptions = { servername?: string; secureContext?: SecureContext }

/** A context holds some hundred certificates, and takes 15 ms to make: it is kept until the file changes. */
const contexts = new WeakMap<RelaySettings, { pem: string; context: SecureContext }>()

/**
 * What `tlsServerName` and `ca` mean to Node. The certificates of `ca` are trusted beside those that are trusted anyway,
 * and each stands for itself: it may be a root, an intermediate CA, or the relay's own. AppError if the file has gone.
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
