import { decodeHTML } from 'entities'

/** One element of a page that says something about it. `text` is the content of a script or title. */
export type HeadTag = { name: string; attributes: Map<string, string>; text: string }

/** Nobody's head is longer; what stands further behind is not read. */
const maximumLength = 1024 * 1024
const headElements = new Set(['link', 'meta', 'base', 'script', 'title'])
const rawTextElements = new Set(['script', 'title', 'style', 'noscript', 'textarea', 'template'])

/**
 * The link, meta, base, title and script elements of the head; of the body only structured data (`application/ld+json`),
 * since what readers wrote there could pretend to be anything. One pass with indexOf, linear whatever the page is.
 */
export function* headTags(page: string): Generator<HeadTag> {
  const html = page.slice(0, maximumLength)
  const small = html.toLowerCase()
  const ends = new Map<string, number>()
  let inBody = small.length !== html.length // a letter that changes its length: nothing would line up
  for (let at = html.indexOf('<'); at >= 0; at = html.indexOf('<', at)) {
    if (html.startsWith('<!--', at)) {
      const end = memoisedIndexOf(small, ends, '-->', at + 4)
      if (end < 0) return
      at = end + 3
      continue
    }
    const name = nameAt(small, at + 1)
    const { attributes, end } = name === '' ? { attributes: new Map<string, string>(), end: at + 1 } : tagAt(html, at)
    at = end
    if (name === 'body') inBody = true
    if (!rawTextElements.has(name)) {
      if (!inBody && headElements.has(name)) yield { name, attributes, text: '' }
      continue
    }
    const close = memoisedIndexOf(small, ends, `</${name}`, end)
    if (close < 0) return
    at = close + 2
    const structured = name === 'script' && attributes.get('type')?.toLowerCase().includes('ld+json')
    if (structured || (!inBody && name === 'title')) yield { name, attributes, text: html.slice(end, close) }
  }
}

/** indexOf that reads the text once, however often what it seeks is not there. */
function memoisedIndexOf(text: string, known: Map<string, number>, needle: string, from: number): number {
  const last = known.get(needle)
  if (last !== undefined && (last < 0 || last >= from)) return last
  const found = text.indexOf(needle, from)
  known.set(needle, found)
  return found
}

function nameAt(small: string, start: number): string {
  let end = start
  while (end < start + 20 && isLetter(small.charCodeAt(end))) end++
  return small.slice(start, end)
}

/** The attributes of the tag that begins here, and where it ends. The first of two with the same name counts. */
function tagAt(html: string, open: number): { attributes: Map<string, string>; end: number } {
  const attributes = new Map<string, string>()
  let at = open + 1
  while (at < html.length && !isBlank(html[at]) && html[at] !== '>') at++
  while (at < html.length) {
    while (isBlank(html[at]) || html[at] === '/') at++
    if (at >= html.length || html[at] === '>') break
    const start = at
    at++
    while (at < html.length && !isBlank(html[at]) && html[at] !== '=' && html[at] !== '>' && html[at] !== '/') at++
    const name = html.slice(start, at).toLowerCase()
    while (isBlank(html[at])) at++
    let value = ''
    if (html[at] === '=') {
      at++
      while (isBlank(html[at])) at++
      const quote = html[at]
      if (quote === '"' || quote === "'") {
        const close = html.indexOf(quote, at + 1)
        value = html.slice(at + 1, close < 0 ? html.length : close)
        at = close < 0 ? html.length : close + 1
      } else {
        const from = at
        while (at < html.length && !isBlank(html[at]) && html[at] !== '>') at++
        value = html.slice(from, at)
      }
    }
    if (attributes.size < 50 && !attributes.has(name)) attributes.set(name, decodeHTML(value.slice(0, 4000)).trim())
  }
  return { attributes, end: Math.min(html.length, at + 1) }
}

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57)
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\n' || character === '\t' || character === '\r' || character === '\f'
}
