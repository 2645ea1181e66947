import type { Socket } from 'node:net'
import type { buildConnector, Dispatcher } from 'undici'
import { UnpackError } from './content-encoding.ts'
import { guardedLookup } from './public-address.ts'

export type Response = Dispatcher.ResponseData

/** Sends one request without following redirects; `isGuarded`: only to public addresses. */
export type SendRequest = (url: URL, isGuarded: boolean, options: RequestOptions) => Promise<Response>
export type RequestOptions = Pick<Dispatcher.RequestOptions, 'method' | 'headers' | 'body' | 'signal'>

export type Client = { send: SendRequest; close(): Promise<unknown> }

/**
 * Opens undici, which is loaded at the first fetch: it takes 16 MB and a tenth of a second, and sending mail does not need
 * it. `maximumBytes` limits a body; the other bytes of a connection are limited too.
 */
export async function openClient(timeoutMs: number, maximumBytes: number): Promise<Client> {
  const { Agent, buildConnector, request } = await import('undici')
  // Without pipelining a connection ends with its answer, so that only running requests have one.
  const timeouts = { headersTimeout: timeoutMs, bodyTimeout: timeoutMs, pipelining: 0 }
  const openAgent = (options: buildConnector.BuildOptions) => {
    const connector = buildConnector({ timeout: timeoutMs, ...options })
    return new Agent({ ...timeouts, connect: limitConnectionBytes(connector, 2 * maximumBytes + 1024 * 1024) })
  }
  const guarded = openAgent({ lookup: guardedLookup })
  const unguarded = openAgent({})
  return {
    send: (url, isGuarded, options) => request(url, { ...options, dispatcher: isGuarded ? guarded : unguarded }),
    close: () => Promise.all([guarded.destroy(), unguarded.destroy()]),
  }
}

/**
 * Chunk extensions and trailers (RFC 9112 §7.1) are not part of the body and have no limit. An HTTP/1.1 connection carries
 * one answer, so it is closed when it has received twice the limit of a body.
 */
function limitConnectionBytes(connect: buildConnector.connector, maximumBytes: number): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error) return callback(error, null)
      if (!('alpnProtocol' in socket && socket.alpnProtocol === 'h2')) destroyBeyond(socket, maximumBytes)
      callback(null, socket)
    })
}

function destroyBeyond(socket: Socket, maximumBytes: number): void {
  socket.on('readable', () => {
    if (socket.bytesRead > maximumBytes) socket.destroy(new UnpackError('the connection sends far more than the body'))
  })
}
