import { type AskedAgain, askAgain } from '../feeds/ask-again.ts'
import type { Fetcher } from '../feeds/fetch.ts'
import type { Article } from '../store/articles.ts'
import { titleWords } from '../store/canonical.ts'
import { alike } from './same.ts'

/** What was found about an article just before the seal: it is gone, or something that an editor should know. */
export type Finding = { article: Article; kind: 'gone' | 'marked'; words: string }

export type Check = (url: string) => Promise<AskedAgain>

const atOnce = 8
/** For one page, and for all of them: an edition does not wait for a slow site. In milliseconds. */
const timeLimit = 4000
const timeLimitAll = 30_000

/** The check that asks the web, through the guarded client. */
export function checkWith(fetcher: Fetcher): Check {
  return (url) => askAgain(fetcher, url, timeLimit)
}

/** What was found, and what each page said that answered in time. */
export type Looked = { findings: Finding[]; answers: Map<string, AskedAgain> }

/**
 * Asks for the articles again, at most eight at once and one at a time of each host. What the network does not answer
 * is no finding.
 */
export async function lateFindings(articles: Article[], check: Check): Promise<Looked> {
  const until = performance.now() + timeLimitAll
  const hosts = [...Map.groupBy(articles, ({ url }) => hostOf(url)).values()].values()
  const findings: Finding[] = []
  const answers = new Map<string, AskedAgain>()
  const askers = Array.from({ length: atOnce }, async () => {
    for (const sameHost of hosts) {
      for (const article of sameHost) {
        if (performance.now() > until) return
        const answer = await check(article.url)
        answers.set(article.id, answer)
        const finding = findingOf(article, answer)
        if (finding) findings.push(finding)
      }
    }
  })
  await Promise.all(askers)
  return { findings, answers }
}

function findingOf(article: Article, answer: AskedAgain): Finding | undefined {
  if (answer.kind === 'unknown') return undefined
  if (answer.kind === 'gone') return { article, kind: 'gone', words: `cut just before the seal: ${answer.reason}` }
  const words = [
    ...(answer.title && !isHeaded(answer.title, article.title) ? [`its page is headed “${answer.title}” now`] : []),
    ...(answer.canonical !== article.canonical ? [`its page is at ${answer.canonical} now`] : []),
  ]
  return words.length > 0 ? { article, kind: 'marked', words: words.join(', and ') } : undefined
}

/** A page adds the name of its site to the headline. */
function isHeaded(heading: string, title: string): boolean {
  const words = new Set(titleWords(heading))
  return alike(heading, title) || titleWords(title).every((word) => words.has(word))
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : ''
}
