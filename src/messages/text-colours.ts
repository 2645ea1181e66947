import type { CssRule } from './visible-text.ts'

/** The colour of text and of what it stands on, as style attributes say, in one spelling; undefined: nobody can tell. */
export type Colours = { text: string | undefined; ground: string | undefined }

export const unknownColours: Colours = { text: undefined, ground: undefined }

/** Which classes and ids style blocks colour; `all`: a rule for elements of whatever class gives them a ground. */
export type Colouring = { names: Set<string>; all: boolean }

/** False where text is surely not seen: it is transparent, or has the very colour of its ground. */
export function isLegible({ text, ground }: Colours): boolean {
  return text !== transparent && (text === undefined || text !== ground)
}

const transparent = 'transparent'

export function colouredSelectors(rules: CssRule[]): Colouring {
  const colouring: Colouring = { names: new Set(), all: false }
  for (const { selectors, declarations } of rules) {
    if (!/(?:^|;)\s*(?:color|background(?:-color|-image)?)\s*:/.test(declarations)) continue
    // Selectors with these attributes are for Outlook's dark mode alone.
    for (const selector of selectors.filter((one) => !/\[data-ogs[cb]/.test(one))) {
      const names = selector.match(/[.#][\w-]+/g) ?? []
      for (const name of names) colouring.names.add(name)
      if (names.length === 0 && !/^(?:body|html)$/.test(selector)) colouring.all = true
    }
  }
  return colouring
}

/** What an element with these attributes has. Where a style block has a say nothing is known. */
export function elementColours(
  inherited: Colours,
  attributes: Record<string, string | undefined>,
  { names, all }: Colouring,
): Colours {
  const { style = '', class: classes = '', id = '', bgcolor, color, background } = attributes
  const isColoured = all || [`#${id}`, ...classes.split(/\s+/).map((one) => `.${one}`)].some((one) => names.has(one))
  const declared = colourDeclarations(style)
  const ground = declared.ground ?? (background ? 'a picture' : bgcolor)
  const text = declared.text ?? color
  return {
    text: isColoured ? undefined : text === undefined || text === 'inherit' ? inherited.text : normaliseColour(text),
    ground: isColoured
      ? undefined
      : ground === undefined || isTransparent(ground)
        ? inherited.ground
        : normaliseColour(ground),
  }
}

/** The last `color`, and the last `background` or `background-color`, of a style attribute. */
function colourDeclarations(style: string): Partial<Record<'text' | 'ground', string>> {
  const declared: Partial<Record<'text' | 'ground', string>> = {}
  for (const declaration of style
    .toLowerCase()
    .replace(/\/\*.*?\*\//gs, '')
    .split(';')) {
    const [, name, value = ''] =
      /^\s*(color|background|background-color|background-image)\s*:\s*(.*?)\s*(?:!|$)/.exec(declaration) ?? []
    if (name === 'color') declared.text = value
    else if (name === 'background-image') declared.ground = value === 'none' ? (declared.ground ?? 'none') : 'a picture'
    else if (name !== undefined && declared.ground !== 'a picture') declared.ground = value
  }
  return declared
}

function isTransparent(value: string): boolean {
  return normaliseColour(value) === transparent || value === 'none'
}

/** One spelling for each colour that is easy to know: `#fff`, `#ffffff`, `white` and `rgb(255,255,255)` are one. */
function normaliseColour(value: string): string | undefined {
  const colour = value.trim().toLowerCase()
  if (
    colour === 'transparent' ||
    (/^(?:rgba|hsla|rgb|hsl)\([^()]*[,/]\s*0*(?:\.0+)?%?\s*\)$/.test(colour) && hasAlpha(colour))
  )
    return transparent
  if (colour === 'white') return '#ffffff'
  if (colour === 'black') return '#000000'
  const [, digits = ''] = /^#([\da-f]{3,8})$/.exec(colour) ?? []
  if (/^(?:.{3}0|.{6}00)$/.test(digits)) return transparent
  if (digits.length === 3) return `#${[...digits].map((one) => one + one).join('')}`
  if (digits.length === 6) return `#${digits}`
  const [, ...channels] = /^rgb\(\s*(\d{1,3})\s*[,\s]\s*(\d{1,3})\s*[,\s]\s*(\d{1,3})\s*\)$/.exec(colour) ?? []
  if (channels.length === 3) return `#${channels.map((one) => Number(one).toString(16).padStart(2, '0')).join('')}`
  return undefined
}

/** Whether a colour function has a fourth value, which is how opaque it is. */
function hasAlpha(colour: string): boolean {
  return colour.includes('/') || colour.split(',').length === 4
}
