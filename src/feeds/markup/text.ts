import { decodeHTML } from 'entities'
import { maxLength } from '../../config/field-limits.ts'
import { removeInvisible as cleaned, hasVisibleText } from '../../text/characters.ts'
import {
  attributesIn,
  endOfHidden,
  isShown,
  mayShowAgain,
  type Visibility,
  visibilityIn,
  visible,
} from './hidden-text.ts'
import { wholeSentences, wholeWords } from './sentences.ts'

/** A text of a feed before it is ours. What it is written in decides how it becomes plain. */
export type RichText = { value: string; kind: 'text' | 'html' | 'perhaps-html' }

export const emptyRichText: RichText = { value: '', kind: 'text' }

/** Plain text on one line: no markup, entities decoded, white space folded, no control characters. */
export function plainText({ value, kind }: RichText, maximum = 2000): string {
  const isHtml = kind === 'html' || (kind === 'perhaps-html' && looksLikeHtml(value))
  const once = isHtml ? decodeEntities(stripTags(value, maximum * 2)) : value.trimStart().slice(0, maximum * 4)
  // Half of the feeds escape twice: &amp;#8217; in a title is meant as ’, and a summary with </p> in it as markup.
  const twice = decodeEntities(once)
  const bare = kind !== 'text' && htmlTagPattern.test(twice) ? decodeEntities(stripTags(twice, maximum)) : twice
  return foldWhitespace(bare)
}

/** The same, and where it is longer than `maximum` cut at a word, with an ellipsis. */
export function shortText(rich: RichText, maximum: number): string {
  const text = plainText(rich, maximum)
  return text.length > maximum ? `${wholeWords(text, maximum - 2)} …` : text
}

function decodeEntities(text: string): string {
  return entityPattern.test(text) ? decodeHTML(text) : text
}

/** A few sentences: cut at the end of the last one that fits, else at a word; without what WordPress adds to each. */
export function summaryText(rich: RichText): string {
  const maximum = maxSummaryLength
  const whole = plainText(rich, maximum * 3)
  const end = whole.lastIndexOf(' The post ')
  const own = end > 0 && / (?:appeared first|first appeared) on /.test(whole.slice(end)) ? whole.slice(0, end) : whole
  const text = own.endsWith('[…]') || own.endsWith('[...]') ? `${own.slice(0, own.lastIndexOf('[')).trim()} …` : own
  return wholeSentences(text, maximum)
}

/** Characters; what is no longer is no more than a summary. */
export const maxSummaryLength = maxLength.summary

const entityPattern = /&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z\d]{1,30});/i
const htmlNames =
  'a|abbr|article|b|big|blockquote|br|center|cite|code|dd|del|div|dl|dt|em|figure|figcaption|font|h[1-6]|hr|i|iframe|img|' +
  'ins|li|ol|p|pre|q|s|section|small|span|strike|strong|style|script|sub|sup|svg|table|tbody|td|th|tr|tt|u|ul|video|audio|object|embed'
const htmlTagPattern = new RegExp(`</(?:${htmlNames})\\s*>|<(?:br|p|img|hr)(?:\\s[^<>]{0,2000})?/?>`, 'i')

export function looksLikeHtml(value: string): boolean {
  return value.includes('<') ? htmlTagPattern.test(value) : value.includes('&')
}

/**
 * Takes tags, comments, scripts and styles away, in one pass over the text and no further than `maximum` characters of
 * result. Regular expressions for this go quadratic on "<<<<…"; the scanner does not.
 */
