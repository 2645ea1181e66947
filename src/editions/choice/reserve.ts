import type { Candidate } from '../../store/articles/articles.ts'

/** A demand for reserved places for `count` fitting articles. */
export type PlaceDemand = { count: number; fits(article: Candidate): boolean }

/** Maximum rules for reserved places. `count` with -1 releases an article. */
export type PlaceLimits = { allow(article: Candidate): boolean; count(article: Candidate, by: 1 | -1): void }

/** Maximum number of search steps. About ten are usual; conflicting rules take more. */
const maxSearchSteps = 2000

/**
 * Finds articles that meet all demands within the limits, or as many demands as possible; earlier articles are
 * preferred. One article may meet several demands.
 */
export function reservePlaces(articles: Candidate[], demands: PlaceDemand[], limits: PlaceLimits): Candidate[] {
  return new PlaceSearch(articles, demands, limits).run()
}

type OpenDemand = { count: number; fitting: Set<Candidate> }

class PlaceSearch {
  readonly #demands: OpenDemand[]
  readonly #limits: PlaceLimits
  readonly #goal: number
  readonly #taken: Candidate[] = []
  #best: Candidate[] = []
  #bestMet = 0
  #steps = 0

  constructor(articles: Candidate[], demands: PlaceDemand[], limits: PlaceLimits) {
    this.#demands = demands.map((demand) => ({
      count: demand.count,
      fitting: new Set(articles.filter((article) => demand.fits(article))),
    }))
    this.#limits = limits
    this.#goal = this.#sum(({ count, fitting }) => Math.min(count, fitting.size))
  }

  run(): Candidate[] {
    this.#search(0, 0)
    return this.#best
  }

  /** Continues with demand `index`, from position `from` of its fitting articles. True: the search is finished. */
  #search(index: number, from: number): boolean {
    this.#keepIfBest()
    if (this.#bestMet === this.#goal || ++this.#steps > maxSearchSteps) return true
    const demand = this.#demands[index]
    if (!demand) return false
    const isOpen = this.#metOf(demand) < demand.count
    return (isOpen && this.#tryEach(demand, index, from)) || this.#search(index + 1, 0)
  }

  #tryEach({ fitting }: OpenDemand, index: number, from: number): boolean {
    return [...fitting].slice(from).some((article, offset) => {
      if (this.#taken.includes(article) || !this.#limits.allow(article)) return false
      this.#taken.push(article)
      this.#limits.count(article, 1)
      const isDone = this.#search(index, from + offset + 1)
      this.#taken.pop()
      this.#limits.count(article, -1)
      return isDone
    })
  }

  #keepIfBest(): void {
    const met = this.#sum((demand) => this.#metOf(demand))
    if (met <= this.#bestMet) return
    this.#bestMet = met
    this.#best = [...this.#taken]
  }

  #metOf({ count, fitting }: OpenDemand): number {
    return Math.min(count, this.#taken.filter((article) => fitting.has(article)).length)
  }

  #sum(value: (demand: OpenDemand) => number): number {
    return this.#demands.reduce((sum, demand) => sum + value(demand), 0)
  }
}
