import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'

/** A self-signed certificate for `localhost`. Its key is public, so use it only for servers on 127.0.0.1. */
const localhostCertificate = new URL('../../fixtures/tls/localhost.pem', import.meta.url).pathname
const localhostKey = new URL('../../fixtures/tls/localhost.key', import.meta.url)

/** Relay settings that trust a server on 127.0.0.1 with this certificate. */
export const trustLocalhost = { host: '127.0.0.1', ca: localhostCertificate, tlsServerName: 'localhost' }

export function localhostContext(): SecureContext {
  return createSecureContext({ cert: readFileSync(localhostCertificate), key: readFileSync(localhostKey) })
}

/**
 * The server's side of TLS over a socket, from its first byte or after the 220 reply to STARTTLS (RFC 3207). The caller
 * must discard what the client sent in clear before (RFC 3207 §6).
 */
export function secureServerSocket(socket: Socket, secureContext: SecureContext): TLSSocket {
  const secured = new TLSSocket(socket, { isServer: true, secureContext })
  secured.on('error', () => {})
  return secured
}
