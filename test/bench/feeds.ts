import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { parseFeed as parseWithFeedsmith } from 'feedsmith'
import RssParser from 'rss-parser'
import { parseFeed, parseInThisThread } from '../../src/feeds/parse/parse-feed.ts'
import { madeUpFeed } from './made-up-feeds.ts'
import { cachedEnv, launcher } from './main-flags.ts'
import { median } from './median.ts'

const context = { url: 'https://ledger.example/feed', contentType: null }
const sizes = { '1 entry': 1, '10 entries': 10, '40 entries': 40, '150 entries': 150, '2,000 entries': 2000 }
const rounds = 15

/** Every parser on the same bytes, in turns and after warming up; then pauses of the event loop; then polls. */
export async function run(args: string[]): Promise<void> {
  const throughput = await compareParsers()
  const pauses = await longestPauses()
  const { poll, peaks } = await pollAll()
  const result = { throughput, ratio: overall(throughput), pauses, poll, peaks }
  if (args.includes('--json')) console.log(JSON.stringify(result))
  else print(result)
}

type Speed = { feedsPerSecond: number; megabytesPerSecond: number }
type Compared = { size: string; kilobytes: number; ratio: number; ratioWithBodies: number } & Record<Name, Speed>

const parsers = {
  lastword: (bytes: Buffer) => parseInThisThread(bytes, context),
  withBodies: (bytes: Buffer) => parseInThisThread(bytes, { ...context, needsBodies: true }),
  rssParser: (bytes: Buffer) => new RssParser().parseString(bytes.toString()),
  feedsmith: (bytes: Buffer) => parseWithFeedsmith(bytes.toString()),
}
type Name = keyof typeof parsers
const names = Object.keys(parsers) as Name[]

async function compareParsers(): Promise<Compared[]> {
  const compared: Compared[] = []
  for (const [size, entries] of Object.entries(sizes)) {
    const feeds = (['rss', 'atom'] as const).map((format) => Buffer.from(madeUpFeed(format, entries)))
    const bytes = feeds.reduce((sum, feed) => sum + feed.length, 0)
    const repeats = Math.max(1, Math.round(300_000 / bytes))
    const times: Record<Name, number[]> = { lastword: [], withBodies: [], rssParser: [], feedsmith: [] }
    for (let round = -3; round < rounds; round++) {
      const first = (round + 4) % names.length
      for (const name of [...names.slice(first), ...names.slice(0, first)]) {
        const time = await timeOf(parsers[name], feeds, repeats)
        if (round >= 0) times[name].push(time)
      }
    }
    const speed = (name: Name): Speed => {
      const seconds = median(times[name]) / repeats / 1000
      return { feedsPerSecond: feeds.length / seconds, megabytesPerSecond: bytes / 1e6 / seconds }
    }
    const [lastword, withBodies, rssParser] = [speed('lastword'), speed('withBodies'), speed('rssParser')]
    const ratio = rssParser.feedsPerSecond / lastword.feedsPerSecond
    const ratioWithBodies = rssParser.feedsPerSecond / withBodies.feedsPerSecond
    const kilobytes = bytes / feeds.length / 1000
    compared.push({
      size,
      kilobytes,
      lastword,
      withBodies,
      rssParser,
      feedsmith: speed('feedsmith'),
      ratio,
      ratioWithBodies,
    })
  }
  return compared
}

async function timeOf(parse: (bytes: Buffer) => unknown, feeds: Buffer[], repeats: number): Promise<number> {
  const start = performance.now()
  for (let repeat = 0; repeat < repeats; repeat++) for (const feed of feeds) await parse(feed)
  return performance.now() - start
}

/** The time that we take for as many bytes of every size, by the time that rss-parser takes. */
function overall(throughput: Compared[]): number {
  const ours = throughput.reduce((sum, { lastword }) => sum + 1 / lastword.megabytesPerSecond, 0)
  return ours / throughput.reduce((sum, { rssParser }) => sum + 1 / rssParser.megabytesPerSecond, 0)
}

