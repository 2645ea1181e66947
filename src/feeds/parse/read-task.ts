import { type RobotsRules, readRobots } from '../../http/robots.ts'
import type { PageFacts } from '../../store/articles/article.ts'
import { feedLinks } from '../discover.ts'
import { type OpmlFeeds, readOpml } from '../opml.ts'
import { decodeText } from './decode.ts'
import type { ParsedFeed } from './feed.ts'
import { readPageFacts } from './page/page-facts.ts'
import { type PageState, readPageState } from './page/page-state.ts'
import type { PageContext, PageText } from './page/page-text.ts'
import { type FeedContext, parseInThisThread } from './parse-feed.ts'
import type { NotAFeed } from './xml/root.ts'

type ReadFailure = { failed: string }

/** What a worker does with the bytes of strangers, and what it answers; `failed` says in words why it cannot. */
export type ReaderTasks = {
  /** The articles of a feed. */
  feed: { context: FeedContext; answer: ParsedFeed | NotAFeed }
  /** The text of a page, what it says of itself, how it stands, and the feeds that it names. */
  text: { context: PageContext; answer: PageText | ReadFailure }
  facts: { context: PageContext; answer: PageFacts | ReadFailure }
  state: { context: PageContext; answer: PageState | ReadFailure }
  links: { context: PageContext; answer: string[] | ReadFailure }
  /** A list of feeds. */
  opml: { context: null; answer: OpmlFeeds | ReadFailure }
  /** A robots.txt. */
  robots: { context: null; answer: RobotsRules | ReadFailure }
}

export type TaskKind = keyof ReaderTasks
export type Task = {
  [K in TaskKind]: { kind: K; bytes: Uint8Array<ArrayBuffer>; context: ReaderTasks[K]['context'] }
}[TaskKind]
export type TaskAnswer = ReaderTasks[TaskKind]['answer']

/** Reads what a task has, on the thread that calls it. */
export async function readTask(task: Task): Promise<TaskAnswer> {
  const { kind, bytes, context } = task
  if (kind === 'feed') return await parseInThisThread(bytes, context)
  if (kind === 'robots') return readRobots(decodeText(bytes, 'text/plain; charset=utf-8'))
  if (kind === 'opml') return readOpml(decodeText(bytes, 'application/xml'))
  if (kind === 'text') return (await import('./page/page-text.ts')).textOfPage(bytes, context) // half a second of packages
  const { url, contentType } = context
  const html = decodeText(bytes, contentType)
  if (kind === 'facts') return readPageFacts(html, url)
  return kind === 'state' ? readPageState(html, url) : feedLinks(html, url)
}
