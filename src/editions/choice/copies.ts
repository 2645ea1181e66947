import type { Candidate } from '../../store/articles/articles.ts'
import type { Reason } from '../../store/events/reason.ts'
import { isPinned } from './pin.ts'

/** The story id of an article: the id of the story's first article. */
export function storyOf({ story, id }: Candidate): string {
  return story ?? id
}

/** Copies of one story in the order in which the digest lists their feeds, then newest first. */
export function sortByFeedPreference(copies: Candidate[], feeds: string[]): Candidate[] {
  return copies.toSorted((a, b) => feeds.indexOf(a.feedUrl) - feeds.indexOf(b.feedUrl) || compareNewestFirst(a, b))
}

/** For each story and feed, `newest` has the pinned or newest copy. `older` has the other copies, each with that one. */
export function newestCopies(articles: Candidate[]): {
  newest: Candidate[]
  older: { article: Candidate; newer: Candidate }[]
} {
  const copies = Map.groupBy(articles, (article) => `${storyOf(article)} ${article.feedUrl}`)
  const best = (some: Candidate[]) => some.find(isPinned) ?? (some.toSorted(compareNewestFirst)[0] as Candidate)
  const first = new Map([...copies].map(([key, some]) => [key, best(some)]))
  const newerOf = (article: Candidate) => first.get(`${storyOf(article)} ${article.feedUrl}`) as Candidate
  return {
    newest: articles.filter((article) => newerOf(article) === article),
    older: articles.flatMap((article) => (newerOf(article) === article ? [] : [{ article, newer: newerOf(article) }])),
  }
}

function compareNewestFirst(a: Candidate, b: Candidate): number {
  if (a.seenAt !== b.seenAt) return a.seenAt > b.seenAt ? -1 : 1
  return a.id < b.id ? -1 : 1
}

/** Returns a function from an article to the sorted names of other feeds with the same story. */
export function otherSourcesIn(pending: Candidate[]): (article: Candidate) => string[] {
  const copies = Map.groupBy(pending, storyOf)
  return (article) => {
    const others = (copies.get(storyOf(article)) ?? []).filter(({ feedUrl }) => feedUrl !== article.feedUrl)
    return [...new Set(others.map(({ source, feedUrl }) => source || feedUrl))].sort()
  }
}

type PublishedCopy = { title: string; source: string; feedUrl?: string; where?: Reason }

/** The reason for a copy passed over in favour of another one. `url`: the other copy's address, if the reason has one. */
export function sameStoryReason({ title, source, feedUrl = '', where }: PublishedCopy, url?: string): Reason {
  return { code: 'same-story', title, source: source || feedUrl, url: url ?? null, where: where ?? null }
}
