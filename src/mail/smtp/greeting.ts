import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { notSmtp, speaksTls } from './connect-error.ts'
import type { RelaySettings } from './relay-settings.ts'

/**
 * A relay that has said nothing for this long may wait for a TLS handshake. Some make every client wait for their
 * greeting, five or six seconds as a rule (`postscreen_greet_wait`, `GreetPause`), and hold it against those that speak
 * before it: they are not probed.
 */
const silenceMs = 7000
const probeMs = 5000

/** A connection before its greeting. */
type Ungreeted = { readonly socket: Socket | undefined; readonly partialLine: string; readonly isGreeted: boolean }

/**
 * Finds out early why there is no greeting. The promise rejects with a ConnectError if the port speaks TLS from the first
 * byte or does not speak SMTP; it never resolves. `stop` ends the watch.
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

/** Connections that wait at the same time share one probe. */
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

/** Whether anything of TLS comes back to a ClientHello: a handshake, or an alert. The certificate does not matter. */
function probe(host: string, { port, timeout }: RelaySettings): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connectTls({ host, port, rejectUnauthorized: false }, () => resolve(true))
  socket.setTimeout(Math.min(probeMs, timeout * 500), () => resolve(false))
  socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(/^ERR_SSL_.*ALERT/.test(code)))
  socket.on('close', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
