import { randomBytes } from 'node:crypto'
import { escapeUTF8 } from 'entities'
import { directionOf } from '../../describe/language.ts'
import { type Direction, hasOtherDirection, sidesOf } from '../../text/direction.ts'
import { type Palette, paletteOf } from '../palette.ts'
import type { ArticleView, EditionView } from '../view.ts'
import { bodyTokens, type Numbers } from './body-tags.ts'
import { bodyText } from './body-text.ts'

/** An edition with marks in place of its bodies. `restoreBodies` puts the bodies into the finished HTML, or returns the problem. */
export type ExtractedBodies = { view: EditionView; restoreBodies(html: string): { html: string; problems: string[] } }

/**
 * Replaces the body of each article with a mark, so that neither Handlebars nor MJML reads one. The marks are random each
 * time, so no feed can have written one.
 */
export function extractBodies(view: EditionView): ExtractedBodies {
  const start = `body-${randomBytes(16).toString('hex')}-`
  const { light } = paletteOf(view.publication.colours)
  const direction = directionOf(view.language)
  const bodies: string[] = []
  const marked = mapArticles(view, (article) => {
    const { body } = article
    return body
      ? { ...article, body: { ...body, html: `${start}${bodies.push(styledHtml(body.html, light, direction)) - 1}-` } }
      : article
  })
  return {
    view: marked,
    restoreBodies(html) {
      const marks = new RegExp(`${start}(\\d+)-`, 'g')
      const isInTag = [...html.matchAll(marks)].some(
        ({ index }) => html.lastIndexOf('<', index) > html.lastIndexOf('>', index),
      )
      if (isInTag) return { html: '', problems: ['a body.html is inside a tag: it may only be between tags'] }
      return { html: html.replace(marks, (_, index) => bodies[Number(index)] ?? ''), problems: [] }
    },
  }
}

/** Fills in the plain text of each body. */
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

/** Adds the inline styles that mail programs need; dark mode is in the templates, by the class `body`. */
function styledHtml(html: string, light: Palette['light'], direction: Direction): string {
  const isMixed = hasOtherDirection(html.replace(/<[^>]*>/g, ' '), direction)
  const attributes = bodyAttributes(light, sidesOf(direction).start, isMixed)
  let out = ''
  for (const { text, name, closing, href, numbers } of bodyTokens(html)) {
    const tag = name === 'h3' ? 'h4' : name // the title of the article is an h3
    if (name === '') out += text.replaceAll('<', '&lt;').replaceAll('>', '&gt;')
    else
      out += closing
        ? `</${tag}>`
        : `<${tag}${href && ` href="${escapeUTF8(href)}"`}${numberAttributes(numbers)}${attributes[name] ?? ''}>`
  }
  return out
}

function numberAttributes(numbers: Numbers): string {
  return Object.entries(numbers)
    .map(([name, value]) => ` ${name}="${value}"`)
    .join('')
}

/** The attributes of each tag; in a body with characters of the other direction each block has a direction of its own. */
function bodyAttributes({ brand, rule }: Palette['light'], start: string, isMixed: boolean): Record<string, string> {
  const block = isMixed ? ' dir="auto"' : ''
  return {
    p: `${block} style="margin:0 0 14px"`,
    blockquote: `${block} class="rule" style="margin:0 0 14px;padding-${start}:14px;border-${start}:3px solid ${rule}"`,
    ul: `${block} style="margin:0 0 14px;margin-${start}:24px;padding:0"`,
    ol: `${block} style="margin:0 0 14px;margin-${start}:24px;padding:0"`,
    li: `${block} style="margin:0 0 6px"`,
    h3: `${block} style="margin:22px 0 8px;font-size:17px;line-height:1.35;font-weight:700"`,
    h4: `${block} style="margin:18px 0 8px;font-size:15px;line-height:1.35;font-weight:700"`,
    code: ' style="font-family:Consolas,Menlo,monospace;font-size:14px"',
    a: ` style="color:${brand};text-decoration:underline"`,
  }
}
