import { type PageCheck, recheckPage } from '../articles/recheck-page.ts'
import type { Fetcher } from '../http/fetcher.ts'
import { forEachPerHost } from '../http/per-host.ts'
import type { Article } from '../store/articles/article.ts'
import { titleWords } from '../store/articles/canonical-address.ts'
import { type Reason, withFurther } from '../store/events/reason.ts'
import { minute, second } from '../time/clock.ts'
import { areTitlesAlike } from './stories/titles.ts'

/** Result of the check of an article before the seal. `marked`: the page has another title or address. */
export type Finding = { article: Article; kind: 'gone' | 'marked' | 'unchecked'; reason: Reason }

/** Findings and page answers by article id. */
export type PreflightFindings = Map<
  string,
  { finding?: Pick<Finding, 'kind' | 'reason'>; answer?: PageCheck | undefined }
>

/** Results of all check rounds of one edition. */
export type PreflightState = {
  found: PreflightFindings
  /** See `preflightDeadline`. */
  deadline: number
  /** Page answers for the corrections to print, by URL. */
  correctionAnswers: Map<string, PageCheck>
}

export type CheckPage = (url: string) => Promise<PageCheck>

const maxParallel = 8
/** Per host; most publications have one host. */
const maxPerHost = 2
/** Limits in milliseconds for one page and for one round, so that a slow site does not delay an edition. */
const pageTimeoutMs = 4 * second
const roundTimeoutMs = 30 * second
/** Limit in milliseconds for all rounds: after gone articles, the next candidates are checked in further rounds. */
const totalTimeoutMs = 5 * minute

/** Creates a check that fetches pages with the guarded client. */
export function createPageCheck(fetcher: Fetcher): CheckPage {
  return (url) => recheckPage(fetcher, url, pageTimeoutMs)
}

/** Deadline for all rounds of one edition, in milliseconds of `performance.now()`. */
export function preflightDeadline(): number {
  return performance.now() + totalTimeoutMs
}

/** Findings, and the answers of pages by article id. */
export type PreflightResult = { findings: Finding[]; answers: Map<string, PageCheck> }

/**
 * Fetches the pages of articles again, at most eight in parallel and two per host. An article without a usable answer
 * before the deadline is `unchecked`.
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

/** Pages add the name of the site to the headline. */
function hasHeadline(heading: string, title: string): boolean {
  const words = new Set(titleWords(heading))
  return areTitlesAlike(heading, title) || titleWords(title).every((word) => words.has(word))
}

/** Host and port of a URL; empty for an invalid URL. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : ''
}
