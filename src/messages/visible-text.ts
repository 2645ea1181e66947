import { isShown, type Visibility, visibilityIn, visible } from '../feeds/markup/hidden-text.ts'
import { hasVisibleText } from '../text/characters.ts'
import { type Colours, colouredSelectors, elementColours, isLegible, unknownColours } from './text-colours.ts'

/** What a reader sees of an HTML message: its words on one line, and where the links lead that have something to press. */
export type Visible = { text: string; links: Set<string> }

type Element = {
  name: string
  visibility: Visibility
  colours: Colours
  /** Of `<details>` that is closed: only its `<summary>` is shown. */
  isClosed: boolean
  link: { href: string; isSeen: boolean } | undefined
}

type Attributes = Record<string, string | undefined>
type StyleBlocks = { hiding: Set<string>; colouring: ReturnType<typeof colouredSelectors> }

const voidTags = new Set(['area', 'base', 'br', 'col', 'embed', 'hr', 'img', 'input', 'link', 'meta', 'source', 'wbr'])
const inlineTags = new Set(['a', 'abbr', 'b', 'code', 'em', 'font', 'i', 'small', 'span', 'strong', 'sub', 'sup', 'u'])
const unshownTags = new Set(['head', 'script', 'style', 'template', 'title', 'textarea', 'select'])
/** Their content is no markup. */
const rawTags = ['script', 'style', 'title', 'textarea']

/**
 * Reads a rendered message as mail programs show it: without comments (Outlook's own markup is in some), head, and what
 * attributes, styles or classes of its style blocks hide, or write in the colour of its own ground. One way through each
 * character. MJML sets `font-size:0` on its wrappers, so that counts only where nothing inside sets another.
 */
export function readVisible(html: string): Visible {
  const rules = unconditionalRules(html)
  const reader = new VisibleTextReader({ hiding: hidingSelectors(rules), colouring: colouredSelectors(rules) })
  for (let at = 0; at < html.length; ) {
    const start = html.indexOf('<', at)
    if (start !== at) reader.words(html.slice(at, start < 0 ? html.length : start))
    if (start < 0) break
    at = reader.readMarkup(html, start)
  }
  return reader.result
}

class VisibleTextReader {
  readonly #blocks: StyleBlocks
  readonly #open: Element[] = []
  readonly #addText: string[] = []
  readonly #links = new Set<string>()

  constructor(blocks: StyleBlocks) {
    this.#blocks = blocks
  }

  get result(): Visible {
    return { text: this.#addText.join('').replace(/\s+/g, ' ').trim(), links: this.#links }
  }

  words(source: string): void {
    const top = this.#open.at(-1)
    if (top && (top.isClosed || !isShown(top.visibility) || !isLegible(top.colours))) return
    const text = decodeEntities(source)
    this.#addText.push(text)
    if (hasVisibleText(text)) this.#see()
  }

  /** Takes the comment or tag that begins at `start`; returns where the next thing begins. */
  readMarkup(html: string, start: number): number {
    if (html.startsWith('<!--', start)) return indexAfter(html, '-->', start + 4)
    if (!/[a-z/]/i.test(html[start + 1] ?? '')) return indexAfter(html, '>', start)
    const end = tagEnd(html, start)
    const [, slash, tag = '', attributes = ''] = /^<(\/?)([^\s/>]*)(.*?)\/?>?$/s.exec(html.slice(start, end)) ?? []
    const name = tag.toLowerCase()
    if (!inlineTags.has(name)) this.#addText.push(' ')
    if (slash) this.#close(name)
    else {
      const element = this.#element(name, attributes)
      if (name === 'img' && element.visibility !== notDrawn) this.#see()
      if (!voidTags.has(name)) this.#open.push(element)
    }
    if (slash || !rawTags.includes(name)) return end
    const closing = new RegExp(`</${name}`, 'gi')
    closing.lastIndex = end
    return closing.exec(html)?.index ?? html.length
  }

  #element(name: string, source: string): Element {
    const parent = this.#open.at(-1)
    const attributes = attributesIn(source)
    const around = parent?.visibility ?? visible
    const classes = (attributes.class ?? '').split(/\s+/)
    const isGone =
      (parent?.isClosed === true && name !== 'summary') ||
      unshownTags.has(name) ||
      (name === 'img' && isOnePixel(attributes)) ||
      [...classes.map((one) => `.${one}`), `#${attributes.id}`].some((one) => this.#blocks.hiding.has(one))
    const own = visibilityIn(around, name, { ...attributes, class: undefined })
    const href = name === 'a' ? attributes.href : undefined
    return {
      name,
      visibility: isGone || own.isRemoved || (name === 'img' && own.isInvisible) ? notDrawn : own,
      colours: elementColours(parent?.colours ?? unknownColours, attributes, this.#blocks.colouring),
      isClosed: name === 'details' && attributes.open === undefined,
      link: href === undefined ? parent?.link : { href, isSeen: false },
    }
  }

  #close(name: string): void {
    const index = this.#open.findLastIndex((element) => element.name === name)
    if (index >= 0) this.#open.length = index
  }

  #see(): void {
    const link = this.#open.at(-1)?.link
    if (!link || link.isSeen) return
    link.isSeen = true
    this.#links.add(link.href)
  }
}

