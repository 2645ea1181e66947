import { decodeHTML, escapeAttribute, escapeText } from 'entities'
import { maxLength } from '../../config/field-limits.ts'
import { httpUrl } from '../../http/url.ts'
import type { Body } from '../../store/articles/article.ts'
import { removeEndings } from './endings/body-endings.ts'
import { isRequest } from './endings/request-rules.ts'
import { type Numbering, nextNumber, numberingOf, wholeNumber } from './list-numbers.ts'
import { wholeSentences } from './sentences.ts'
import { cleanCharacters } from './text.ts'
import { type Attributes, Tokeniser } from './tokeniser.ts'

/** Characters of text, characters of HTML, and paragraphs; a longer body is cut after a whole paragraph. */
const limits = { text: maxLength.bodyText, html: maxLength.bodyHtml, leaves: 250 }
const maxBoxDepth = 4
/** Characters of a reversed list in which its items are counted. */
const maxListLength = 20_000

/**
 * The HTML of sanitize-html (balanced and escaped) as well-formed paragraphs, headings, lists and quotes. Every tag of the
 * result is written here; null if there is no text.
 */
export function toBlocks(html: string, base: string): Body | null {
  const builder = newBodyBuilder(base)
  let isCutShort = false
  const tokens = new Tokeniser(html, 'html')
  for (let token = tokens.next(); token; token = tokens.next()) {
    isCutShort = builder.leafCount > limits.leaves || builder.readLength > limits.text
    if (isCutShort) break
    const name = token.name.toLowerCase()
    if (token.kind === 'text') write(builder, html.slice(token.start, token.end))
    else if (token.kind === 'close') close(builder, name)
    else if (token.kind === 'open')
      open(builder, name, tokens.attributes(token), html.slice(token.end, token.end + maxListLength))
  }
  flush(builder)
  return printBody(builder.top, isCutShort)
}

type Leaf = { tag: 'p' | 'h3' | 'h4'; html: string; text: string }
/** `attributes`: of a numbered list or item, as written in the result; `numbering`: of a list whose items say their numbers. */
type Box = {
  tag: 'blockquote' | 'ul' | 'ol' | 'li' | 'body'
  children: (Leaf | Box)[]
  attributes?: string
  numbering?: Numbering
}
/** The effect of an open tag of the input on the output. */
type Effect = { name: string; does: 'nothing' | 'inline' | 'box' | 'heading' }

type BodyBuilder = {
  base: string
  top: Box
  boxes: Box[]
  stack: Effect[]
  /** Open inline elements, each with its opening tag. */
  inline: { name: string; tag: string }[]
  heading: Leaf['tag'] | null
  html: string
  text: string
  endsWithBreak: boolean
  leafCount: number
  readLength: number
}

function newBodyBuilder(base: string): BodyBuilder {
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
    endsWithBreak: false,
    leafCount: 0,
    readLength: 0,
  }
}

const inlineNames = new Set(['a', 'em', 'i', 'strong', 'b', 'code'])
const boxNames = new Set(['blockquote', 'ul', 'ol', 'li'])
const headings: Record<string, Leaf['tag']> = { h1: 'h3', h2: 'h3', h3: 'h3', h4: 'h4', h5: 'h4', h6: 'h4' }

function open(page: BodyBuilder, name: string, attributes: Attributes, behind: string): void {
  if (name === 'br') breakLine(page)
  else if (name === 'hr') flush(page)
  else
    page.stack.push({
      name,
      does: inlineNames.has(name)
        ? openInline(page, name, attributes.href)
        : openBlock(page, name, numbersOf(page, name, attributes, behind)),
    })
}

function openInline(page: BodyBuilder, name: string, href = ''): Effect['does'] {
  if (page.inline.some((one) => one.name === name)) return 'nothing'
  const address = name === 'a' ? safeHref(href, page.base) : ''
  if (address === null) return 'nothing'
  const tag = name === 'a' ? `<a href="${address}">` : `<${name}>`
  page.inline.push({ name, tag })
  page.html += tag
  return 'inline'
}

/** An absolute URL, escaped for an attribute, or null. */
function safeHref(href: string, base: string): string | null {
  const url = httpUrl(href, base)
  return url === null ? null : escapeAttribute(cleanCharacters(url)).replace(/</g, '%3C').replace(/>/g, '%3E')
}

function openBlock(page: BodyBuilder, name: string, numbers: Numbers): Effect['does'] {
  flush(page)
  const heading = headings[name]
  if (heading) page.heading = heading
  if (heading || !boxNames.has(name) || page.boxes.length > maxBoxDepth) return heading ? 'heading' : 'nothing'
  if (name === 'li' && !isList(boxOf(page))) return 'nothing'
  const box: Box = { tag: name as Box['tag'], children: [], ...numbers }
  boxOf(page).children.push(box)
  page.boxes.push(box)
  return 'box'
}

type Numbers = Pick<Box, 'attributes' | 'numbering'>

