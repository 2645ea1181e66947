import type { Socket } from 'node:net'
import type { buildConnector, Dispatcher } from 'undici'
import { guardedLookup } from './address.ts'
import { CannotUnpack } from './unpack.ts'

export type Response = Dispatcher.ResponseData

/** Makes one request, without redirects; `isGuarded`: only to public addresses. */
export type Ask = (url: URL, isGuarded: boolean, options: AskOptions) => Promise<Response>
export type AskOptions = Pick<Dispatcher.RequestOptions, 'method' | 'headers' | 'body' | 'signal'>

export type Client = { ask: Ask; close(): Promise<unknown> }

/**
 * The HTTP client itself. Loaded when something is fetched for the first time: 16 MB and a tenth of a second, and who
 * only sends needs none. `maximumBytes`: of a body; what a connection carries beside it is bounded too.
 */
export async function openClient(milliseconds: number, maximumBytes: number): Promise<Client> {
  const { Agent, buildConnector, request } = await import('undici')
  // Without pipelining a connection ends with its answer: no more are open than requests are under way.
  const timeouts = { headersTimeout: milliseconds, bodyTimeout: milliseconds, pipelining: 0 }
  const open = (options: buildConnector.BuildOptions) => {
    const connector = buildConnector({ timeout: milliseconds, ...options })
    return new Agent({ ...timeouts, connect: bounded(connector, 2 * maximumBytes + 1024 * 1024) })
  }
  const guarded = open({ lookup: guardedLookup })
  const unguarded = open({})
  return {
    ask: (url, isGuarded, options) => request(url, { ...options, dispatcher: isGuarded ? guarded : unguarded }),
    close: () => Promise.all([guarded.destroy(), unguarded.destroy()]),
  }
}

/**
 * Chunk extensions and trailers (RFC 9112 §7.1) are no part of the body, and have no end: a connection of HTTP/1.1, which
 * carries one answer, is cut when it has brought twice what a body may have.
 */
function bounded(connect: buildConnector.connector, maximumBytes: number): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error) return callback(error, null)
      if (!('alpnProtocol' in socket && socket.alpnProtocol === 'h2')) watch(socket, maximumBytes)
      callback(null, socket)
    })
}

function watch(socket: Socket, maximumBytes: number): void {
  socket.on('readable', () => {
    if (socket.bytesRead > maximumBytes) socket.destroy(new CannotUnpack('far more comes than its body'))
  })
}
