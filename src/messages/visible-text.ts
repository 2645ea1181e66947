import { decodeHTML } from 'entities'
import { isShown, type Visibility, visibilityIn, visible } from '../feeds/markup/hidden-text.ts'
import { type Attributes, inlineElements, Tokeniser, voidElements } from '../feeds/markup/tokeniser.ts'
import { hasVisibleText } from '../text/characters.ts'
import { type CssRule, unconditionalRules } from './css-rules.ts'
import { type Colours, colouredSelectors, elementColours, isLegible, unknownColours } from './text-colours.ts'

/** The visible text of an HTML message on one line, and the addresses of the links that show something. */
export type Visible = { text: string; links: Set<string> }

type Element = {
  name: string
  visibility: Visibility
  colours: Colours
  /** A closed `<details>`: only its `<summary>` is shown. */
  isClosed: boolean
  link: { href: string; isSeen: boolean } | undefined
}

type StyleBlocks = { hiding: Set<string>; colouring: ReturnType<typeof colouredSelectors> }

const hiddenTags = new Set(['head', 'script', 'style', 'template', 'title', 'textarea', 'select'])
/** Their content is not markup. */
const rawTags = new Set(['script', 'style', 'title', 'textarea'])

/**
 * Reads a rendered message as mail programs show it: without comments, head, what attributes or styles hide, and text in
 * the colour of its background. `font-size:0` hides text only if nothing inside sets another size, as MJML's wrappers have it.
 */
export function readVisible(html: string): Visible {
  const rules = unconditionalRules(html)
  const tokens = new Tokeniser(html, 'html')
  const reader = new VisibleTextReader({ hiding: hidingSelectors(rules), colouring: colouredSelectors(rules) })
  for (let token = tokens.next(); token; token = tokens.next()) {
    const name = token.name.toLowerCase()
    if (token.kind === 'text') reader.text(html.slice(token.start, token.end))
    else if (token.kind === 'close') reader.close(name)
    else if (token.kind === 'open') reader.open(name, tokens.attributes(token))
    if (token.kind === 'open' && rawTags.has(name)) tokens.passContent(name)
  }
  return reader.result
}

class VisibleTextReader {
  readonly #blocks: StyleBlocks
  readonly #open: Element[] = []
  readonly #parts: string[] = []
  readonly #links = new Set<string>()

  constructor(blocks: StyleBlocks) {
    this.#blocks = blocks
  }

  get result(): Visible {
    return { text: this.#parts.join('').replace(/\s+/g, ' ').trim(), links: this.#links }
  }

  text(source: string): void {
    const top = this.#open.at(-1)
    if (top && (top.isClosed || !isShown(top.visibility) || !isLegible(top.colours))) return
    const text = decodeHTML(source)
    this.#parts.push(text)
    if (hasVisibleText(text)) this.#markLinkSeen()
  }

  open(name: string, attributes: Attributes): void {
    this.#separate(name)
    const element = this.#element(name, attributes)
    if (name === 'img' && element.visibility !== notDrawn) this.#markLinkSeen()
    if (!voidElements.has(name)) this.#open.push(element)
  }

  close(name: string): void {
    this.#separate(name)
    const index = this.#open.findLastIndex((element) => element.name === name)
    if (index >= 0) this.#open.length = index
  }

  /** Separates words at a tag, unless it is inline. */
  #separate(name: string): void {
    if (!inlineElements.has(name)) this.#parts.push(' ')
  }

  #element(name: string, attributes: Attributes): Element {
    const parent = this.#open.at(-1)
    const outer = parent?.visibility ?? visible
    const classes = (attributes.class ?? '').split(/\s+/)
    const isGone =
      (parent?.isClosed === true && name !== 'summary') ||
      hiddenTags.has(name) ||
      (name === 'img' && isOnePixel(attributes)) ||
      [...classes.map((one) => `.${one}`), `#${attributes.id}`].some((one) => this.#blocks.hiding.has(one))
    const visibility = visibilityIn(outer, name, { ...attributes, class: undefined })
    const href = name === 'a' ? attributes.href : undefined
    return {
      name,
      visibility: isGone || visibility.isRemoved || (name === 'img' && visibility.isInvisible) ? notDrawn : visibility,
      colours: elementColours(parent?.colours ?? unknownColours, attributes, this.#blocks.colouring),
      isClosed: name === 'details' && attributes.open === undefined,
      link: href === undefined ? parent?.link : { href, isSeen: false },
    }
  }

  #markLinkSeen(): void {
    const link = this.#open.at(-1)?.link
    if (!link || link.isSeen) return
    link.isSeen = true
    this.#links.add(link.href)
  }
}

/** Of an element that is not drawn, with everything in it. */
const notDrawn: Visibility = { ...visible, isRemoved: true }

/** A picture of at most one pixel shows nothing. */
function isOnePixel({ width, height, style = '' }: Attributes): boolean {
  const sides = [width, height, /(?:^|;)\s*width\s*:\s*([^;]*)/i.exec(style)?.[1]]
  return sides.some((side) => side !== undefined && /^\s*[01](?:\.0*)?(?:px)?\s*(?:!|$)/.test(side))
}

/** The classes and ids that a rule hides: `.gone`, `#gone`. */
function hidingSelectors(rules: CssRule[]): Set<string> {
  const hiding = rules.filter(({ declarations }) => !isShown(visibilityIn(visible, 'div', { style: declarations })))
  const names = hiding.flatMap(({ selectors }) => selectors.map((one) => /^[a-z0-9]*([.#][\w-]+)$/i.exec(one)?.[1]))
  return new Set(names.filter((name) => name !== undefined))
}
