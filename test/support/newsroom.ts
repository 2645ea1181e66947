import { describeReason } from '../../src/describe/describe.ts'
import { compose } from '../../src/editions/compose/compose.ts'
import { type SealNeeds, seal } from '../../src/editions/seal.ts'
import type { NewArticle } from '../../src/store/articles/article.ts'
import { saveArticles } from '../../src/store/articles/articles.ts'
import { choicesOf } from '../../src/store/editions/choices.ts'
import { editionById } from '../../src/store/editions/editions.ts'
import { ensureFeeds } from '../../src/store/feeds/feeds.ts'
import { addMs } from '../../src/time/clock.ts'
import { makeDatedArticle, plainRender, type World } from './world.ts'

/** An article without a date, at an address made of its title. */
export function makeArticle(title: string, given: Partial<NewArticle> = {}): NewArticle {
  return { ...makeDatedArticle(title, new Date(0)), publishedAt: null, ...given }
}

/** Lets a feed show these articles, in this order, and nothing else. */
export async function publishArticles(it: World, url: string, articles: NewArticle[]): Promise<void> {
  const [feed] = await ensureFeeds(it.app.db, [url], it.clock.now())
  await saveArticles(it.app.db, feed?.id ?? '', articles, it.clock.now())
}

/**
 * Makes an edition now and seals it. `chosen` are the titles in it, but those of a first sight; `placed` says the section of
 * each, and `reasons` is by title, or by title and feed where several bear it.
 */
export async function sealedEdition(
  it: World,
  digest = { ...it.digest, thin: { ...it.digest.thin, minimum: 0 } },
  check?: SealNeeds['check'],
) {
  const made = await compose(it.app, digest, addMs(it.clock.now(), 0))
  const sealed = await seal({ ...it.app, render: plainRender, ...(check && { check }) }, made?.id ?? '', digest)
  const choices = (await choicesOf(it.app.db, sealed.id)).filter(({ title }) => !title.startsWith('First sight'))
  const chosen = choices.filter(({ position }) => position !== null)
  return {
    id: sealed.id,
    number: sealed.number,
    status: (await editionById(it.app.db, sealed.id))?.status,
    reason: sealed.reason && describeReason(sealed.reason),
    chosen: chosen.map(({ title }) => title),
    placed: chosen.map(({ title, section }) => `${section}: ${title}`),
    reasons: Object.fromEntries(choices.map(({ title, reason }) => [title, describeReason(reason)])),
  }
}
