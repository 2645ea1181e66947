import { minute, second } from '../clock.ts'
import { type AskedAgain, askAgain } from '../feeds/ask-again.ts'
import type { Fetcher } from '../feeds/fetch.ts'
import { inLanes } from '../feeds/lanes.ts'
import type { Article } from '../store/articles.ts'
import { titleWords } from '../store/canonical.ts'
import { alike } from './titles.ts'

/** What was found about an article just before the seal: it is gone, something that an editor should know, or nothing. */
export type Finding = { article: Article; kind: 'gone' | 'marked' | 'unchecked'; words: string }

export type Check = (url: string) => Promise<AskedAgain>

const atOnce = 8
/** Of one host: most publications have one. */
const politely = 2
/** For one page, and for those of one round: an edition does not wait for a slow site. In milliseconds. */
const timeLimit = 4 * second
const timeLimitRound = 30 * second
/** For all rounds together, where much is gone and the next candidates are asked for in their turn. */
const timeLimitAll = 5 * minute

/** The check that asks the web, through the guarded client. */
export function checkWith(fetcher: Fetcher): Check {
  return (url) => askAgain(fetcher, url, timeLimit)
}

/** Until when pages are asked for in all rounds of one edition, by `performance.now()`. */
export function endOfChecks(): number {
  return performance.now() + timeLimitAll
}

/** What was found, and what each page said that answered in time. */
export type Looked = { findings: Finding[]; answers: Map<string, AskedAgain> }

/**
 * Asks for the articles again, at most eight at once and two at a time of each host. What does not answer, and what there
 * is no time for, is unchecked, and nothing is said against it.
 */
export async function lateFindings(articles: Article[], check: Check, end: number): Promise<Looked> {
  const until = Math.min(end, performance.now() + timeLimitRound)
  const answers = new Map<string, AskedAgain>()
  await inLanes(articles, { atOnce, perLane: politely, laneOf: ({ url }) => hostOf(url) }, async ({ id, url }) => {
    if (performance.now() < until) answers.set(id, await check(url))
  })
  const findings = articles.flatMap((article) => findingOf(article, answers.get(article.id)) ?? [])
  return { findings, answers }
}

function findingOf(article: Article, answer: AskedAgain | undefined): Finding | undefined {
  if (answer === undefined) return { article, kind: 'unchecked', words: 'not checked: no time was left' }
  if (answer.kind === 'unknown')
    return { article, kind: 'unchecked', words: `not checked: ${answer.reason || 'its page did not answer'}` }
  if (answer.kind === 'gone') return { article, kind: 'gone', words: `cut just before the seal: ${answer.reason}` }
  const words = [
    ...(answer.title && !isHeaded(answer.title, article.title) ? [`its page is headed “${answer.title}” now`] : []),
    ...(answer.canonical !== article.canonical ? [`its page is at ${answer.address} now`] : []),
  ]
  return words.length > 0 ? { article, kind: 'marked', words: words.join(', and ') } : undefined
}

/** A page adds the name of its site to the headline. */
function isHeaded(heading: string, title: string): boolean {
  const words = new Set(titleWords(heading))
  return alike(heading, title) || titleWords(title).every((word) => words.has(word))
}

/** The host and port of an address; empty where it is none. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : ''
}
