import { AppError } from '../../errors.ts'
import { articlesByUrl } from '../../store/articles/articles.ts'
import { choicesOf } from '../../store/editions/choices.ts'
import type { Db, EditionRow } from '../../store/schema.ts'
import { sanitizeLine } from '../terminal/output.ts'

const maxShown = 5

/**
 * The id of the article that a person names: its id, its address, or words of its headline. It is one that the edition
 * looked at; by its address also another. AppError `missing` for none, `conflict` for several.
 */
export async function findArticle(db: Db, edition: EditionRow, name: string): Promise<string> {
  const choices = await choicesOf(db, edition.id)
  const exact = choices.find(({ itemId, url }) => itemId === name || url === name)
  if (exact) return exact.itemId
  const isAddress = /^https?:/i.test(name)
  const byUrl = isAddress ? await articlesByUrl(db, name) : []
  const words = name.toLowerCase()
  const titled = isAddress || words === '' ? [] : choices.filter(({ title }) => title.toLowerCase().includes(words))
  const same = titled.filter(({ title }) => title.toLowerCase() === words)
  const found = [...byUrl, ...(same.length > 0 ? same : titled)].map((one) => ({
    id: 'itemId' in one ? one.itemId : one.id,
    title: one.title,
  }))
  const [only, ...others] = found
  if (!only)
    throw new AppError('missing', `no article of this edition matches “${name}”`, {
      hint: `lastword edition show ${edition.id} lists them; name one by its address, its id or words of its headline.`,
    })
  if (others.length === 0) return only.id
  const lines = found.slice(0, maxShown).map(({ id, title }) => `  ${id}  ${sanitizeLine(title)}`)
  throw new AppError('conflict', [`${found.length} articles match “${name}”:`, ...lines].join('\n'), {
    hint: 'Name one by its id.',
  })
}
