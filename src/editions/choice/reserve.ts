import type { Candidate } from '../../store/articles/articles.ts'

/** Places to keep: for `count` articles of those that fit. */
export type PlaceDemand = { count: number; fits(article: Candidate): boolean }

/** What else has to be kept to. `count` with -1 takes back. */
export type PlaceLimits = { allow(article: Candidate): boolean; count(article: Candidate, by: 1 | -1): void }

/** Steps of the search. Some ten are usual; only rules that stand in each other's way take more. */
const maxSearchSteps = 2000

/**
 * Finds articles for all wants together, the first in order that the limits allow; where they do not allow all, as many as
 * they do. One article may serve several wants.
 */
export function reservePlaces(articles: Candidate[], demands: PlaceDemand[], limits: PlaceLimits): Candidate[] {
  const lists = demands.map((want) => articles.filter((article) => want.fits(article)))
  const fitting = lists.map((list) => new Set(list))
  const goal = demands.reduce((sum, { count }, index) => sum + Math.min(count, lists[index]?.length ?? 0), 0)
  const taken: Candidate[] = []
  let best: Candidate[] = []
  let bestMet = 0
  let steps = 0
  const metOf = (index: number) =>
    Math.min(demands[index]?.count ?? 0, taken.filter((article) => fitting[index]?.has(article)).length)

  /** Goes on with the want of this index, from this place of its list. True: nothing better will be found. */
  const search = (index: number, from: number): boolean => {
    const met = demands.reduce((sum, _, at) => sum + metOf(at), 0)
    if (met > bestMet) {
      bestMet = met
      best = [...taken]
    }
    if (bestMet === goal || ++steps > maxSearchSteps) return true
    const want = demands[index]
    if (!want) return false
    if (metOf(index) >= want.count) return search(index + 1, 0)
    const list = lists[index] ?? []
    for (let at = from; at < list.length; at++) {
      const article = list[at] as Candidate
      if (taken.includes(article) || !limits.allow(article)) continue
      taken.push(article)
      limits.count(article, 1)
      const done = search(index, at + 1)
      taken.pop()
      limits.count(article, -1)
      if (done) return true
    }
    return search(index + 1, 0) // with what there is of this one
  }

  search(0, 0)
  return best
}
