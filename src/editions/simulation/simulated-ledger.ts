import type { Article } from '../../store/articles/article.ts'
import type { Candidate, WithLastShown } from '../../store/articles/articles.ts'
import type { Letter } from '../../store/letters/letters.ts'
import { fingerprintText } from '../../text/text-fingerprint.ts'
import type { Instant } from '../../time/clock.ts'
import { type Choice, itemOf } from '../choice/choice.ts'
import type { Pending } from '../choice/select.ts'
import { findPairsSync } from '../stories/same-story.ts'
import type { Story } from '../stories/story.ts'
import { StoryGroups } from '../stories/story-groups.ts'

export type PastArticle = Article & WithLastShown

type PublishedAs = NonNullable<Candidate['publishedAs']> | null

/** A digest's ledger in memory: articles with their stories, letters, and the edition that holds each of them. */
export class SimulatedLedger {
  readonly #entries = new Map<string, { article: PastArticle; story: Story }>()
  readonly #backlog: Set<string>
  readonly #letters: Letter[]
  /** The number of the edition that holds an article or letter, by its id. */
  readonly #heldBy = new Map<string, number | null>()

  constructor(backlog: Set<string>, letters: Letter[]) {
    this.#backlog = backlog
    this.#letters = letters
  }

  /** Adds articles, and groups those about the same story. */
  add(articles: PastArticle[]): void {
    const known = this.#stories()
    for (const article of articles) this.#entries.set(article.id, { article, story: asStory(article) })
    const added = new Set(articles.map(({ id }) => id))
    const fresh = this.#stories().filter(({ id }) => added.has(id))
    const stories = new StoryGroups([...known, ...fresh])
    stories.join(findPairsSync(fresh, known).same)
    const roots = new Map(stories.joined().map(({ was, is }) => [was, is]))
    for (const { story } of this.#entries.values()) story.sameAs = roots.get(story.sameAs ?? story.id) ?? story.sameAs
  }

  /** The articles and letters that an edition due at that instant may include. */
  pendingAt(dueAt: Instant): Pending {
    const letters = this.#letters.filter(({ id, enteredAt }) => !this.#heldBy.has(id) && enteredAt <= dueAt)
    return { articles: this.#pendingArticles(), letters: letters.map((letter) => ({ ...letter, retracted: null })) }
  }

  markBacklog({ id }: Candidate): void {
    this.#backlog.add(id)
  }

  markPrinted(choice: Choice, number: number | null): void {
    this.#heldBy.set(itemOf(choice).id, number)
  }

  #pendingArticles(): Candidate[] {
    const entries = [...this.#entries.values()].filter(
      ({ article: { id } }) => !this.#heldBy.has(id) && !this.#backlog.has(id),
    )
    const publishedAs = this.#publishedCopies()
    return entries.map(({ article, story }) => ({
      ...article,
      story: story.sameAs ?? article.id,
      addedAt: article.seenAt,
      publishedAs: publishedAs(article, story.sameAs ?? article.id),
    }))
  }

  #stories(): Story[] {
    return [...this.#entries.values()].map(({ story }) => story)
  }

  /** Finds the copy that published a story: one in an edition, or one from the same feed in the backlog. */
  #publishedCopies(): (article: PastArticle, story: string) => PublishedAs {
    const copies = Map.groupBy(this.#entries.values(), ({ article, story }) => story.sameAs ?? article.id)
    return (article, story) => {
      const others = (copies.get(story) ?? []).map((entry) => entry.article).filter(({ id }) => id !== article.id)
      const sent = others.find(({ id }) => this.#heldBy.has(id))
      if (sent)
        return {
          title: sent.title,
          source: sent.source || sent.feedUrl,
          where: { code: 'copy-in-edition', number: this.#heldBy.get(sent.id) ?? null, dueAt: null },
        }
      const old = others.find(({ id, feedUrl }) => feedUrl === article.feedUrl && this.#backlog.has(id))
      return old ? { title: old.title, source: old.source || old.feedUrl, where: { code: 'copy-in-backlog' } } : null
    }
  }
}

function asStory({ shown, ...article }: PastArticle): Story {
  const textFingerprint = fingerprintText(article.summary)
  return { ...article, textFingerprint, shownAt: shown.at, sameAs: null, unlike: null }
}
