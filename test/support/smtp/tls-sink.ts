import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type TLSSocket } from 'node:tls'
import { Worker } from 'node:worker_threads'

/** A TLS server in a thread of its own: one that shares our event loop never answers before our write is reported. */
export async function startTlsSink({ dropAt = 0 } = {}) {
  const thread = new Worker(new URL('./tls-sink-thread.ts', import.meta.url), { workerData: { dropAt } })
  const [port] = (await once(thread, 'message')) as [number]
  return { port, close: () => thread.terminate() }
}

/** A TLS connection that has had its greeting. */
export async function greeted(port: number): Promise<TLSSocket> {
  const ca = readFileSync('fixtures/tls/localhost.pem')
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca })
  await once(socket, 'data')
  return socket
}
