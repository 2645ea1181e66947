import { type PageCheck, recheckPage } from '../articles/recheck-page.ts'
import type { Fetcher } from '../http/fetcher.ts'
import { forEachPerHost } from '../http/per-host.ts'
import type { Article } from '../store/articles/article.ts'
import { titleWords } from '../store/articles/canonical-address.ts'
import { type Reason, withFurther } from '../store/events/reason.ts'
import { minute, second } from '../time/clock.ts'
import { areTitlesAlike } from './stories/titles.ts'

/** What was found about an article just before the seal: it is gone, something that an editor should know, or nothing. */
export type Finding = { article: Article; kind: 'gone' | 'marked' | 'unchecked'; reason: Reason }

/** What was found about each article that was asked for, by its id, and what its page answered. */
export type PreflightFindings = Map<
  string,
  { finding?: Pick<Finding, 'kind' | 'reason'>; answer?: PageCheck | undefined }
>

/** What is known from all rounds of one edition. */
export type PreflightState = {
  found: PreflightFindings
  /** See `preflightDeadline`. */
  deadline: number
  /** The answers of the pages whose corrections are to be printed, by address. */
  correctionAnswers: Map<string, PageCheck>
}

export type CheckPage = (url: string) => Promise<PageCheck>

const maxParallel = 8
/** Of one host: most publications have one. */
const maxPerHost = 2
/** For one page, and for those of one round: an edition does not wait for a slow site. In milliseconds. */
const pageTimeoutMs = 4 * second
const roundTimeoutMs = 30 * second
/** For all rounds together, where much is gone and the next candidates are asked for in their turn. */
const totalTimeoutMs = 5 * minute

/** The check that asks the web, through the guarded client. */
export function createPageCheck(fetcher: Fetcher): CheckPage {
  return (url) => recheckPage(fetcher, url, pageTimeoutMs)
}

/** Until when pages are asked for in all rounds of one edition, by `performance.now()`. */
export function preflightDeadline(): number {
  return performance.now() + totalTimeoutMs
}

/** What was found, and what each page said that answered in time. */
export type PreflightResult = { findings: Finding[]; answers: Map<string, PageCheck> }

/**
 * Asks for the articles again, at most eight at once and two at a time of each host. What does not answer, and what there
 * is no time for, is unchecked, and nothing is said against it.
 */
export async function runPreflight(articles: Article[], check: CheckPage, deadline: number): Promise<PreflightResult> {
  const roundDeadline = Math.min(deadline, performance.now() + roundTimeoutMs)
  const answers = new Map<string, PageCheck>()
  await forEachPerHost(
    articles,
    { maxParallel: maxParallel, maxPerHost: maxPerHost, hostFor: ({ url }) => hostOf(url) },
    async ({ id, url }) => {
      if (performance.now() < roundDeadline) answers.set(id, await check(url))
    },
  )
  const findings = articles.flatMap((article) => findingOf(article, answers.get(article.id)) ?? [])
  return { findings, answers }
}

function findingOf(article: Article, answer: PageCheck | undefined): Finding | undefined {
  if (answer === undefined) return { article, kind: 'unchecked', reason: { code: 'page-not-asked' } }
  if (answer.kind === 'unknown')
    return { article, kind: 'unchecked', reason: { code: 'page-unchecked', answer: answer.reason || null } }
  if (answer.kind === 'gone') return { article, kind: 'gone', reason: { code: 'page-gone', answer: answer.reason } }
  const title: Reason = { code: 'page-title', title: answer.title }
  const address: Reason = { code: 'page-address', url: answer.address }
  const hasOtherTitle = answer.title !== '' && !hasHeadline(answer.title, article.title)
  const hasMoved = answer.canonical !== article.canonical
  if (!hasOtherTitle && !hasMoved) return undefined
  const reason = hasOtherTitle ? withFurther(title, ...(hasMoved ? [address] : [])) : address
  return { article, kind: 'marked', reason }
}

/** A page adds the name of its site to the headline. */
function hasHeadline(heading: string, title: string): boolean {
  const words = new Set(titleWords(heading))
  return areTitlesAlike(heading, title) || titleWords(title).every((word) => words.has(word))
}

/** The host and port of an address; empty where it is none. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : ''
}
