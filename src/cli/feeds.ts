import type { Command } from 'commander'
import type { App } from '../app.ts'
import { describeEvent, describeReason, eventWithText, reasonWithText } from '../describe/describe.ts'
import { detectInFeeds } from '../editions/corrections/detect.ts'
import { feedUrlsOf } from '../editions/digest.ts'
import { addAllToLedger } from '../editions/ledger.ts'
import { ignoreFeed, releaseFeed } from '../editions/stories/flood-decision.ts'
import { AppError } from '../errors.ts'
import { healthOf, quarantinedByFeed } from '../feeds/health.ts'
import type { ParsedFeed } from '../feeds/parse/feed.ts'
import { parseFeed } from '../feeds/parse/parse-feed.ts'
import type { RefreshResult } from '../feeds/refresh.ts'
import { rejectionText } from '../feeds/rejection.ts'
import type { Fetcher } from '../http/fetcher.ts'
import { refreshNow } from '../pipeline/refresh-feeds.ts'
import { type PastEvent, personName } from '../store/events/event.ts'
import { feedEvents } from '../store/events/events.ts'
import { retryFeedNow } from '../store/feeds/feed-polls.ts'
import { allFeeds } from '../store/feeds/feeds.ts'
import { lastRejections, maxRejectionsPerFeed } from '../store/feeds/rejections.ts'
import { parseDurationMs } from '../time/clock.ts'
import { addFeedListCommands } from './feeds/add-import-export.ts'
import { warnOfQuarantinedFeeds } from './feeds/quarantine-warnings.ts'
import { allowHint, lazyFetcher, readSource } from './feeds/read-source.ts'
import { formatTable, print, printJson, printStderr, sanitizeLine } from './terminal/output.ts'
import { whoOption } from './terminal/who-option.ts'
import { withApp } from './with-app.ts'

type Json = { json?: boolean }

export function addFeedsCommands(program: Command): void {
  const feeds = program.command('feeds').description('manage the feeds of all digests')
  feeds
    .command('refresh')
    .description('fetch all feeds now')
    .option('--json', 'one JSON line for each feed')
    .action((options: Json, command: Command) =>
      withApp(command, async (app) => {
        const report = await refreshNow(app, app.digests.flatMap(feedUrlsOf))
        for (const feed of report) options.json ? printJson(refreshJson(feed)) : print(refreshText(feed))
        await addAllToLedger(app)
        const proposed = await detectInFeeds(app, app.digests)
        if (proposed > 0) printStderr(`${proposed} corrections proposed: lastword corrections list shows them`)
        await warnOfQuarantinedFeeds(app)
        if (report.some((feed) => feed.kind === 'failed')) process.exitCode = 1
      }),
    )
  feeds
    .command('list')
    .description('list all feeds with their status, history and rejected entries')
    .option('--json', 'one JSON line for each feed')
    .action((options: Json, command: Command) => withApp(command, (app) => listFeeds(app, options)))
  feeds
    .command('retry')
    .description('fetch a feed now that is gone or waiting after a failure')
    .argument('<url>', 'as in the job file')
    .action((url: string, _: object, command: Command) => withApp(command, (app) => refreshFailedFeed(app, url)))
  const addDecision = (name: string, description: string, act: typeof releaseFeed, done: string) =>
    feeds
      .command(name)
      .description(description)
      .argument('<url>', 'the address of a feed with quarantined articles')
      .option(...whoOption)
      .action((url: string, { who }: { who: string }, command: Command) =>
        withApp(command, async (app) => print(`${url}: ${await act(app, url, who)} articles ${done}`)),
      )
  addDecision(
    'release',
    'treat the quarantined articles of a feed as new: they can be chosen',
    releaseFeed,
    'are pending',
  )
  addDecision(
    'ignore',
    'treat the quarantined articles of a feed as old: never send them',
    ignoreFeed,
    'are known or backlog',
  )
  feeds
    .command('test')
    .description('read feeds from addresses or files and print their articles; nothing is saved')
    .argument('<source...>', 'http(s) address or file')
    .option('--json', 'one JSON line for each source')
    .action(testFeeds)
  addFeedListCommands(feeds)
}

/** For each feed; with --json all stored ones. */
const maxRejectionsShown = 5

const feedIdOf = ({ feedId }: { feedId: string }) => feedId