function stripTags(html: string, maximum: number): string {
  let out = ''
  let at = 0
  let revealedUntil = 0 // up to there an element that hides its text may show that of a child
  while (at < html.length && out.length <= maximum) {
    const open = html.indexOf('<', at)
    if (open < 0) return out + html.slice(at, at + maximum + 1)
    out += html.slice(at, Math.min(open, at + maximum + 1))
    if (!/[a-z/!?]/i.test(html[open + 1] ?? '')) {
      out += '<'
      at = open + 1
      continue
    }
    const end = tagEnd(html, open)
    if (end < 0) return out
    const name = /^<\/?([a-z][a-z\d:-]{0,20})/i.exec(html.slice(open, open + 24))?.[1]?.toLowerCase() ?? ''
    if (!inlineTags.has(name)) out += ' '
    const opens = html[open + 1] !== '/' && !selfClosingEnd.test(html.slice(end - 3, end))
    at = opens && unshownTags.has(name) ? endOfUnshownElement(html, name, end) : end
    const within = opens && name !== '' ? visibilityOf(html, name, open, end) : visible
    if (isShown(within) || (!within.isRemoved && open < revealedUntil)) continue
    const close = endOfHidden(html, name, end)
    if (mayShowAgain(within, html.slice(end, close))) revealedUntil = close
    else at = close
  }
  return out
}

/** What is shown in the element whose tag stands there, by that tag alone. */
function visibilityOf(html: string, name: string, open: number, end: number): Visibility {
  const tag = html.slice(open, end)
  const isPlain = voidTags.has(name) || !/[\s/"'](?:hidden|style|class)|^<dialog/i.test(tag)
  return isPlain ? visible : visibilityIn(visible, name, attributesIn(tag))
}

const voidTags = new Set(['br', 'hr', 'img', 'input', 'wbr', 'source', 'area', 'col', 'embed', 'link', 'meta', 'track'])

/** `<iframe src="…"/>`, as XML writes it: what stands behind is not in it. */
const selfClosingEnd = /["'\s]\/>$/

/** Where the tag or comment that begins at `open` ends; -1: nowhere. */
export function tagEnd(html: string, open: number): number {
  if (html.startsWith('<!--', open)) return indexAfter(html, '-->', open)
  const end = indexAfter(html, '>', open)
  if (end < 0) return -1
  // A ">" inside a quoted attribute: the quotes before it do not pair up.
  const quotes = html.slice(open, Math.min(end, open + 2000)).split('"').length - 1
  const closingQuote = quotes % 2 ? html.indexOf('"', end) : -1
  if (closingQuote < 0 || closingQuote - open > 2000) return end
  const further = indexAfter(html, '>', closingQuote)
  return further < 0 ? end : further
}

/** Where an element that shows nothing closes again. */
export function endOfUnshownElement(html: string, name: string, from: number): number {
  const close = html.slice(from, from + 200_000).search(new RegExp(`</${name}`, 'i'))
  return close < 0 ? html.length : from + close
}

function indexAfter(text: string, needle: string, from: number): number {
  const found = text.indexOf(needle, from)
  return found < 0 ? -1 : found + needle.length
}

export const unshownTags = new Set(['script', 'style', 'head', 'noscript', 'iframe', 'object', 'svg', 'template'])
const inlineTags = new Set(
  'a abbr b bdi bdo big cite code del dfn em font i ins kbd mark q s samp small span strike strong sub sup tt u var wbr'.split(
    ' ',
  ),
)

/** On one line; empty if nothing of it can be seen, so that other words take its place. */
function foldWhitespace(text: string): string {
  const line = cleanCharacters(text)
    .replace(/[^\S ]\s*| \s+/g, ' ')
    .trim()
  return hasVisibleText(line) ? line : ''
}

/** The text without what nobody sees or what turns its direction; numbers of Windows-1252 as the characters that they mean. */
export function cleanCharacters(text: string): string {
  return cleaned(text.replace(windows1252Range, fromWindows1252))
}

const windows1252Range = /[\u0080-\u009f]/g

function fromWindows1252(character: string): string {
  return windows1252Characters[character.charCodeAt(0) - 0x80] ?? ''
}

/** &#146; is meant as Windows-1252 by everyone who writes it. */
const windows1252Characters = [...'€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ']
