import type { RobotsRules } from '../../http/robots.ts'
import type { PageFacts } from '../../store/articles/article.ts'
import type { OpmlFeeds } from '../opml.ts'
import type { FeedContext, NotAFeed, ParsedFeed } from './feed.ts'
import type { PageState } from './page/page-state.ts'
import type { PageContext, PageText } from './page/page-text.ts'

type ReadFailure = { failed: string }

/** The tasks of a reader worker: what it needs beside the bytes, and its answer. `failed` is the reason, for a person. */
export type ReaderTasks = {
  feed: { context: FeedContext; answer: ParsedFeed | NotAFeed }
  /** The article text of a page. */
  text: { context: PageContext; answer: PageText | ReadFailure }
  /** The metadata of a page. */
  facts: { context: PageContext; answer: PageFacts | ReadFailure }
  /** The address, headline and correction of a page. */
  state: { context: PageContext; answer: PageState | ReadFailure }
  /** The feeds that a page links to. */
  links: { context: PageContext; answer: string[] | ReadFailure }
  opml: { context: null; answer: OpmlFeeds | ReadFailure }
  robots: { context: null; answer: RobotsRules | ReadFailure }
}

export type TaskKind = keyof ReaderTasks
export type Task = {
  [K in TaskKind]: { kind: K; bytes: Uint8Array<ArrayBuffer>; context: ReaderTasks[K]['context'] }
}[TaskKind]
export type TaskAnswer = ReaderTasks[TaskKind]['answer']

/** What a worker posts: the answer, and the size of its heap after the task. */
export type WorkerMessage = { answer: TaskAnswer; heapBytes: number }
