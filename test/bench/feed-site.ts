import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { madeUpFeed } from './made-up-feeds.ts'

/** A process of its own that serves as many feeds as it is asked for: `/0.xml`, `/1.xml` … on all of 127.0.0.0/8. Prints its port. */
const server = createServer((request, response) => {
  const number = Number(/^\/(\d+)\.xml$/.exec(request.url ?? '')?.[1] ?? 0)
  const entries = number % 20 === 0 ? 200 : 10 + (number % 30)
  response.setHeader('content-type', 'application/xml')
  response.end(madeUpFeed(number % 3 === 0 ? 'atom' : 'rss', entries, number * 1000))
})
server.listen(0, '0.0.0.0', () => console.log((server.address() as AddressInfo).port))
process.stdin.resume().on('end', () => process.exit())
