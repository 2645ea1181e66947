import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { parentPort, workerData } from 'node:worker_threads'

/** An SMTP server over implicit TLS that answers at once, and resets a connection when it has its nth message whole. */
const { dropAt } = workerData as { dropAt: number }
const replies: Record<string, string> = {
  EHLO: '250-sink\r\n250 PIPELINING\r\n',
  MAIL: '250 ok\r\n',
  RCPT: '250 ok\r\n',
  DATA: '354 go\r\n',
  RSET: '250 ok\r\n',
}

const key = readFileSync('fixtures/tls/localhost.key')
const cert = readFileSync('fixtures/tls/localhost.pem')
const server = createServer((raw) => converse(new TLSSocket(raw, { isServer: true, key, cert }), raw))
server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as { port: number }).port))

function converse(socket: TLSSocket, raw: Socket): void {
  let rest = ''
  let isData = false
  let messages = 0
  socket.setNoDelay(true)
  socket.on('error', () => {})
  socket.write('220 sink\r\n')
  socket.on('data', (chunk) => {
    rest += chunk.toString('latin1')
    for (;;) {
      const mark = isData ? '\r\n.\r\n' : '\r\n'
      const end = rest.indexOf(mark)
      if (end < 0) return
      const line = rest.slice(0, end)
      rest = rest.slice(end + mark.length)
      if (isData && ++messages === dropAt) return void raw.resetAndDestroy()
      const reply = isData ? '250 taken\r\n' : (replies[line.slice(0, 4).toUpperCase()] ?? '221 bye\r\n')
      isData = reply.startsWith('354')
      socket.write(reply)
    }
  })
}
