import { decodeHTML, escapeText } from 'entities'
import sanitize from 'sanitize-html'
import type { Body } from '../../store/articles/article.ts'
import { toBlocks } from './body-blocks.ts'
import { isTooDeep } from './depth.ts'
import { isShown, type Visibility, visibilityIn, visible } from './hidden-text.ts'
import { looksLikeHtml } from './html-guess.ts'
import { simplify } from './simplify.ts'
import type { RichText } from './text.ts'

/**
 * The full text of an article as safe HTML (see `Body`), with links made absolute from `base`. Null if it has no text, or
 * tags nested more than 200 deep.
 */
export function cleanBody(rich: RichText, base: string): Body | null {
  const markup = toMarkup(rich).slice(0, maxMarkupLength)
  if (isTooDeep(markup, maxDepth)) return null
  return toBlocks(sanitize(simplify(markup, '<br>'), { ...options, ...withoutHiddenText() }), base)
}

/** Hooks of sanitize-html that remove the text that a browser would not show. */
function withoutHiddenText(): Pick<sanitize.IOptions, 'onOpenTag' | 'onCloseTag' | 'textFilter'> {
  const open: { name: string; within: Visibility }[] = []
  const here = () => open.at(-1)?.within ?? visible
  return {
    onOpenTag: (name, attributes) => void open.push({ name, within: visibilityIn(here(), name, attributes) }),
    onCloseTag(name) {
      const index = open.findLastIndex((one) => one.name === name)
      if (index >= 0) open.length = index
    },
    textFilter: (text) => (isShown(here()) ? text : ''),
  }
}

/** In characters; pictures as `data:` URLs are removed first. */
const maxMarkupLength = 128 * 1024
/** sanitize-html takes time in proportion to length times depth. */
const maxDepth = 200

/** HTML unchanged, HTML that was escaped twice decoded once, plain text in paragraphs. */
function toMarkup({ value, kind }: RichText): string {
  const markup = value.slice(0, maxMarkupLength * 8).replace(inlineData, '')
  if (kind !== 'text' && !markup.includes('<') && markup.includes('&lt;')) {
    const once = decodeHTML(markup)
    if (once.includes('<') && looksLikeHtml(once)) return once
  }
  if (kind === 'html' || (kind === 'perhaps-html' && looksLikeHtml(markup))) return markup
  return markup
    .split(/\n[^\S\n]*\n\s*/)
    .map((paragraph) => `<p>${escapeText(paragraph)}</p>`)
    .join('')
}

const inlineData = /\ssrc(?:set)?="data:[^"]*"/gi

/** Elements that end a paragraph; `toBlocks` writes none of them. */
const blockTags =
  'div section article aside main header footer address center pre dl dt dd table caption tbody tr td th h1 h2 h5 h6 hr'
const keptTags = 'p br a em i strong b code blockquote ul ol li h3 h4'
const droppedTags =
  'script style noscript template head title svg math iframe object embed applet audio video canvas form button select ' +
  'option textarea figcaption'

const options: sanitize.IOptions = {
  allowedTags: `${keptTags} ${blockTags}`.split(' '),
  allowedAttributes: { a: ['href'], ol: ['start', 'type', 'reversed'], li: ['value'] },
  allowedSchemes: ['http', 'https'],
  nonTextTags: droppedTags.split(' '),
  parseStyleAttributes: false,
  parser: { recognizeSelfClosing: true }, // else `<iframe src="…"/>`, as in XML, would remove the rest of the text
}
