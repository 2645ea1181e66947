import { decodeHTML } from 'entities'
import { maxLength } from '../../config/field-limits.ts'
import { removeInvisible as cleaned, hasVisibleText } from '../../text/characters.ts'
import { isShown, mayShowAgain, type Visibility, visibilityIn, visible } from './hidden-text.ts'
import { holdsTags, isMarkup, looksLikeHtml } from './html-guess.ts'
import { wholeWords } from './sentences.ts'
import { simplify } from './simplify.ts'
import { inlineElements, type Token, Tokeniser, unshownTags, voidElements } from './tokeniser.ts'

/** A text as a feed or page has it; `kind` decides how it becomes plain text. */
export type RichText = { value: string; kind: 'text' | 'html' | 'perhaps-html' }

export const emptyRichText: RichText = { value: '', kind: 'text' }

/** Plain text on one line, without markup and control characters. `maximum` bounds the work; the text may be longer. */
export function plainText(rich: RichText, maximum = 2000): string {
  return foldWhitespace(strippedText(rich, maximum, stripTags))
}

type TagStripper = (html: string, maximum: number) => string

/** The text with entities decoded, and without its tags where they are markup. */
export function strippedText({ value, kind }: RichText, maximum: number, strip: TagStripper): string {
  const isHtml = kind === 'html' || (kind === 'perhaps-html' && looksLikeHtml(value))
  const once = isHtml ? decodeEntities(strip(value, maximum * 2)) : value.trimStart().slice(0, maximum * 4)
  // Many feeds escape twice: `&amp;#8217;` in a title means ’, and `&lt;/p&gt;` in a summary is markup. Beside real markup
  // an escaped tag is what the text is about.
  const twice = decodeEntities(once)
  const isEscapedTwice = kind !== 'text' && !(isHtml && holdsTags(value)) && isMarkup(twice)
  return isEscapedTwice ? decodeEntities(strip(twice, maximum)) : twice
}

/** A title, in which a lone `<p>` or `</table>` is a word. */
export function titleText({ value, kind }: RichText, maximum: number): string {
  const isAboutTags = kind === 'perhaps-html' && value.includes('<') && !isMarkup(value)
  return shortText({ value, kind: isAboutTags ? 'text' : kind }, maximum)
}

/** Plain text, cut at a word and with an ellipsis if it is longer than `maximum`. */
export function shortText(rich: RichText, maximum: number): string {
  const text = plainText(rich, maximum)
  return text.length > maximum ? `${wholeWords(text, maximum - 2)} …` : text
}

function decodeEntities(text: string): string {
  return entityPattern.test(text) ? decodeHTML(text) : text
}

/** In characters. */
export const maxSummaryLength = maxLength.summary

const entityPattern = /&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z\d]{1,30});/i

/** The text without tags, comments, scripts, styles and hidden text; stops after `maximum` characters. */
function stripTags(given: string, maximum: number): string {
  const html = simplify(given, '; ', maximum)
  const tokens = new Tokeniser(html, 'html')
  let out = ''
  let revealedUntil = 0
  for (let token = tokens.next(); token && out.length <= maximum; token = tokens.next()) {
    const { kind, start, end } = token
    const name = token.name.toLowerCase()
    if (kind === 'text') out += html.slice(start, Math.min(end, start + maximum + 1))
    else if (!inlineElements.has(name)) out += ' '
    if (kind === 'open' && !token.closed) revealedUntil = passHidden(tokens, token, name, revealedUntil)
  }
  return out
}

/**
 * Skips the content of an element that shows nothing. Up to `revealedUntil` a hidden element may show the text of a child;
 * returns its new value.
 */
export function passHidden(tokens: Tokeniser, token: Token, name: string, revealedUntil: number): number {
  if (unshownTags.has(name)) tokens.passContent(name)
  const within = visibilityOf(tokens, token, name)
  if (isShown(within) || (!within.isRemoved && token.start < revealedUntil)) return revealedUntil
  const close = tokens.endOfElement(name)
  if (mayShowAgain(within, tokens.text.slice(tokens.at, close))) return close
  tokens.at = close
  return revealedUntil
}

/** The visibility inside an element, from its own tag. */
function visibilityOf(tokens: Tokeniser, token: Token, name: string): Visibility {
  const isPlain = voidElements.has(name) || !mayHide.test(tokens.text.slice(token.start, token.end))
  return isPlain ? visible : visibilityIn(visible, name, tokens.attributes(token))
}

const mayHide = /[\s/"'](?:hidden|style|class)|^<dialog/i

/** On one line; empty if no character is visible, so that a fallback is used. */
export function foldWhitespace(text: string): string {
  const line = cleanCharacters(text)
    .replace(/[^\S ]\s*| \s+/g, ' ')
    .trim()
  return hasVisibleText(line) ? line : ''
}

/** The text without invisible characters and direction overrides, with Windows-1252 code points as Unicode. */
export function cleanCharacters(text: string): string {
  return cleaned(text.replace(windows1252Range, fromWindows1252))
}

const windows1252Range = /[\u0080-\u009f]/g

function fromWindows1252(character: string): string {
  return windows1252Characters[character.charCodeAt(0) - 0x80] ?? ''
}

/** `&#146;` means the Windows-1252 character (HTML §13.2.5.80). */
const windows1252Characters = [...'€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ']
