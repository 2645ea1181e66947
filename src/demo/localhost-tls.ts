import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'

/** A certificate for `localhost`, signed by itself. Its key is public: it protects nothing, and is for servers on 127.0.0.1. */
export const localhostCertificate = new URL('../../fixtures/tls/localhost.pem', import.meta.url).pathname
const localhostKey = new URL('../../fixtures/tls/localhost.key', import.meta.url)

/** Settings of a relay by which a server on 127.0.0.1 with that certificate is trusted. */
export const trustLocalhost = { host: '127.0.0.1', ca: localhostCertificate, tlsServerName: 'localhost' }

export function localhostContext(): SecureContext {
  return createSecureContext({ cert: readFileSync(localhostCertificate), key: readFileSync(localhostKey) })
}

/**
 * The server's side of TLS over a socket: from its first byte, or after the 220 that answers STARTTLS (RFC 3207). What
 * the client sent in clear before it is left to whoever read it, and has to be thrown away there (RFC 3207 §6).
 */
export function secureServerSocket(socket: Socket, secureContext: SecureContext): TLSSocket {
  const secured = new TLSSocket(socket, { isServer: true, secureContext })
  secured.on('error', () => {})
  return secured
}
