import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { refreshFeeds } from '../../src/feeds/refresh.ts'
import { openFetcher } from '../../src/http/fetcher.ts'
import { silentLog } from '../../src/log.ts'
import { openStore } from '../../src/store/open.ts'
import { systemClock } from '../../src/time/clock.ts'

/** A process of its own, so that its peak of memory is the poll's: `node poll.ts <port> <feeds>` → one line of JSON. */
const [port = '', count = ''] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'lastword-bench-'))
const store = await openStore(`file:${join(folder, 'bench.db')}`, systemClock)
const hosts = Array.from({ length: 250 }, (_, index) => `127.0.1.${index + 1}`) // of one, two feeds are asked at once
const limits = { allow: hosts, timeout: 60, maximumBytes: 10_000_000, userAgent: 'Lastword bench' }
const fetcher = openFetcher(limits)
const urls = Array.from(
  { length: Number(count) },
  (_, index) => `http://${hosts[index % hosts.length]}:${port}/${index}.xml`,
)

await fetcher.get(urls[0] ?? '') // the client is loaded with the first fetch of a process: a tenth of a second, once
const before = process.memoryUsage.rss()
const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()
const start = performance.now()
const report = await refreshFeeds({ db: store.db, fetcher, clock: systemClock, log: silentLog }, urls)
const seconds = (performance.now() - start) / 1000
delay.disable()

const read = report.flatMap((feed) => (feed.kind === 'read' ? [feed.articles] : []))
const articles = read.reduce((sum, one) => sum + one, 0)
const megabytes = (bytes: number) => Math.round(bytes / 1024 / 1024)
const memory = { rssBefore: megabytes(before), rssPeak: megabytes(process.resourceUsage().maxRSS * 1024) }
const longestPause = Math.round(delay.max / 1e6)
console.log(JSON.stringify({ feeds: urls.length, read: read.length, articles, seconds, ...memory, longestPause }))
await fetcher.close()
await store.close()
rmSync(folder, { recursive: true })
