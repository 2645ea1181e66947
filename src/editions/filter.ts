import type { Article } from '../store/articles.ts'
import { titleWords } from '../store/canonical.ts'
import type { Filter, Section } from './digest.ts'

/** Why the section's rules leave the article out, in words, or null. */
export function leftOut(article: Article, section: Section): string | null {
  const { include, exclude, name } = section
  const against = exclude && matching(article, exclude)
  if (against) return `the section ${name} leaves out ${against}`
  if (include && !matching(article, include)) return `the section ${name} takes in only ${named(include)}`
  return null
}

/** The first of the filter that the article matches: `the category “Sport”`. */
function matching(article: Article, { categories, words, authors }: Filter): string | undefined {
  const text = ` ${[...titleWords(article.title), ...titleWords(article.summary)].join(' ')} `
  const category = categories.find((wanted) => article.categories.some((one) => same(one, wanted)))
  if (category !== undefined) return `the category “${category}”`
  const author = authors.find((wanted) => same(article.author, wanted))
  if (author !== undefined) return `the author “${author}”`
  const word = words.find((wanted) => text.includes(` ${titleWords(wanted).join(' ')} `))
  return word === undefined ? undefined : `the word “${word}”`
}

function named({ categories, words, authors }: Filter): string {
  const lists = [
    ['categories', categories],
    ['authors', authors],
    ['words', words],
  ] as const
  return lists.flatMap(([what, list]) => (list.length > 0 ? [`${what} ${list.join(', ')}`] : [])).join(' or ')
}

function same(one: string, other: string): boolean {
  return titleWords(one).join(' ') === titleWords(other).join(' ')
}
