import { readFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { createSecureContext, createServer as createTlsServer, TLSSocket, type TlsOptions } from 'node:tls'

const fixture = (file: string) => readFileSync(`fixtures/tls/${file}`)

/** Certificates and their keys: `localhost` is self-signed; the others are by `ca.pem`, for `mail.relay.example`. */
export const certificates = {
  localhost: { key: fixture('localhost.key'), cert: fixture('localhost.pem') },
  relay: { key: fixture('relay.key'), cert: fixture('relay.pem') },
  expired: { key: fixture('relay.key'), cert: fixture('expired.pem') },
}

export type TlsRelay = { port: number; commands: string[]; connections: number; close(): void }

type Options = {
  /** What EHLO offers, beside STARTTLS where that is spoken. */
  ehlo?: string[]
  /** An answer that differs from the usual one. */
  answer?: (line: string, connection: number) => string | undefined
  tls?: TlsOptions
}

const listen = async (
  server: Server,
  sockets: Set<Socket>,
  relay: Omit<TlsRelay, 'port' | 'close'>,
): Promise<TlsRelay> => {
  server.prependListener('connection', (socket: Socket) => {
    relay.connections += 1
    sockets.add(socket)
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return Object.assign(relay, { port: (server.address() as { port: number }).port, close })
}

/** An SMTP server that speaks TLS from the first byte (RFC 8314 §3.3). */
export function startTlsRelay({ ehlo = [], answer, tls = certificates.relay }: Options = {}): Promise<TlsRelay> {
  const relay = { commands: [] as string[], connections: 0 }
  const server = createTlsServer(tls, (socket) => converse(socket, relay.commands, ehlo, relay.connections, answer))
  server.on('tlsClientError', () => {})
  return listen(server, new Set(), relay)
}

/** An SMTP server with STARTTLS (RFC 3207), or without any TLS where `tls` is null. */
export function startPlainRelay({ ehlo = [], answer, tls }: Omit<Options, 'tls'> & { tls?: TlsOptions | null } = {}) {
  const relay = { commands: [] as string[], connections: 0 }
  const secured = tls === null ? undefined : (tls ?? certificates.relay)
  const server = createServer((socket) => {
    converse(socket, relay.commands, secured ? [...ehlo, 'STARTTLS'] : ehlo, relay.connections, answer, () => {
      const secureContext = createSecureContext(secured)
      const secure = new TLSSocket(socket, { isServer: true, secureContext })
      secure.on('error', () => {})
      converse(secure, relay.commands, ehlo, relay.connections, answer, undefined, false)
    })
  })
  return listen(server, new Set(), relay)
}

function converse(
  socket: Socket,
  commands: string[],
  ehlo: string[],
  connection: number,
  answer: Options['answer'],
  secure?: () => void,
  greets = true,
): void {
  const usual = (line: string): string => {
    if (/^EHLO/i.test(line)) return ['250-relay.test', ...ehlo.map((one) => `250-${one}`), '250 HELP'].join('\r\n')
    if (/^STARTTLS/i.test(line)) return secure ? '220 go ahead' : '502 5.5.1 no such command'
    if (/^QUIT/i.test(line)) return '221 bye'
    return '250 2.0.0 ok'
  }
  socket.on('error', () => {})
  const hear = (chunk: Buffer) => {
    for (const line of chunk.toString().split('\r\n').filter(Boolean)) {
      commands.push(line)
      const said = answer?.(line, connection) ?? usual(line)
      const isUpgrade = said.startsWith('220') && /^STARTTLS/i.test(line)
      if (isUpgrade) socket.off('data', hear)
      socket.write(`${said}\r\n`)
      if (isUpgrade) secure?.()
      else if (/^(221|421)/.test(said)) socket.end()
    }
  }
  socket.on('data', hear)
  if (greets) socket.write(`${answer?.('', connection) ?? '220 relay.test ESMTP'}\r\n`)
}