/** Lists every feed ever fetched: status, last success, history and rejected entries. */
async function listFeeds({ db, config, clock }: App, options: Json): Promise<void> {
  const historyByFeed = Map.groupBy(await feedEvents(db), ({ feed }) => feed)
  const alertAfter = parseDurationMs(config.feeds.alertAfter)
  const rejectionsByFeed = Map.groupBy(
    await lastRejections(db, options.json ? maxRejectionsPerFeed : maxRejectionsShown),
    feedIdOf,
  )
  const quarantined = await quarantinedByFeed(db)
  const rows = (await allFeeds(db)).map((feed) => ({
    feed,
    held: quarantined.get(feed.id)?.reason ?? null,
    health: healthOf(feed, alertAfter, clock.now(), quarantined.get(feed.id)),
    history: historyByFeed.get(feed.id) ?? [],
    rejections: (rejectionsByFeed.get(feed.id) ?? []).map(({ feedId: _feed, entry: _entry, ...one }) => one),
  }))
  if (rows.length === 0)
    printStderr('No feed has been fetched yet: lastword feeds refresh fetches the feeds in the job files.')
  if (options.json) {
    for (const { feed, held, health, history, rejections } of rows)
      printJson({
        ...feed,
        error: feed.error && reasonWithText(feed.error),
        state: health.state,
        health: reasonWithText(health.reason),
        quarantined: held && reasonWithText(held),
        history: history.map(eventWithText),
        rejections: rejections.map((one) => ({ ...one, reason: reasonWithText(one.reason) })),
      })
    return
  }
  const lines = formatTable(
    rows.map(({ feed, held, health }) => [
      feed.url,
      held === null ? health.state : `quarantined: ${describeReason(held)}`,
      feed.succeededAt ?? 'never fetched',
      `${sanitizeLine(feed.title)}: ${sanitizeLine(describeReason(health.reason))}`,
    ]),
  ).split('\n')
  rows.forEach(({ history, rejections }, index) => {
    print(lines[index] ?? '')
    for (const event of history) print(`    ${event.at}  ${sanitizeLine(eventLine(event))}`)
    for (const one of rejections) print(`    ${one.lastAt}  rejected: ${sanitizeLine(rejectionText(one))}`)
  })
}

/** What happened, and who decided it. */
function eventLine(event: PastEvent): string {
  const name = personName(event.actor)
  return `${name === undefined ? '' : `${name}: `}${describeEvent(event)}`
}

async function refreshFailedFeed(app: App, url: string): Promise<void> {
  if (!(await retryFeedNow(app.db, url)))
    throw new AppError('missing', `no feed has the address ${url}`, { hint: 'lastword feeds list prints them all.' })
  for (const feed of await refreshNow(app, [url])) {
    print(refreshText(feed))
    if (feed.kind === 'failed') process.exitCode = 1
  }
}

function refreshJson(feed: RefreshResult) {
  return feed.kind === 'failed' ? { ...feed, reason: reasonWithText(feed.reason) } : feed
}

function refreshText(feed: RefreshResult): string {
  if (feed.kind === 'failed') return `failed     ${sanitizeLine(`${feed.url}: ${describeReason(feed.reason)}`)}`
  if (feed.kind === 'unchanged') return `unchanged  ${feed.url}`
  const rejected = feed.rejected ? `, ${feed.rejected} rejected` : ''
  return `read       ${feed.url}: ${feed.articles} articles, ${feed.added} new${rejected}`
}

async function testFeeds(sources: string[], options: Json, command: Command): Promise<void> {
  const fetcher = lazyFetcher(command)
  for (const source of sources) {
    const tested = await testFeed(source, fetcher)
    if (options.json) printJson(tested)
    else printFeedTest(tested)
    if (!tested.ok) process.exitCode = 1
  }
  await fetcher.close()
}

type FeedTest = ReturnType<typeof toFeedTest>

async function testFeed(source: string, fetcher: Pick<Fetcher, 'get'>): Promise<FeedTest> {
  try {
    const { bytes, url, contentType } = await readSource(source, fetcher)
    const parsed = await parseFeed(bytes, { url, contentType })
    return 'failed' in parsed ? failedFeedTest(source, parsed.failed) : toFeedTest(source, parsed)
  } catch (error) {
    if (error instanceof AppError) return failedFeedTest(source, error.message)
    throw error
  }
}

/**
 * `count`: all entries of the feed with the rejected ones and the unread ones, which share one rejection. `link` is null
 * for a relative link in a file whose address is unknown.
 */
function toFeedTest(source: string, parsed: ParsedFeed) {
  const items = parsed.articles.map((article) => ({
    id: article.identity,
    title: article.title,
    link: linkOf(article.url),
    published: article.publishedAt,
    author: article.author,
    summary: article.summary,
    image: article.image?.url ?? null,
    imageAlt: article.image?.alt ?? '',
  }))
  const rejected = parsed.rejected.map(({ reason }) => ({ reason: reasonWithText(reason) }))
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

function failedFeedTest(source: string, error: string): FeedTest {
  return { source, ok: false, title: '', count: 0, items: [], rejected: [], error }
}

function printFeedTest(tested: FeedTest): void {
  if (!tested.ok) {
    print(`${tested.source}: ${sanitizeLine(tested.error ?? '')}`)
    const hint = allowHint(tested.error ?? '')
    if (hint) printStderr(hint)
    return
  }
  print(`${tested.source}: ${sanitizeLine(tested.title)}, ${tested.items.length} articles`)
  for (const item of tested.items)
    print(
      `  ${item.published ?? 'no date                 '}  ${sanitizeLine(item.title)}\n    ${sanitizeLine(item.link ?? 'no link')}`,
    )
  for (const { reason } of tested.rejected) print(`  rejected: ${sanitizeLine(reason.text)}`)
}
