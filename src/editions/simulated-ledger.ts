import type { Article, Candidate, WithLastShown } from '../store/articles/articles.ts'
import { findSamePairsSync, type Story, StoryGroups } from './stories/same-story.ts'

export type PastArticle = Article & WithLastShown

type PublishedAs = NonNullable<Candidate['publishedAs']> | null

/** What a digest knows, in memory: its articles with their stories, and what has become of each. */
export class SimulatedLedger {
  readonly #entries = new Map<string, { article: PastArticle; story: Story }>()
  readonly #backlog: Set<string>
  /** The numbers of the editions that hold an article. */
  readonly #heldBy = new Map<string, number | null>()

  constructor(backlog: Set<string>) {
    this.#backlog = backlog
  }

  /** Takes articles in, and joins those that tell the same story. */
  add(articles: PastArticle[]): void {
    const known = this.#stories()
    for (const article of articles) this.#entries.set(article.id, { article, story: asStory(article) })
    const added = new Set(articles.map(({ id }) => id))
    const fresh = this.#stories().filter(({ id }) => added.has(id))
    const stories = new StoryGroups([...known, ...fresh])
    stories.join(findSamePairsSync(fresh, known))
    const roots = new Map(stories.joined().map(({ was, is }) => [was, is]))
    for (const { story } of this.#entries.values()) story.sameAs = roots.get(story.sameAs ?? story.id) ?? story.sameAs
  }

  pending(): Candidate[] {
    const entries = [...this.#entries.values()].filter(
      ({ article: { id } }) => !this.#heldBy.has(id) && !this.#backlog.has(id),
    )
    const told = this.#tellers()
    return entries.map(({ article, story }) => ({
      ...article,
      story: story.sameAs ?? article.id,
      since: article.seenAt,
      told: told(article, story.sameAs ?? article.id),
    }))
  }

  markBacklog({ id }: Candidate): void {
    this.#backlog.add(id)
  }

  markPrinted({ id }: Candidate, number: number | null): void {
    this.#heldBy.set(id, number)
  }

  /** A letter tells nobody else's story. */
  #stories(): Story[] {
    return [...this.#entries.values()].filter(({ article }) => !article.letter).map(({ story }) => story)
  }

  /** Which copy has told a story already: one that an edition holds, or one of the same feed that is backlog. */
  #tellers(): (article: PastArticle, story: string) => PublishedAs {
    const copies = Map.groupBy(this.#entries.values(), ({ article, story }) => story.sameAs ?? article.id)
    return (article, story) => {
      const others = (copies.get(story) ?? []).map((entry) => entry.article).filter(({ id }) => id !== article.id)
      const sent = others.find(({ id }) => this.#heldBy.has(id))
      if (sent)
        return {
          title: sent.title,
          source: sent.source || sent.feedUrl,
          how: `which is in edition ${this.#heldBy.get(sent.id)}`,
        }
      const old = others.find(({ id, feedUrl }) => feedUrl === article.feedUrl && this.#backlog.has(id))
      return old ? { title: old.title, source: old.source || old.feedUrl, how: 'which is backlog' } : null
    }
  }
}

function asStory({ shown, ...article }: PastArticle): Story {
  return { ...article, shownAt: shown.at, sameAs: null, unlike: null }
}
