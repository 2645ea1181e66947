import type { Command } from 'commander'
import type { App } from '../app.ts'
import { spanMilliseconds } from '../clock.ts'
import { feedsListed } from '../editions/digest.ts'
import { enrolAll } from '../editions/enrol.ts'
import { findInFeeds } from '../editions/late-truth.ts'
import { ignoreFeed, releaseFeed } from '../editions/storm-decision.ts'
import { AppError } from '../errors.ts'
import type { ParsedFeed } from '../feeds/feed.ts'
import type { Fetcher } from '../feeds/fetch.ts'
import { healthOf, heldByFeed } from '../feeds/health.ts'
import { parseFeed } from '../feeds/parse.ts'
import { type Refreshed, refreshFeeds } from '../feeds/refresh.ts'
import { rejectionText } from '../feeds/rejection.ts'
import { allFeeds, feedHistory, recallFeed } from '../store/feeds.ts'
import { keptPerFeed, lastRejections } from '../store/rejections.ts'
import { addFeedListCommands } from './feed-lists.ts'
import { print, printJson, safe, table, tell } from './output.ts'
import { allowHint, lazyFetcher, readSource } from './source.ts'
import { tellOfWaiting } from './waiting.ts'
import { withApp } from './with-app.ts'

type Json = { json?: boolean }

export function addFeedsCommands(program: Command): void {
  program
    .command('pull')
    .description('ask all feeds for what is new')
    .option('--json', 'one JSON line a feed')
    .action((options: Json, command: Command) =>
      withApp(command, async (app) => {
        const report = await refreshFeeds(app, app.digests.flatMap(feedsListed))
        for (const feed of report) options.json ? printJson(feed) : print(pulledText(feed))
        await enrolAll(app)
        const proposed = await findInFeeds(app, app.digests)
        if (proposed > 0) tell(`${proposed} corrections proposed: lastword corrections list shows them`)
        await tellOfWaiting(app)
        if (report.some((feed) => feed.kind === 'failed')) process.exitCode = 1
      }),
    )

  const feeds = program.command('feeds').description('the feeds of all digests')
  feeds
    .command('list')
    .description('print every feed that was ever asked, with its state')
    .option('--json', 'one JSON line a feed')
    .action((options: Json, command: Command) => withApp(command, (app) => listFeeds(app, options)))
  feeds
    .command('retry')
    .description('ask a feed again that is gone, or waits after a failure')
    .argument('<url>', 'as the job file names it')
    .action((url: string, _: object, command: Command) => withApp(command, (app) => retryFeed(app, url)))
  const decide = (name: string, description: string, act: typeof releaseFeed, done: string) =>
    feeds
      .command(name)
      .description(description)
      .argument('<url>', 'the address of a feed that waits')
      .option('--who <name>', 'stands on record', 'operator')
      .action((url: string, { who }: { who: string }, command: Command) =>
        withApp(command, async (app) => print(`${url}: ${await act(app, url, who)} articles ${done}`)),
      )
  decide('release', 'what a feed showed all at once is new: let it be chosen', releaseFeed, 'are pending')
  decide('ignore', 'what a feed showed all at once is old: never mail it again', ignoreFeed, 'are known or backlog')
  feeds
    .command('test')
    .description('read feeds from addresses or files and print what is in them; nothing is kept')
    .argument('<source...>', 'http(s) address or file')
    .option('--json', 'one JSON line a source')
    .action(testFeeds)
  addFeedListCommands(feeds)
}

/** Of a feed; with --json all that are kept. */
const mostRejections = 5

const ofFeed = ({ feedId }: { feedId: string }) => feedId

