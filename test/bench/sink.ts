import { createServer, type Socket } from 'node:net'
import { localhostContext, secureServerSocket } from '../../src/demo/localhost-tls.ts'

/**
 * An SMTP server that takes everything and does next to nothing: it counts line ends, and looks for the final dot. With
 * `--tls` it offers STARTTLS.
 */
const dot = Buffer.from('\r\n.\r\n')
const context = process.argv.includes('--tls') ? localhostContext() : undefined
let taken = 0

const server = createServer((socket) => {
  socket.setNoDelay(true)
  socket.on('error', () => {})
  converse(socket, context ? '250-sink\r\n250-STARTTLS\r\n250-PIPELINING\r\n' : '250-sink\r\n250-PIPELINING\r\n')
  socket.write('220 sink ESMTP\r\n')
})

function converse(socket: Socket, hello: string): void {
  let inData = false
  let tail = Buffer.alloc(0) // the last bytes of a message or a command that is not whole, lest its end be cut in two

  const takeMessage = (chunk: Buffer): void => {
    const seen = tail.length > 0 ? Buffer.concat([tail, chunk]) : chunk
    const end = seen.subarray(-dot.length).equals(dot) ? seen.length - dot.length : seen.indexOf(dot)
    if (end < 0) {
      tail = Buffer.from(seen.subarray(-4))
      return
    }
    taken += 1
    inData = false
    tail = Buffer.alloc(0)
    socket.write('250 2.0.0 taken\r\n')
    const more = seen.subarray(end + dot.length)
    if (more.length > 0) takeCommands(more)
  }

  const takeCommands = (chunk: Buffer): void => {
    const seen = tail.length > 0 ? Buffer.concat([tail, chunk]) : chunk
    tail = Buffer.alloc(0)
    let replies = ''
    for (let at = 0; at < seen.length && !inData; ) {
      const end = seen.indexOf('\r\n', at)
      if (end < 0) {
        tail = Buffer.from(seen.subarray(at))
        break
      }
      const verb = seen[at]
      at = end + 2
      if (verb === 68) {
        inData = true // D of DATA
        replies += '354 go\r\n'
        if (at < seen.length) throw new Error('a message before 354')
      } else if (verb === 69) replies += `${hello}250 8BITMIME\r\n`
      else if (verb === 81) replies += '221 bye\r\n'
      else if (verb === 83 && context) {
        socket.write('220 ready\r\n') // S of STARTTLS
        socket.removeAllListeners('data')
        return void converse(secureServerSocket(socket, context), '250-sink\r\n250-PIPELINING\r\n')
      } else replies += '250 ok\r\n'
    }
    if (replies !== '') socket.write(replies)
  }

  socket.on('data', (chunk) => (inData ? takeMessage(chunk) : takeCommands(chunk)))
}

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as { port: number }).port }))
process.on('message', () => process.send?.({ taken }))
process.on('disconnect', () => process.exit(0))