/** The numbers of a list that does not count up from 1, or of an item that does not follow the one before it. */
function numbersOf(page: BodyBuilder, name: string, attributes: Attributes, behind: string): Numbers {
  if (name === 'ol') {
    const numbering = numberingOf(attributes, behind, 0)
    const start = numbering.next === 1 ? '' : ` start="${numbering.next}"`
    const written = `${start}${numbering.type && ` type="${numbering.type}"`}`
    return numbering.step === 1 ? { attributes: written } : { attributes: written, numbering }
  }
  const given = name === 'li' ? wholeNumber(attributes.value) : null
  const list = name === 'li' ? boxOf(page).numbering : undefined
  const number = list ? nextNumber(list, attributes.value) : given
  return number === null ? {} : { attributes: ` value="${number}"` }
}

function close(page: BodyBuilder, name: string): void {
  const effect = page.stack.pop()
  if (effect?.does === 'inline') {
    page.html += `</${name}>`
    page.inline.pop()
    return
  }
  if (inlineNames.has(name)) return
  flush(page)
  if (effect?.does === 'box') page.boxes.pop()
  if (effect?.does === 'heading') page.heading = null
}

function write(page: BodyBuilder, escaped: string): void {
  const text = cleanCharacters(decodeHTML(escaped)).replace(/\s+/g, ' ')
  page.html += escapeText(text)
  page.text += text
  if (text !== ' ') page.endsWithBreak = false
}

/** A second break in a row ends the paragraph. */
function breakLine(page: BodyBuilder): void {
  if (page.endsWithBreak) flush(page)
  else if (page.text !== '') {
    page.endsWithBreak = true
    page.html += '<br>'
    page.text += ' '
  }
}

/** Ends the paragraph; open inline elements are closed, and opened again in the next one. */
function flush(page: BodyBuilder): void {
  const { inline, text } = page
  const html =
    page.html +
    inline
      .toReversed()
      .map(({ name }) => `</${name}>`)
      .join('')
  page.html = inline.map(({ tag }) => tag).join('')
  page.text = ''
  page.endsWithBreak = false
  if (text.trim() === '' || isRequest(text)) return
  page.leafCount++
  page.readLength += text.length
  const leaf: Leaf = { tag: page.heading ?? 'p', html: trimmedHtml(html), text: text.replace(/\s+/g, ' ').trim() }
  const box = boxOf(page)
  if (isList(box)) box.children.push({ tag: 'li', children: [{ ...leaf, tag: 'p' }] })
  else box.children.push(leaf)
}

function trimmedHtml(html: string): string {
  const full = html.replace(/<(a|em|i|strong|b|code)(?: href="[^"]*")?>\s*<\/\1>/g, '')
  return (full === html ? full : trimmedHtml(full))
    .replace(/^(?:\s|<br>)+/, '')
    .replace(/(?:\s|<br>){1,9}$/, '')
    .replace(/(?:<br>){1,9}((?:<\/(?:a|em|i|strong|b|code)>){1,9})$/, '$1')
}

function boxOf(page: BodyBuilder): Box {
  return page.boxes.at(-1) ?? page.top
}

function isList({ tag }: Box): boolean {
  return tag === 'ul' || tag === 'ol'
}

type PrintState = { left: typeof limits; hasOutput: boolean; isCut: boolean }

function printBody(top: Box, unread: boolean): Body | null {
  removeEndings(top.children)
  const printing: PrintState = { left: { ...limits }, hasOutput: false, isCut: false }
  const html = printBox(top, printing)
  const cut = unread || printing.isCut
  return html === '' ? null : { html: cut ? html.replace(lastHeading, '') : html, cut }
}

/** A heading without text below it. */
const lastHeading = /<(h[34])>[^<]*<\/\1>$/

function printBox(box: Box, printing: PrintState): string {
  const parts: string[] = []
  for (const child of box.children) {
    if (printing.isCut) break
    const part = 'text' in child ? printLeaf(child, box, printing) : printBox(child, printing)
    if (part !== '') parts.push(part)
  }
  const inside =
    box.tag === 'li' ? parts.join('<br>').replaceAll(/<br>(?=<(?:ul|ol|blockquote)>)/g, '') : parts.join('')
  return inside === '' || box.tag === 'body' ? inside : `<${box.tag}${box.attributes ?? ''}>${inside}</${box.tag}>`
}

function printLeaf(leaf: Leaf, box: Box, printing: PrintState): string {
  const { left } = printing
  const whole = leaf.text.length <= left.text && leaf.html.length <= left.html && left.leaves > 0
  if (!whole) printing.isCut = true
  if (!whole && printing.hasOutput) return ''
  const html = whole ? leaf.html : escapeText(wholeSentences(leaf.text, left.text)) // the first paragraph alone is too long
  left.text -= leaf.text.length
  left.html -= leaf.html.length
  left.leaves--
  printing.hasOutput = true
  return box.tag === 'li' ? html : `<${leaf.tag}>${html}</${leaf.tag}>`
}
