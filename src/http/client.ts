import type { Socket } from 'node:net'
import type { buildConnector, Dispatcher } from 'undici'
import { UnpackError } from './content-encoding.ts'
import { guardedLookup } from './public-address.ts'

export type Response = Dispatcher.ResponseData

/** Makes one request, without redirects; `isGuarded`: only to public addresses. */
export type SendRequest = (url: URL, isGuarded: boolean, options: RequestOptions) => Promise<Response>
export type RequestOptions = Pick<Dispatcher.RequestOptions, 'method' | 'headers' | 'body' | 'signal'>

export type Client = { ask: SendRequest; close(): Promise<unknown> }

/**
 * The HTTP client itself. Loaded when something is fetched for the first time: 16 MB and a tenth of a second, and who
 * only sends needs none. `maximumBytes`: of a body; what a connection carries beside it is bounded too.
 */
export async function openClient(timeoutMs: number, maximumBytes: number): Promise<Client> {
  const { Agent, buildConnector, request } = await import('undici')
  // Without pipelining a connection ends with its answer: no more are open than requests are under way.
  const timeouts = { headersTimeout: timeoutMs, bodyTimeout: timeoutMs, pipelining: 0 }
  const openAgent = (options: buildConnector.BuildOptions) => {
    const connector = buildConnector({ timeout: timeoutMs, ...options })
    return new Agent({ ...timeouts, connect: limitConnectionBytes(connector, 2 * maximumBytes + 1024 * 1024) })
  }
  const guarded = openAgent({ lookup: guardedLookup })
  const unguarded = openAgent({})
  return {
    ask: (url, isGuarded, options) => request(url, { ...options, dispatcher: isGuarded ? guarded : unguarded }),
    close: () => Promise.all([guarded.destroy(), unguarded.destroy()]),
  }
}

/**
 * Chunk extensions and trailers (RFC 9112 §7.1) are no part of the body, and have no end: a connection of HTTP/1.1, which
 * carries one answer, is cut when it has brought twice what a body may have.
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
    if (socket.bytesRead > maximumBytes) socket.destroy(new UnpackError('far more comes than its body'))
  })
}
