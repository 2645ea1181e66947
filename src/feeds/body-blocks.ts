import { decodeHTML, escapeAttribute, escapeText } from 'entities'
import type { Body } from '../store/articles.ts'
import { longest } from './longest.ts'
import { wholeSentences } from './sentences.ts'
import { withoutInvisible } from './text.ts'
import { webAddress } from './url.ts'

/** Characters to be read, of HTML, and paragraphs: what is longer ends before, after a whole paragraph. */
const limits = { text: longest.bodyText, html: longest.bodyHtml, leaves: 250 }
const deepestBox = 4

/**
 * HTML that sanitize-html made (balanced, its texts and attributes escaped) as a body: paragraphs, headings, lists and
 * quotes, well-formed whatever stood in what. Every tag is written here. Null: there is nothing to read.
 */
export function toBlocks(html: string, base: string): Body | null {
  const page = newPage(base)
  let unread = false
  for (const [token, closing, name = '', href] of html.matchAll(
    /<(\/?)([a-z][a-z\d]*)(?: href="([^"]*)")?(?: \/)?>|[^<]+/g,
  )) {
    unread = page.leaves > limits.leaves || page.read > limits.text
    if (unread) break
    if (token[0] !== '<') write(page, token)
    else if (closing) close(page, name)
    else open(page, name, href)
  }
  flush(page)
  return printed(page.top, unread)
}

type Leaf = { tag: 'p' | 'h3' | 'h4'; html: string; text: string }
type Box = { tag: 'blockquote' | 'ul' | 'ol' | 'li' | 'body'; children: (Leaf | Box)[] }
/** What an open tag of the input does to ours: nothing, or opens a word's element, a box, or a heading. */
type Effect = { name: string; does: 'nothing' | 'inline' | 'box' | 'heading' }

type Page = {
  base: string
  top: Box
  boxes: Box[]
  stack: Effect[]
  /** Elements open around words, each with its opening tag. */
  inline: { name: string; tag: string }[]
  heading: Leaf['tag'] | null
  html: string
  text: string
  /** Nothing was written since the last line break. */
  broken: boolean
  /** Paragraphs, and characters in them, so far. */
  leaves: number
  read: number
}

function newPage(base: string): Page {
  const top: Box = { tag: 'body', children: [] }
  return {
    base,
    top,
    boxes: [top],
    stack: [],
    inline: [],
    heading: null,
    html: '',
    text: '',
    broken: false,
    leaves: 0,
    read: 0,
  }
}

const words = new Set(['a', 'em', 'i', 'strong', 'b', 'code'])
const boxNames = new Set(['blockquote', 'ul', 'ol', 'li'])
const headings: Record<string, Leaf['tag']> = { h1: 'h3', h2: 'h3', h3: 'h3', h4: 'h4', h5: 'h4', h6: 'h4' }

function open(page: Page, name: string, href: string | undefined): void {
  if (name === 'br') breakLine(page)
  else if (name === 'hr') flush(page)
  else page.stack.push({ name, does: words.has(name) ? openWords(page, name, href) : openBlock(page, name) })
}

function openWords(page: Page, name: string, href = ''): Effect['does'] {
  if (page.inline.some((one) => one.name === name)) return 'nothing'
  const address = name === 'a' ? linkFrom(href, page.base) : ''
  if (address === null) return 'nothing'
  const tag = name === 'a' ? `<a href="${address}">` : `<${name}>`
  page.inline.push({ name, tag })
  page.html += tag
  return 'inline'
}

/** An address that may stand in an attribute of ours, or null. */
function linkFrom(href: string, base: string): string | null {
  const url = webAddress(decodeHTML(href), base)
  return url === null ? null : escapeAttribute(withoutInvisible(url)).replace(/</g, '%3C').replace(/>/g, '%3E')
}

function openBlock(page: Page, name: string): Effect['does'] {
  flush(page)
  const heading = headings[name]
  if (heading) page.heading = heading
  if (heading || !boxNames.has(name) || page.boxes.length > deepestBox) return heading ? 'heading' : 'nothing'
  if (name === 'li' && !isList(boxOf(page))) return 'nothing'
  const box: Box = { tag: name as Box['tag'], children: [] }
  boxOf(page).children.push(box)
  page.boxes.push(box)
  return 'box'
}

