import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { notSmtp, speaksTls } from './connect-error.ts'
import type { RelaySettings } from './relay-settings.ts'

/**
 * After this silence a relay may be waiting for a TLS handshake. Relays that delay their greeting, usually by five or
 * six seconds (`postscreen_greet_wait`, `GreetPause`), penalise clients that speak first, so they are not probed.
 */
const silenceMs = 7000
const probeMs = 5000

/** A connection that waits for its greeting. */
type Ungreeted = { readonly socket: Socket | undefined; readonly partialLine: string; readonly isGreeted: boolean }

/**
 * Finds out early why there is no greeting. `trouble` never resolves, and rejects with a ConnectError if the port
 * speaks TLS from the first byte or does not speak SMTP; `stop` ends the watch.
 */
export function watchGreeting(client: Ungreeted, settings: RelaySettings): { trouble: Promise<never>; stop(): void } {
  const { promise: trouble, reject } = Promise.withResolvers<never>()
  const delay = Math.min(silenceMs, settings.timeout * 500)
  const look = async () => {
    const { socket, partialLine, isGreeted } = client
    if (isGreeted) return
    if (!socket || socket.connecting) timer = setTimeout(look, delay)
    else if (partialLine !== '') {
      if (!'220'.startsWith(partialLine.slice(0, 3))) reject(notSmtp(partialLine, settings))
    } else if (await answersTls(socket, settings)) reject(speaksTls(settings))
  }
  let timer = settings.security === 'tls' ? undefined : setTimeout(look, delay)
  trouble.catch(() => {}) // the watch may have been stopped
  return { trouble, stop: () => clearTimeout(timer) }
}

/** Connections that wait at the same time share a probe. */
const probes = new WeakMap<RelaySettings, Promise<boolean>>()

async function answersTls({ remoteAddress }: Socket, settings: RelaySettings): Promise<boolean> {
  const running = probes.get(settings) ?? probe(remoteAddress ?? settings.host, settings)
  probes.set(settings, running)
  try {
    return await running
  } finally {
    probes.delete(settings)
  }
}

/** Whether a ClientHello gets a TLS answer: a handshake or an alert. The certificate is not checked. */
function probe(host: string, { port, timeout }: RelaySettings): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connectTls({ host, port, rejectUnauthorized: false }, () => resolve(true))
  socket.setTimeout(Math.min(probeMs, timeout * 500), () => resolve(false))
  socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(/^ERR_SSL_.*ALERT/.test(code)))
  socket.on('close', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
