import { plainText } from './text.ts'
import { Tokeniser, unshownTags } from './tokeniser.ts'

/** A paragraph, list item or heading as plain text; `article` is the number of the outermost article, 0 outside of all. */
export type Block = { text: string; article: number }

/** The rest of a page is not read. A long live blog has 15,000 tags. */
const maxLength = 1024 * 1024
const maxTags = 20_000
const maxBlockLength = 50_000
const boundaries = new Set(
  'address article aside blockquote body br dd details div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr html li main ol p pre section summary table td th tr ul'.split(
    ' ',
  ),
)
/** Without `head`, whose end tag may be missing; nothing in it is shown anyway. */
const unshown = new Set([...unshownTags, 'title', 'textarea'].filter((name) => name !== 'head'))
/** Navigation and forms are not part of an article. */
const skippedElements = new Set(['nav', 'form', 'select', 'button'])

/**
 * The text of a page, block by block, without navigation, forms, blocks that are only a link, and articles within
 * articles (a reader's comment, a teaser). One pass over at most the first megabyte.
 */
export function* blocksOf(page: string): Generator<Block> {
  const html = page.slice(0, maxLength)
  const tokens = new Tokeniser(html, 'html')
  const position = new Position()
  let [tags, from] = [0, 0]
  for (let token = tokens.next(); token; token = tokens.next()) {
    if (token.kind === 'text') continue
    if (++tags > maxTags) return
    const name = token.name.toLowerCase()
    const isClosing = token.kind === 'close'
    if (unshown.has(name) && !isClosing) tokens.passContent(name)
    if (!boundaries.has(name) && !skippedElements.has(name)) continue
    yield* blockFrom(html.slice(from, token.start), position.article)
    from = tokens.at
    position.pass(name, isClosing)
  }
  yield* blockFrom(html.slice(from), position.article)
}

/** The articles and skipped elements that are open at a place of the page. */
class Position {
  #articles = 0
  #articleDepth = 0
  #skippedDepth = 0

  /** The number of the article here, 0 outside of all; null where the text is left out. */
  get article(): number | null {
    if (this.#skippedDepth > 0 || this.#articleDepth > 1) return null
    return this.#articleDepth === 0 ? 0 : this.#articles
  }

  pass(name: string, isClosing: boolean): void {
    const step = isClosing ? -1 : 1
    if (skippedElements.has(name)) this.#skippedDepth = Math.max(0, this.#skippedDepth + step)
    if (name !== 'article') return
    this.#articleDepth = Math.max(0, this.#articleDepth + step)
    if (this.#articleDepth === 1 && !isClosing) this.#articles++
  }
}

function* blockFrom(html: string, article: number | null): Generator<Block> {
  if (article === null || html.trim() === '' || /^\s*<a\b[^>]*>[^<]*<\/a>\s*$/i.test(html)) return
  const text = plainText({ value: html.slice(0, maxBlockLength), kind: 'html' }, 5000)
  if (text !== '') yield { text, article }
}

/** The blocks of the article with the most text, or of the whole page if it has no `<article>`. */
export function mainBlocks(page: string): string[] {
  const blocks = [...blocksOf(page)]
  const lengths = new Map<number, number>()
  for (const { text, article } of blocks)
    if (article > 0) lengths.set(article, (lengths.get(article) ?? 0) + text.length)
  const [longest] = [...lengths].sort(([, one], [, other]) => other - one)
  return blocks.filter(({ article }) => longest === undefined || article === longest[0]).map(({ text }) => text)
}
