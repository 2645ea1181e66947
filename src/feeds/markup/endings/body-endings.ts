import { decodeHTML } from 'entities'
import { withoutEnding } from './endings.ts'

/** A paragraph of a body as HTML and as text; what has no text is a list or a quotation. */
type Part = { html: string; text: string } | { children: unknown[] }

const maxEndingText = 3000
const maxEndings = 4

/** Removes the last paragraphs that software appends, and a link to read on at the end of the last one. */
export function removeEndings(parts: Part[]): void {
  for (let count = 0; count < maxEndings; count++) {
    const last = parts.at(-1)
    if (!last || !('text' in last) || last.text.length > maxEndingText) return
    const link = /(?:\s|<br>){0,9}<a href="[^"]*">([^<]*)<\/a>\s*$/.exec(last.html.slice(-maxEndingText))
    const endLink = decodeHTML(link?.[1] ?? '')
      .replace(/\s+/g, ' ')
      .trim()
    const text = withoutEnding(
      { text: last.text, isHeading: false, isItem: false, hasLink: last.html.includes('<a '), endLink },
      '',
    )
    if (text === last.text) return
    if (text === '') parts.pop()
    else if (!link || text !== last.text.slice(0, last.text.length - endLink.length).trimEnd()) return
    else {
      last.html = last.html.slice(0, last.html.length - link[0].length)
      last.text = text
    }
  }
}
