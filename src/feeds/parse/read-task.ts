import { readRobots } from '../../http/robots.ts'
import { readOpml } from '../opml.ts'
import { decodeText } from './decode.ts'
import { feedLinks } from './page/feed-links.ts'
import { readPageFacts } from './page/page-facts.ts'
import { readPageState } from './page/page-state.ts'
import { parseInThisThread } from './parse-feed.ts'
import type { Task, TaskAnswer } from './task.ts'

/** Runs a task on the calling thread. */
export async function readTask(task: Task): Promise<TaskAnswer> {
  const { kind, bytes, context } = task
  if (kind === 'feed') return await parseInThisThread(bytes, context)
  if (kind === 'robots') return readRobots(decodeText(bytes, 'text/plain; charset=utf-8'))
  if (kind === 'opml') return readOpml(decodeText(bytes, 'application/xml'))
  if (kind === 'text') return (await import('./page/page-text.ts')).textOfPage(bytes, context) // its packages load in half a second
  const { url, contentType } = context
  const html = decodeText(bytes, contentType)
  if (kind === 'facts') return readPageFacts(html, url)
  return kind === 'state' ? readPageState(html, url) : feedLinks(html, url)
}