function close(page: Page, name: string): void {
  const effect = page.stack.pop()
  if (effect?.does === 'inline') {
    page.html += `</${name}>`
    page.inline.pop()
    return
  }
  if (words.has(name)) return
  flush(page)
  if (effect?.does === 'box') page.boxes.pop()
  if (effect?.does === 'heading') page.heading = null
}

function write(page: Page, escaped: string): void {
  const text = withoutInvisible(decodeHTML(escaped)).replace(/\s+/g, ' ')
  page.html += escapeText(text)
  page.text += text
  if (text !== ' ') page.broken = false
}

/** A second break in a row is meant as a paragraph. */
function breakLine(page: Page): void {
  if (page.broken) flush(page)
  else if (page.text !== '') {
    page.broken = true
    page.html += '<br>'
    page.text += ' '
  }
}

/** Ends the paragraph; what is open around its words is closed, and opened again in the next. */
function flush(page: Page): void {
  const { inline, text } = page
  const html =
    page.html +
    inline
      .toReversed()
      .map(({ name }) => `</${name}>`)
      .join('')
  page.html = inline.map(({ tag }) => tag).join('')
  page.text = ''
  page.broken = false
  if (text.trim() === '') return
  page.leaves++
  page.read += text.length
  const leaf: Leaf = { tag: page.heading ?? 'p', html: trimmed(html), text: text.replace(/\s+/g, ' ').trim() }
  const box = boxOf(page)
  if (isList(box)) box.children.push({ tag: 'li', children: [{ ...leaf, tag: 'p' }] })
  else box.children.push(leaf)
}

function trimmed(html: string): string {
  const full = html.replace(/<(a|em|i|strong|b|code)(?: href="[^"]*")?>\s*<\/\1>/g, '')
  return (full === html ? full : trimmed(full)).replace(/^(?:\s|<br>)+/, '').replace(/(?:\s|<br>){1,9}$/, '')
}

function boxOf(page: Page): Box {
  return page.boxes.at(-1) ?? page.top
}

function isList({ tag }: Box): boolean {
  return tag === 'ul' || tag === 'ol'
}

type Printing = { left: typeof limits; some: boolean; cut: boolean }

function printed(top: Box, unread: boolean): Body | null {
  if (isSignature(top.children.at(-1))) top.children.pop()
  const printing: Printing = { left: { ...limits }, some: false, cut: false }
  const html = print(top, printing)
  const cut = unread || printing.cut
  return html === '' ? null : { html: cut ? html.replace(lastHeading, '') : html, cut }
}

/** With nothing under it any more. */
const lastHeading = /<(h[34])>[^<]*<\/\1>$/

/** What WordPress puts under every article of a feed. */
function isSignature(last: Leaf | Box | undefined): boolean {
  return (
    last !== undefined && 'text' in last && /^The post .{1,500} (?:appeared first|first appeared) on /.test(last.text)
  )
}

function print(box: Box, printing: Printing): string {
  const parts: string[] = []
  for (const child of box.children) {
    if (printing.cut) break
    const part = 'text' in child ? printLeaf(child, box, printing) : print(child, printing)
    if (part !== '') parts.push(part)
  }
  const inside =
    box.tag === 'li' ? parts.join('<br>').replaceAll(/<br>(?=<(?:ul|ol|blockquote)>)/g, '') : parts.join('')
  return inside === '' || box.tag === 'body' ? inside : `<${box.tag}>${inside}</${box.tag}>`
}

function printLeaf(leaf: Leaf, box: Box, printing: Printing): string {
  const { left } = printing
  const whole = leaf.text.length <= left.text && leaf.html.length <= left.html && left.leaves > 0
  if (!whole) printing.cut = true
  if (!whole && printing.some) return ''
  const html = whole ? leaf.html : escapeText(wholeSentences(leaf.text, left.text)) // a first paragraph without an end
  left.text -= leaf.text.length
  left.html -= leaf.html.length
  left.leaves--
  printing.some = true
  return box.tag === 'li' ? html : `<${leaf.tag}>${html}</${leaf.tag}>`
}
