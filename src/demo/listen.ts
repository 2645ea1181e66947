import type { Server as HttpServer } from 'node:http'
import { createServer, type Server } from 'node:net'
import { AppError, messageOf, systemCode } from '../errors.ts'

/** The host of every demo server, reachable from this machine only. */
export const loopbackHost = '127.0.0.1'

type Listening = Pick<Server, 'address' | 'once' | 'off'> & {
  listen(port: number, host: string, listening: () => void): unknown
}

/** Listens on this machine, on a free port if `port` is 0, and returns the port. AppError `conflict` for a port in use. */
export function listen(server: Listening, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(cannotListen(error, port))
    server.once('error', onError)
    server.listen(port, loopbackHost, () => {
      server.off('error', onError)
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

/** A port that is free now, for a server whose port must be known before it starts. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  const port = await listen(probe, 0)
  await new Promise((closed) => probe.close(closed))
  return port
}

function cannotListen(error: Error, port: number): AppError {
  if (systemCode(error) === 'EADDRINUSE')
    return new AppError('conflict', `port ${port} of ${loopbackHost} is taken`, {
      hint: 'Stop the program that uses it, or give another port.',
      cause: error,
    })
  return new AppError('unavailable', `cannot listen on port ${port} of ${loopbackHost}: ${messageOf(error)}`, {
    cause: error,
  })
}

/** Stops listening and closes open connections. */
export function closeServer(server: HttpServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
