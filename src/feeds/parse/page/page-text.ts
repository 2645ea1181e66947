import { isProbablyReaderable, Readability } from '@mozilla/readability'
import { parseHTML } from 'linkedom'
import { messageOf } from '../../../errors.ts'
import { resolveBase } from '../../../http/url.ts'
import type { Body } from '../../../store/articles/article.ts'
import { cleanBody } from '../../markup/clean-body.ts'
import { isTooDeep } from '../../markup/depth.ts'
import { isShown, type Visibility, visibilityIn, visible } from '../../markup/hidden-text.ts'
import { summaryText } from '../../markup/summary.ts'
import { plainText } from '../../markup/text.ts'
import { decodeText } from '../decode.ts'

export type PageContext = { url: string; contentType: string | null }

/** The article text of a page; all fields are empty if the page is not an article. */
export type PageText = { summary: string; author: string; body: Body | null }

/** In characters, nested elements, and tags. */
const limits = { length: 2_000_000, depth: 500, tags: 60_000 }

/**
 * Extracts the article of a page with Readability: its cleaned text, first sentences and byline. Takes up to seconds, so it
 * runs in a worker; `failed` is the reason if the page exceeds the limits.
 */
export function textOfPage(bytes: Uint8Array, { url, contentType }: PageContext): PageText | { failed: string } {
  try {
    const html = decodeText(bytes, contentType)
    if (html.length > limits.length) return { failed: `it is longer than ${limits.length} characters` }
    if (isTooDeep(html, limits.depth)) return { failed: `its tags are nested more than ${limits.depth} deep` }
    if (html.split('<').length > limits.tags) return { failed: `it has more than ${limits.tags} tags` }
    return extractText(html, url)
  } catch (error) {
    return { failed: `its text cannot be read: ${messageOf(error)}` }
  }
}

/** A heading before the text repeats the title. */
const leadingHeading = /^<(h[34])>[^<]*<\/\1>/

const emptyPageText: PageText = { summary: '', author: '', body: null }

function extractText(html: string, url: string): PageText {
  const { document } = parseHTML(html)
  removeHiddenText(document)
  if (!isProbablyReaderable(document)) return emptyPageText
  const base = resolveBase([document.querySelector('base')?.getAttribute('href') ?? ''], url)
  const article = new Readability(document).parse()
  const cleaned = article?.content ? cleanBody({ value: article.content, kind: 'html' }, base) : null
  const body = cleaned && { ...cleaned, html: cleaned.html.replace(leadingHeading, '') }
  if (!article || !body?.html) return emptyPageText
  return { summary: summaryText({ value: body.html, kind: 'html' }), author: bylineName(article.byline ?? ''), body }
}

type OpenElement = { node: Element; within: Visibility }

/** Removes hidden text before Readability drops the styles. `head` and `body` count as shown, because some pages show them by script. */
function removeHiddenText(document: Document): void {
  const waiting: OpenElement[] = [...document.children].map((node) => ({ node, within: visible }))
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    for (const child of [...next.node.childNodes]) {
      if (child.nodeType === textNode && !isShown(next.within)) child.remove()
      if (child.nodeType !== elementNode) continue
      const within = visibilityOf(child as Element, next.within)
      if (within.isRemoved) child.remove()
      else waiting.push({ node: child as Element, within })
    }
  }
}

const [elementNode, textNode] = [1, 3]

function visibilityOf(element: Element, around: Visibility): Visibility {
  const name = element.localName.toLowerCase()
  if (name === 'body' || name === 'head') return visible
  const attributes = [...element.attributes].map((one) => [one.name.toLowerCase(), one.value] as const)
  return visibilityIn(around, name, Object.fromEntries(attributes))
}

/** `By Mira Vance` → Mira Vance; empty for a whole sentence. */
function bylineName(byline: string): string {
  const name = plainText({ value: byline, kind: 'text' }, 300).replace(/^by:?\s+/i, '')
  return name.length > 80 || /^(?:https?:|@|www\.)/i.test(name) ? '' : name
}
