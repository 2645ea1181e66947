import { Tokeniser } from '../../feeds/markup/tokeniser.ts'
import { tidyText } from '../../text/characters.ts'

/** A tag that a body may hold (see `Body`), or, with an empty name, the unchanged text between tags. */
export type BodyToken = { text: string; name: string; closing: boolean; href: string }

const names = new Set('p br a em i strong b code blockquote ul ol li h3 h4'.split(' '))

/** Splits the HTML of a body. What looks like any other tag is text. */
export function* bodyTokens(html: string): Generator<BodyToken> {
  const tokens = new Tokeniser(tidyText(html), 'xml')
  for (let token = tokens.next(); token; token = tokens.next()) {
    const { kind, name, start, end, closed } = token
    const { href = '', ...others } = kind === 'open' ? tokens.attributes(token) : {}
    const isTag = (kind === 'open' || kind === 'close') && names.has(name) && !closed && tokens.text[end - 1] === '>'
    const isAllowed = isTag && Object.keys(others).length === 0 && (name === 'a' ? /^(?:https?:|$)/ : /^$/).test(href)
    if (isAllowed) yield { text: '', name, closing: kind === 'close', href }
    else yield { text: tokens.text.slice(start, end), name: '', closing: false, href: '' }
  }
}