/** Every feed that was ever asked: its state in words, when it was last read, what became of it, and what it had rejected. */
async function listFeeds({ db, config, clock }: App, options: Json): Promise<void> {
  const past = Map.groupBy(await feedHistory(db), ofFeed)
  const alertAfter = spanMilliseconds(config.feeds.alertAfter)
  const rejected = Map.groupBy(await lastRejections(db, options.json ? keptPerFeed : mostRejections), ofFeed)
  const waiting = await heldByFeed(db)
  const rows = (await allFeeds(db)).map((feed) => ({
    feed,
    held: waiting.get(feed.id)?.reason ?? null,
    health: healthOf(feed, alertAfter, clock.now(), waiting.get(feed.id)),
    history: (past.get(feed.id) ?? []).map(({ at, what }) => ({ at, what })),
    rejections: (rejected.get(feed.id) ?? []).map(({ feedId: _feed, entry: _entry, ...one }) => one),
  }))
  if (rows.length === 0) tell('No feed has been read yet: lastword pull reads those that the job files name.')
  if (options.json) {
    for (const { feed, held, health, history, rejections } of rows)
      printJson({ ...feed, state: health.state, words: health.words, held, history, rejections })
    return
  }
  const lines = table(
    rows.map(({ feed, held, health }) => [
      feed.url,
      held === null ? health.state : `waits: ${held}`,
      feed.succeededAt ?? 'never read',
      `${safe(feed.title)}: ${safe(health.words)}`,
    ]),
  ).split('\n')
  rows.forEach(({ history, rejections }, index) => {
    print(lines[index] ?? '')
    for (const { at, what } of history) print(`    ${at}  ${safe(what)}`)
    for (const one of rejections) print(`    ${one.lastAt}  rejected: ${safe(rejectionText(one))}`)
  })
}

async function retryFeed(app: App, url: string): Promise<void> {
  if (!(await recallFeed(app.db, url)))
    throw new AppError('missing', `no feed is known by ${url}`, { hint: 'lastword feeds list prints all.' })
  for (const feed of await refreshFeeds(app, [url])) {
    print(pulledText(feed))
    if (feed.kind === 'failed') process.exitCode = 1
  }
}

function pulledText(feed: Refreshed): string {
  if (feed.kind === 'failed') return `failed     ${safe(`${feed.url}: ${feed.reason}`)}`
  if (feed.kind === 'unchanged') return `unchanged  ${feed.url}`
  const rejected = feed.rejected ? `, ${feed.rejected} rejected` : ''
  return `read       ${feed.url}: ${feed.articles} articles, ${feed.added} new${rejected}`
}

async function testFeeds(sources: string[], options: Json, command: Command): Promise<void> {
  const fetcher = lazyFetcher(command)
  for (const source of sources) {
    const tested = await testFeed(source, fetcher)
    if (options.json) printJson(tested)
    else printTested(tested)
    if (!tested.ok) process.exitCode = 1
  }
  await fetcher.close()
}

type Tested = ReturnType<typeof toTested>

async function testFeed(source: string, fetcher: Pick<Fetcher, 'get'>): Promise<Tested> {
  try {
    const { bytes, url, contentType } = await readSource(source, fetcher)
    const parsed = await parseFeed(bytes, { url, contentType })
    return 'failed' in parsed ? failed(source, parsed.failed) : toTested(source, parsed)
  } catch (error) {
    if (error instanceof AppError) return failed(source, error.message)
    throw error
  }
}

/**
 * `count` is what the feed holds: every entry, the rejected ones too, and those that are not read, for which one rejection
 * stands. `link` is null where a file does not tell where it is from.
 */
function toTested(source: string, parsed: ParsedFeed) {
  const items = parsed.articles.map((article) => ({
    id: article.identity,
    title: article.title,
    link: linkOf(article.url),
    published: article.publishedAt,
    author: article.author,
    summary: article.summary,
    image: article.image?.url ?? null,
  }))
  const rejected = parsed.rejected.map(({ reason }) => ({ reason }))
  return {
    source,
    ok: true,
    title: parsed.title,
    count: items.length + rejected.length + Math.max(0, (parsed.unread ?? 0) - 1),
    items,
    rejected,
    error: null as string | null,
  }
}

function linkOf(url: string): string | null {
  return /^https?:/.test(url) ? url : null
}

function failed(source: string, error: string): Tested {
  return { source, ok: false, title: '', count: 0, items: [], rejected: [], error }
}

function printTested(tested: Tested): void {
  if (!tested.ok) {
    print(`${tested.source}: ${safe(tested.error ?? '')}`)
    const hint = allowHint(tested.error ?? '')
    if (hint) tell(hint)
    return
  }
  print(`${tested.source}: ${safe(tested.title)}, ${tested.items.length} articles`)
  for (const item of tested.items)
    print(`  ${item.published ?? 'no date                 '}  ${safe(item.title)}\n    ${safe(item.link ?? 'no link')}`)
  for (const { reason } of tested.rejected) print(`  rejected: ${safe(reason)}`)
}
