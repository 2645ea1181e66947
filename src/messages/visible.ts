/** What a reader sees of an HTML message: its words on one line, and where the links lead that have something to press. */
export type Visible = { text: string; links: Set<string> }

type Element = { name: string; isHidden: boolean; isTiny: boolean; link: { href: string; isSeen: boolean } | undefined }

const voidTags = new Set(['area', 'base', 'br', 'col', 'embed', 'hr', 'img', 'input', 'link', 'meta', 'source', 'wbr'])
const inlineTags = new Set(['a', 'abbr', 'b', 'code', 'em', 'font', 'i', 'small', 'span', 'strong', 'sub', 'sup', 'u'])
const unshownTags = new Set(['head', 'script', 'style', 'template', 'title', 'textarea', 'select'])
/** Their content is no markup. */
const rawTags = ['script', 'style', 'title', 'textarea']

/**
 * Reads a rendered message as mail programs show it: without comments (Outlook's own markup is in some), head, and what
 * attributes, styles or classes of its style blocks hide. One way through each character. MJML sets `font-size:0` on its
 * wrappers, so that counts only where nothing inside sets another.
 */
export function visibleIn(html: string): Visible {
  const reader = new Reader(hiddenClasses(html))
  for (let at = 0; at < html.length; ) {
    const start = html.indexOf('<', at)
    if (start !== at) reader.words(html.slice(at, start < 0 ? html.length : start))
    if (start < 0) break
    at = reader.markup(html, start)
  }
  return reader.result
}

class Reader {
  readonly #hiddenClasses: Set<string>
  readonly #open: Element[] = []
  readonly #words: string[] = []
  readonly #links = new Set<string>()

  constructor(hiddenClasses: Set<string>) {
    this.#hiddenClasses = hiddenClasses
  }

  get result(): Visible {
    return { text: this.#words.join('').replace(/\s+/g, ' ').trim(), links: this.#links }
  }

  words(source: string): void {
    const top = this.#open.at(-1)
    if (top?.isHidden || top?.isTiny) return
    const text = decodeEntities(source)
    this.#words.push(text)
    if (text.replace(/\u034f|[\s\p{Cf}]+/gu, '') !== '') this.#see()
  }

  /** Takes the comment or tag that begins at `start`; returns where the next thing begins. */
  markup(html: string, start: number): number {
    if (html.startsWith('<!--', start)) return after(html, '-->', start + 4)
    if (!/[a-z/]/i.test(html[start + 1] ?? '')) return after(html, '>', start)
    const end = tagEnd(html, start)
    const [, slash, tag = '', attributes = ''] = /^<(\/?)([^\s/>]*)(.*?)\/?>?$/s.exec(html.slice(start, end)) ?? []
    const name = tag.toLowerCase()
    if (!inlineTags.has(name)) this.#words.push(' ')
    if (slash) this.#close(name)
    else {
      const element = this.#element(name, attributes)
      if (name === 'img' && !element.isHidden) this.#see()
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
    const style = (attributes.get('style') ?? '').toLowerCase()
    const classes = (attributes.get('class') ?? '').split(/\s+/)
    const isHidden =
      parent?.isHidden === true ||
      unshownTags.has(name) ||
      attributes.has('hidden') ||
      hides(style) ||
      classes.some((one) => this.#hiddenClasses.has(one))
    const size = [...style.matchAll(/(?:^|;)\s*font(?:-size)?\s*:\s*([^;]*)/g)].at(-1)?.[1]
    const isTiny = size === undefined ? parent?.isTiny === true : /^0(?:\.0+)?(?:px|pt|em|rem|%)?(?:\s|!|$)/.test(size)
    const href = name === 'a' ? attributes.get('href') : undefined
    return { name, isHidden, isTiny, link: href === undefined ? parent?.link : { href, isSeen: false } }
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

function after(html: string, mark: string, from: number): number {
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

function attributesIn(source: string): Map<string, string> {
  const found = source.matchAll(/([^\s=/"'>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g)
  return new Map(
    [...found].map(([, name = '', ...values]) => [
      name.toLowerCase(),
      decodeEntities(values.find((one) => one !== undefined) ?? ''),
    ]),
  )
}

/** Declarations that leave nothing to see of an element. */
function hides(style: string): boolean {
  return /(?:^|[;{])\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0(?:\.0+)?\s*(?:[;!}]|$)|max-height\s*:\s*0|(?:left|top|text-indent|margin-left)\s*:\s*-\d{3,}|(?:^|;)\s*color\s*:\s*transparent)/.test(
    style,
  )
}

/** The classes that a style block hides on every screen: what stands in `@media` may be for one of them only. */
function hiddenClasses(html: string): Set<string> {
  const classes = new Set<string>()
  for (const [, css = ''] of html.matchAll(/<style[^>]*>([^<]*)<\/style/gi)) {
    const everywhere = css.replace(/\/\*.*?\*\//gs, '').replace(/@[^{}]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g, '')
    for (const [, selectors = '', declarations = ''] of everywhere.matchAll(/([^{}]+)\{([^{}]*)\}/g)) {
      if (!hides(declarations.toLowerCase())) continue
      for (const selector of selectors.split(',')) {
        const name = /^[a-z0-9]*\.([\w-]+)$/i.exec(selector.trim())?.[1]
        if (name) classes.add(name)
      }
    }
  }
  return classes
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
