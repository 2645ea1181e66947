import { createServer } from 'node:net'

/** An SMTP server that takes everything and does next to nothing: it counts line ends, and looks for the final dot. */
const dot = Buffer.from('\r\n.\r\n')
let taken = 0

const server = createServer((socket) => {
  socket.setNoDelay(true)
  socket.on('error', () => {})
  let inData = false
  let tail = Buffer.alloc(0) // the last bytes of a message that is not whole, lest its end be cut in two
  const take = (chunk: Buffer): void => {
    if (inData) {
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
      if (more.length > 0) take(more)
      return
    }
    let replies = ''
    for (let at = 0; at < chunk.length && !inData; ) {
      const end = chunk.indexOf('\r\n', at)
      if (end < 0) throw new Error('the bench never cuts a command')
      const verb = chunk[at]
      at = end + 2
      if (verb === 68) {
        inData = true // D of DATA
        replies += '354 go\r\n'
        if (at < chunk.length) throw new Error('a message before 354')
      } else if (verb === 69) replies += '250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n'
      else if (verb === 81) replies += '221 bye\r\n'
      else replies += '250 ok\r\n'
    }
    socket.write(replies)
  }
  socket.on('data', take)
  socket.write('220 sink ESMTP\r\n')
})

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as { port: number }).port }))
process.on('message', () => process.send?.({ taken }))
process.on('disconnect', () => process.exit(0))
