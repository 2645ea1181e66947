import { randomBytes } from 'node:crypto'
import { decodeXML, escapeUTF8 } from 'entities'
import { Tokeniser } from '../feeds/markup/tokeniser.ts'
import { type Palette, paletteOf } from './palette.ts'
import { tidyText } from './tidy.ts'
import type { ArticleView, EditionView } from './view.ts'

/** An edition whose bodies wait outside; `putBack` sets them into the finished HTML, or says where they may not stand. */
export type ExtractedBodies = { view: EditionView; restoreBodies(html: string): { html: string; problems: string[] } }

/**
 * Takes the bodies of articles out of an edition and leaves marks in their places, so that neither Handlebars nor MJML
 * ever reads one. The marks are random each time: no feed can have written one, and a body is not searched for others.
 */
export function extractBodies(view: EditionView): ExtractedBodies {
  const start = `body-${randomBytes(16).toString('hex')}-`
  const { light } = paletteOf(view.publication.colours)
  const bodies: string[] = []
  const marked = mapArticles(view, (article) => {
    const { body } = article
    return body
      ? { ...article, body: { ...body, html: `${start}${bodies.push(styledHtml(body.html, light)) - 1}-` } }
      : article
  })
  return {
    view: marked,
    restoreBodies(html) {
      const marks = new RegExp(`${start}(\\d+)-`, 'g')
      const inTag = [...html.matchAll(marks)].some(
        ({ index }) => html.lastIndexOf('<', index) > html.lastIndexOf('>', index),
      )
      if (inTag) return { html: '', problems: ['a body.html stands inside a tag: it may only stand between tags'] }
      return { html: html.replace(marks, (_, index) => bodies[Number(index)] ?? ''), problems: [] }
    },
  }
}

/** The same for plain text: each body has its `text`. */
export function addBodyTexts(view: EditionView): EditionView {
  return mapArticles(view, (article) =>
    article.body ? { ...article, body: { ...article.body, text: bodyText(article.body.html) } } : article,
  )
}

function mapArticles(view: EditionView, change: (article: ArticleView) => ArticleView): EditionView {
  const sections = view.sections.map((section) => ({
    ...section,
    lead: section.lead && change(section.lead),
    more: section.more.map(change),
  }))
  return { ...view, sections }
}

/** A tag that a body may hold (see `Body`), or, with an empty name, text between them, as it is written. */
type Piece = { text: string; name: string; closing: boolean; href: string }

const names = new Set('p br a em i strong b code blockquote ul ol li h3 h4'.split(' '))

/** Whatever else looks like a tag is text. */
function* piecesOf(html: string): Generator<Piece> {
  const tokens = new Tokeniser(tidyText(html), 'xml')
  for (let token = tokens.next(); token; token = tokens.next()) {
    const { kind, name, start, end, closed } = token
    const { href = '', ...others } = kind === 'open' ? tokens.attributes(token) : {}
    const isTag = (kind === 'open' || kind === 'close') && names.has(name) && !closed && tokens.text[end - 1] === '>'
    const isOurs = isTag && Object.keys(others).length === 0 && (name === 'a' ? /^(?:https?:|$)/ : /^$/).test(href)
    if (isOurs) yield { text: '', name, closing: kind === 'close', href }
    else yield { text: tokens.text.slice(start, end), name: '', closing: false, href: '' }
  }
}

/** With the styles that mail programs need on each element. Dark mode is in the templates, by the class `body`. */
function styledHtml(html: string, { brand, rule }: Palette['light']): string {
  const styles: Record<string, string> = {
    p: ' style="margin:0 0 14px"',
    blockquote: ` class="rule" style="margin:0 0 14px;padding:0 0 0 14px;border-left:3px solid ${rule}"`,
    ul: ' style="margin:0 0 14px 24px;padding:0"',
    ol: ' style="margin:0 0 14px 24px;padding:0"',
    li: ' style="margin:0 0 6px"',
    h3: ' style="margin:22px 0 8px;font-size:17px;line-height:1.35;font-weight:700"',
    h4: ' style="margin:18px 0 8px;font-size:15px;line-height:1.35;font-weight:700"',
    code: ' style="font-family:Consolas,Menlo,monospace;font-size:14px"',
    a: ` style="color:${brand};text-decoration:underline"`,
  }
  let out = ''
  for (const { text, name, closing, href } of piecesOf(html)) {
    const shown = name === 'h3' ? 'h4' : name // the title of the article is an h3
    if (name === '') out += text.replaceAll('<', '&lt;').replaceAll('>', '&gt;')
    else out += closing ? `</${shown}>` : `<${shown}${href && ` href="${escapeUTF8(href)}"`}${styles[name] ?? ''}>`
  }
  return out
}

/** A body as plain text: a blank line between paragraphs, the address behind each link, lists with dashes or numbers. */
export function bodyText(html: string): string {
  const lists: { number: number }[] = []
  let out = ''
  let link = { href: '', at: 0 }
  let indent = ''
  const border = (lines: string) => {
    out = `${out.trimEnd()}${out.trim() === '' ? '' : lines}`
    if (out.endsWith('\n')) out += indent
  }
  for (const { text, name, closing, href } of piecesOf(html)) {
    if (name === '') out += decodeXML(text)
    else if (name === 'br') border(lists.length > 0 ? '\n  ' : '\n')
    else if (name === 'a' && closing) {
      const words = out.slice(link.at).trim()
      if (words !== link.href) out += ` (${link.href})`
    } else if (name === 'a') link = { href, at: out.length }
    else if (name === 'ul' || name === 'ol') {
      if (closing) lists.pop()
      else lists.push({ number: name === 'ol' ? 1 : 0 })
      indent = '  '.repeat(Math.max(0, lists.length - 1))
      border(lists.length > (closing ? 0 : 1) ? '\n' : '\n\n')
    } else if (name === 'li' && !closing) {
      const list = lists.at(-1)
      if (!out.endsWith('\n\n')) border('\n')
      out += list?.number ? `${list.number++}. ` : '- '
    } else if (name === 'blockquote') {
      indent = closing ? '' : '    '
      border('\n\n')
    } else if (name === 'p' || name === 'h3' || name === 'h4') border('\n\n')
  }
  return out.trim()
}

/** Its words alone, on one line. */
export function bodyOneLine(html: string): string {
  let out = ''
  for (const { text, name } of piecesOf(html))
    out += name === '' ? decodeXML(text) : ['a', 'em', 'i', 'strong', 'b', 'code'].includes(name) ? '' : ' '
  return out.replace(/\s+/g, ' ').trim()
}
