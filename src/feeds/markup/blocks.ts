import { plainText, unshownTags } from './text.ts'
import { Tokeniser } from './tokeniser.ts'

/** A paragraph, item or heading of a page as plain text; `article` counts the outermost articles, 0 is outside of all. */
export type Block = { text: string; article: number }

/** What stands further behind is not read: no page holds the event loop up for long. A long live blog has 15,000 tags. */
const maximumLength = 1024 * 1024
const maximumTags = 20_000
const longestBlock = 50_000
const boundaries = new Set(
  'address article aside blockquote body br dd details div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr html li main ol p pre section summary table td th tr ul'.split(
    ' ',
  ),
)
/** A head may lack its end; what is in it shows nothing anyway. */
const unseen = new Set([...unshownTags, 'title', 'textarea'].filter((name) => name !== 'head'))
/** What leads elsewhere or asks for something says nothing about the article. */
const passedOver = new Set(['nav', 'form', 'select', 'button'])

/**
 * The text of a page, block by block, without navigation, forms, what is a link as a whole, and articles within
 * articles (a reader's comment, a teaser). One pass, and no further than the first megabyte.
 */
export function* blocksOf(page: string): Generator<Block> {
  const html = page.slice(0, maximumLength)
  const tokens = new Tokeniser(html, 'html')
  let [articles, depth, skipping, tags, from] = [0, 0, 0, 0, 0]
  for (let token = tokens.next(); token; token = tokens.next()) {
    if (token.kind === 'text') continue
    if (++tags > maximumTags) return
    const name = token.name.toLowerCase()
    const isClosing = token.kind === 'close'
    if (unseen.has(name) && !isClosing) tokens.passContent(name)
    if (!boundaries.has(name) && !passedOver.has(name)) continue
    if (skipping === 0 && depth < 2) yield* blockFrom(html.slice(from, token.start), depth === 0 ? 0 : articles)
    from = tokens.at
    if (passedOver.has(name)) skipping = Math.max(0, skipping + (isClosing ? -1 : 1))
    if (name !== 'article') continue
    depth = Math.max(0, depth + (isClosing ? -1 : 1))
    if (depth === 1 && !isClosing) articles++
  }
  if (skipping === 0 && depth < 2) yield* blockFrom(html.slice(from), depth === 0 ? 0 : articles)
}

function* blockFrom(html: string, article: number): Generator<Block> {
  if (html.trim() === '' || /^\s*<a\b[^>]*>[^<]*<\/a>\s*$/i.test(html)) return
  const text = plainText({ value: html.slice(0, longestBlock), kind: 'html' }, 5000)
  if (text !== '') yield { text, article }
}

/** The blocks of the article that the page is about: the one with most text, or all if the page marks none. */
export function mainBlocks(page: string): string[] {
  const blocks = [...blocksOf(page)]
  const lengths = new Map<number, number>()
  for (const { text, article } of blocks)
    if (article > 0) lengths.set(article, (lengths.get(article) ?? 0) + text.length)
  const [longest] = [...lengths].sort(([, one], [, other]) => other - one)
  return blocks.filter(({ article }) => longest === undefined || article === longest[0]).map(({ text }) => text)
}
