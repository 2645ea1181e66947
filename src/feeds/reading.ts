import type { PageFacts } from '../store/pages.ts'
import { decodeText } from './decode.ts'
import { feedLinks } from './discover.ts'
import type { ParsedFeed } from './feed.ts'
import { type Outline, readOpml } from './opml.ts'
import { readPage } from './page.ts'
import { type PageState, readState } from './page-state.ts'
import type { PageContext, PageText } from './page-text.ts'
import { type FeedContext, parseHere } from './parse.ts'
import { type Rules, readRobots } from './robots.ts'
import type { NotAFeed } from './root.ts'

type Failed = { failed: string }

/** What a worker does with the bytes of strangers, and what it answers; `failed` says in words why it cannot. */
export type Readings = {
  /** The articles of a feed. */
  feed: { context: FeedContext; answer: ParsedFeed | NotAFeed }
  /** The text of a page, what it says of itself, how it stands, and the feeds that it names. */
  text: { context: PageContext; answer: PageText | Failed }
  facts: { context: PageContext; answer: PageFacts | Failed }
  state: { context: PageContext; answer: PageState | Failed }
  links: { context: PageContext; answer: string[] | Failed }
  /** A list of feeds. */
  opml: { context: null; answer: Outline | Failed }
  /** A robots.txt. */
  robots: { context: null; answer: Rules | Failed }
}

export type Kind = keyof Readings
export type Task = { [K in Kind]: { kind: K; bytes: Uint8Array<ArrayBuffer>; context: Readings[K]['context'] } }[Kind]
export type Answer = Readings[Kind]['answer']

/** Reads what a task has, on the thread that calls it. */
export async function read(task: Task): Promise<Answer> {
  const { kind, bytes, context } = task
  if (kind === 'feed') return await parseHere(bytes, context)
  if (kind === 'robots') return readRobots(decodeText(bytes, 'text/plain; charset=utf-8'))
  if (kind === 'opml') return readOpml(decodeText(bytes, 'application/xml'))
  if (kind === 'text') return (await import('./page-text.ts')).textOfPage(bytes, context) // half a second of packages
  const { url, contentType } = context
  const html = decodeText(bytes, contentType)
  if (kind === 'facts') return readPage(html, url)
  return kind === 'state' ? readState(html, url) : feedLinks(html, url)
}