const hostile: Record<string, () => string> = {
  '60 MB of text': () => item(`<description>${'&lt;b>lorem ipsum&lt;/b> '.repeat(2_500_000)}</description>`),
  '200,000 items': () => item('').repeat(200_000),
  '200,000 nested tags': () => item('<a>'.repeat(200_000)),
  '200,000 attributes': () => item(`<a ${Array.from({ length: 200_000 }, (_, at) => `a${at}="x"`).join(' ')}/>`),
  'an attribute of 20 MB': () => item(`<a b="${'x'.repeat(20_000_000)}"/>`),
  '500,000 unclosed CDATA sections': () => item('<title><![CDATA['.repeat(500_000)),
  '500,000 unclosed quotes': () => item('<a b="'.repeat(500_000)),
  '5,000,000 <': () => item(`<title>${'<'.repeat(5_000_000)}</title>`),
  '5,000,000 &': () => item(`<title>${'&'.repeat(5_000_000)}</title>`),
  '32 KB of the smallest items': () => '<item><title>A</title></item>'.repeat(1080),
  '32 KB of empty items': () => '<item/>'.repeat(4600),
}

/** The least of three runs each: what we hold up we hold up every time, what a busy machine does it does not. */
async function longestPauses() {
  const results: { feed: string; seconds: number; longestPause: number; answer: string }[] = []
  for (const [feed, make] of Object.entries(hostile)) {
    const bytes = Buffer.from(`<rss version="2.0"><channel><title>T</title>${make()}</channel></rss>`)
    const runs = [await pauseOf(bytes), await pauseOf(bytes), await pauseOf(bytes)]
    const [best] = runs.toSorted((one, other) => one.longestPause - other.longestPause)
    if (best) results.push({ feed, ...best })
  }
  return results
}

async function pauseOf(bytes: Buffer) {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  await wait(50) // the first tick has nothing to compare itself with
  const start = performance.now()
  const answer = await parseFeed(bytes, context)
  const seconds = (performance.now() - start) / 1000
  await wait(20)
  delay.disable()
  const what = 'failed' in answer ? answer.failed : `${answer.articles.length} articles`
  return { seconds, longestPause: Math.round(delay.max / 1e6), answer: what }
}

function item(inside: string): string {
  return `<item><title>A</title><link>https://ledger.example/a</link>${inside}</item>`
}

type Poll = { feeds: number; read: number; articles: number; seconds: number; rssPeak: number; longestPause: number }

/** A poll of 1,000 feeds, and the peak of memory (MB) of polls of a quarter and of four times as many. */
async function pollAll(): Promise<{ poll: Poll; peaks: Record<number, number> }> {
  const site = spawn(process.execPath, [join(import.meta.dirname, 'feed-site.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  try {
    const [line] = await once(site.stdout, 'data')
    const port = String(line).trim()
    const [few, poll, many] = [await pollOf(port, 250), await pollOf(port, 1000), await pollOf(port, 4000)]
    return { poll, peaks: { 250: few.rssPeak, 1000: poll.rssPeak, 4000: many.rssPeak } }
  } finally {
    site.stdin.end()
  }
}

async function pollOf(port: string, feeds: number): Promise<Poll> {
  const args = [join(import.meta.dirname, 'poll.ts'), port, String(feeds)]
  return JSON.parse((await promisify(execFile)(launcher, args, { env: cachedEnv })).stdout)
}

type Result = { throughput: Compared[]; ratio: number; pauses: Awaited<ReturnType<typeof longestPauses>> } & Awaited<
  ReturnType<typeof pollAll>
>

function print({ throughput, ratio, pauses, poll, peaks }: Result): void {
  const speed = (one: Speed) => `${one.megabytesPerSecond.toFixed(1)} MB/s, ${Math.round(one.feedsPerSecond)} feeds/s`
  for (const row of throughput) {
    const ratios = `${row.ratio.toFixed(2)} times rss-parser's time, with bodies ${row.ratioWithBodies.toFixed(2)}`
    console.log(`${row.size} (${row.kilobytes.toFixed(1)} KB): ${ratios}`)
    for (const name of names) console.log(`  ${name.padEnd(10)} ${speed(row[name])}`)
  }
  console.log(`all sizes together: ${ratio.toFixed(2)} times rss-parser's time\n`)
  for (const { feed, seconds, longestPause, answer } of pauses) {
    console.log(`${feed}: ${seconds.toFixed(2)} s, longest pause ${longestPause} ms (${answer})`)
  }
  console.log(`\n${poll.read} of ${poll.feeds} feeds, ${poll.articles} articles: ${poll.seconds.toFixed(1)} s,`)
  console.log(`peak memory ${poll.rssPeak} MB, longest pause ${poll.longestPause} ms`)
  console.log(`peak memory with 250 feeds ${peaks[250]} MB, with 4,000 ${peaks[4000]} MB`)
}
