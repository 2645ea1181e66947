import type { CssRule } from './css-rules.ts'

/** The colours of text and background in one spelling (`#rrggbb` or `transparent`); undefined if unknown. */
export type Colours = { text: string | undefined; background: string | undefined }

export const unknownColours: Colours = { text: undefined, background: undefined }

/** The classes and ids that style blocks colour; `all`: a rule without class or id colours elements. */
export type ColourRules = { names: Set<string>; all: boolean }

/** False if text is certainly invisible: it is transparent, or has the colour of its background. */
export function isLegible({ text, background }: Colours): boolean {
  return text !== transparent && (text === undefined || text !== background)
}

const transparent = 'transparent'

export function colouredSelectors(rules: CssRule[]): ColourRules {
  const coloured: ColourRules = { names: new Set(), all: false }
  for (const { selectors, declarations } of rules) {
    if (!/(?:^|;)\s*(?:color|background(?:-color|-image)?)\s*:/.test(declarations)) continue
    // Selectors with these attributes are for Outlook's dark mode alone.
    for (const selector of selectors.filter((one) => !/\[data-ogs[cb]/.test(one))) {
      const names = selector.match(/[.#][\w-]+/g) ?? []
      for (const name of names) coloured.names.add(name)
      if (names.length === 0 && !/^(?:body|html)$/.test(selector)) coloured.all = true
    }
  }
  return coloured
}

/** The colours of an element with these attributes; unknown if a style block sets its colours. */
export function elementColours(
  inherited: Colours,
  attributes: Record<string, string | undefined>,
  { names, all }: ColourRules,
): Colours {
  const { style = '', class: classes = '', id = '', bgcolor, color, background: picture } = attributes
  const isColoured = all || [`#${id}`, ...classes.split(/\s+/).map((one) => `.${one}`)].some((one) => names.has(one))
  const declared = colourDeclarations(style)
  const background = declared.background ?? (picture ? 'a picture' : bgcolor)
  const text = declared.text ?? color
  return {
    text: isColoured ? undefined : text === undefined || text === 'inherit' ? inherited.text : normaliseColour(text),
    background: isColoured
      ? undefined
      : background === undefined || isTransparent(background)
        ? inherited.background
        : normaliseColour(background),
  }
}

/** The last `color`, and the last `background` or `background-color`, of a style attribute. */
function colourDeclarations(style: string): Partial<Record<'text' | 'background', string>> {
  const declared: Partial<Record<'text' | 'background', string>> = {}
  for (const declaration of style
    .toLowerCase()
    .replace(/\/\*.*?\*\//gs, '')
    .split(';')) {
    const [, name, value = ''] =
      /^\s*(color|background|background-color|background-image)\s*:\s*(.*?)\s*(?:!|$)/.exec(declaration) ?? []
    if (name === 'color') declared.text = value
    else if (name === 'background-image')
      declared.background = value === 'none' ? (declared.background ?? 'none') : 'a picture'
    else if (name !== undefined && declared.background !== 'a picture') declared.background = value
  }
  return declared
}

function isTransparent(value: string): boolean {
  return normaliseColour(value) === transparent || value === 'none'
}

/** `#fff`, `white` and `rgb(255,255,255)` become `#ffffff`; undefined for a colour that is not recognised. */
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

/** Whether a colour function has a fourth value, its opacity. */
function hasAlpha(colour: string): boolean {
  return colour.includes('/') || colour.split(',').length === 4
}
