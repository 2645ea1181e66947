import { type Attributes, Tokeniser } from '../../markup/tokeniser.ts'

/** An element with metadata of a page. `text` is the content of a script or title. */
export type HeadTag = { name: string; attributes: Attributes; text: string }

/** In characters; the rest of a page is not read. */
const maxLength = 1024 * 1024
const headElements = new Set(['link', 'meta', 'base', 'script', 'title'])
const rawTextElements = new Set(['script', 'title', 'style', 'noscript', 'textarea', 'template'])

/**
 * The link, meta, base, title and script elements of the head. Of the body only structured data (`application/ld+json`),
 * because the rest may come from readers' comments.
 */
export function* headTags(page: string): Generator<HeadTag> {
  const html = page.slice(0, maxLength)
  const tokens = new Tokeniser(html, 'html')
  let inBody = false
  for (let token = tokens.next(); token; token = tokens.next()) {
    if (token.kind !== 'open') continue
    const name = token.name.toLowerCase()
    inBody ||= name === 'body'
    const from = tokens.at
    const isRawText = rawTextElements.has(name)
    if (isRawText) tokens.passContent(name)
    const isCutOff = token.unfinished || (isRawText && tokens.at === html.length)
    if (isCutOff || !headElements.has(name)) continue
    const attributes = tokens.attributes(token)
    if (name === 'script' ? isStructuredData(attributes) : !inBody)
      yield { name, attributes, text: html.slice(from, tokens.at) }
  }
}

function isStructuredData({ type = '' }: Attributes): boolean {
  return type.toLowerCase().includes('ld+json')
}
