import { decodeHTML } from 'entities'
import { isShown, type Visibility, visibilityIn, visible } from '../feeds/markup/hidden-text.ts'
import { type Attributes, inlineElements, Tokeniser, voidElements } from '../feeds/markup/tokeniser.ts'
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

type StyleBlocks = { hiding: Set<string>; colouring: ReturnType<typeof colouredSelectors> }

const unshownTags = new Set(['head', 'script', 'style', 'template', 'title', 'textarea', 'select'])
/** Their content is no markup. */
const rawTags = new Set(['script', 'style', 'title', 'textarea'])

/**
 * Reads a rendered message as mail programs show it: without comments (Outlook's own markup is in some), head, and what
 * attributes, styles or classes of its style blocks hide, or write in the colour of its own ground. One way through each
 * character. MJML sets `font-size:0` on its wrappers, so that counts only where nothing inside sets another.
 */
export function readVisible(html: string): Visible {
  const rules = unconditionalRules(html)
  const tokens = new Tokeniser(html, 'html')
  const reader = new VisibleTextReader({ hiding: hidingSelectors(rules), colouring: colouredSelectors(rules) })
  for (let token = tokens.next(); token; token = tokens.next()) {
    const name = token.name.toLowerCase()
    if (token.kind === 'text') reader.words(html.slice(token.start, token.end))
    else if (token.kind === 'close') reader.close(name)
    else if (token.kind === 'open') reader.open(name, tokens.attributes(token))
    if (token.kind === 'open' && rawTags.has(name)) tokens.passContent(name)
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
    const text = decodeHTML(source)
    this.#addText.push(text)
    if (hasVisibleText(text)) this.#see()
  }

  open(name: string, attributes: Attributes): void {
    this.#separate(name)
    const element = this.#element(name, attributes)
    if (name === 'img' && element.visibility !== notDrawn) this.#see()
    if (!voidElements.has(name)) this.#open.push(element)
  }

  close(name: string): void {
    this.#separate(name)
    const index = this.#open.findLastIndex((element) => element.name === name)
    if (index >= 0) this.#open.length = index
  }

  /** Words before and behind a tag belong together only where it stands in a line. */
  #separate(name: string): void {
    if (!inlineElements.has(name)) this.#addText.push(' ')
  }

  #element(name: string, attributes: Attributes): Element {
    const parent = this.#open.at(-1)
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