/** Not drawn, with all that is in it. */
const notDrawn: Visibility = { ...visible, isRemoved: true }

/** A picture of at most one pixel shows nothing. */
function isOnePixel({ width, height, style = '' }: Attributes): boolean {
  const sides = [width, height, /(?:^|;)\s*width\s*:\s*([^;]*)/i.exec(style)?.[1]]
  return sides.some((side) => side !== undefined && /^\s*[01](?:\.0*)?(?:px)?\s*(?:!|$)/.test(side))
}

function indexAfter(html: string, mark: string, from: number): number {
  const index = html.indexOf(mark, from)
  return index < 0 ? html.length : index + mark.length
}

/** The end of a tag: the next > outside of quotation marks. */
function tagEnd(html: string, start: number): number {
  let quote = ''
  for (let at = start + 1; at < html.length; at++) {
    const character = html[at] ?? ''
    if (quote) {
      if (character === quote) quote = ''
    } else if (character === '>') return at + 1
    else if (character === '"' || character === "'") quote = character
  }
  return html.length
}

/** Names in small letters; the first of a name counts (HTML §13.2.5.33). */
function attributesIn(source: string): Attributes {
  const attributes: Attributes = {}
  for (const [, name = '', ...values] of source.matchAll(
    /([^\s=/"'>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g,
  ))
    attributes[name.toLowerCase()] ??= decodeEntities(values.find((one) => one !== undefined) ?? '')
  return attributes
}

export type CssRule = { selectors: string[]; declarations: string }

/** What style blocks say for every screen: what stands in `@media` may be for one of them only. */
function unconditionalRules(html: string): CssRule[] {
  return [...html.matchAll(/<style[^>]*>([^<]*)<\/style/gi)].flatMap(([, css = '']) => {
    const everywhere = css.replace(/\/\*.*?\*\//gs, '').replace(/@[^{}]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g, '')
    return [...everywhere.matchAll(/([^{}]+)\{([^{}]*)\}/g)].map(([, selectors = '', declarations = '']) => ({
      selectors: selectors.split(',').map((selector) => selector.trim()),
      declarations: declarations.toLowerCase(),
    }))
  })
}

/** The classes and ids that a rule hides: `.gone`, `#gone`. */
function hidingSelectors(rules: CssRule[]): Set<string> {
  const hiding = rules.filter(({ declarations }) => !isShown(visibilityIn(visible, 'div', { style: declarations })))
  const names = hiding.flatMap(({ selectors }) => selectors.map((one) => /^[a-z0-9]*([.#][\w-]+)$/i.exec(one)?.[1]))
  return new Set(names.filter((name) => name !== undefined))
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', middot: '·' }

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,8}));/gi, (whole, decimal, hex, name) => {
    if (name) return entities[name.toLowerCase()] ?? whole
    const code = decimal ? Number(decimal) : Number.parseInt(hex, 16)
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ''
  })
}
