import { Tokeniser } from '../../feeds/markup/tokeniser.ts'
import { tidyText } from '../../text/characters.ts'

/** A tag that a body may hold (see `Body`), or, with an empty name, the unchanged text between tags. */
export type BodyToken = { text: string; name: string; closing: boolean; href: string; numbers: Numbers }

/** Attributes of `<ol>` and `<li>` (HTML §4.4.5, §4.4.8). */
export type Numbers = { start?: string; type?: string; value?: string }

const names = new Set('p br a em i strong b code blockquote ul ol li h3 h4'.split(' '))

/** Splits the HTML of a body. What looks like any other tag is text. */
export function* bodyTokens(html: string): Generator<BodyToken> {
  const tokens = new Tokeniser(tidyText(html), 'xml')
  for (let token = tokens.next(); token; token = tokens.next()) {
    const { kind, name, start, end, closed } = token
    const attributes = kind === 'open' ? tokens.attributes(token) : {}
    const isTag = (kind === 'open' || kind === 'close') && names.has(name) && !closed && tokens.text[end - 1] === '>'
    const { href = '', ...numbers } = attributes
    if (isTag && Object.entries(attributes).every(([key, value]) => isAllowed(name, key, value ?? '')))
      yield { text: '', name, closing: kind === 'close', href, numbers }
    else yield { text: tokens.text.slice(start, end), name: '', closing: false, href: '', numbers: {} }
  }
}

function isAllowed(name: string, attribute: string, value: string): boolean {
  if (name === 'a') return attribute === 'href' && /^(?:https?:|$)/.test(value)
  if (name === 'li') return attribute === 'value' && /^-?\d{1,7}$/.test(value)
  return (
    name === 'ol' &&
    (attribute === 'start' ? /^-?\d{1,7}$/.test(value) : attribute === 'type' && /^[aAiI]$/.test(value))
  )
}
