/**
 * The colours of an email, light and dark: fixed greys, and the publication's two colours made legible. Text has a
 * contrast of at least 4.5:1 with its background (WCAG 2.2, 1.4.3) for any colours in lastword.yml.
 */
export type Palette = { light: Shades; dark: Shades; bars: Bars }

/** `brand` and `accent` are for text and rules, legible on page, paper and tint; `bar` is the background of white text. */
export type Shades = {
  page: string
  paper: string
  tint: string
  text: string
  quiet: string
  rule: string
  bar: string
  brand: string
  accent: string
}

/** Filled areas, the same in light and dark. */
export type Bars = { brand: string; onBrand: string; accent: string; onAccent: string }

const light = {
  page: '#f3f1ec',
  paper: '#ffffff',
  tint: '#f7f3e9',
  text: '#1d1f21',
  quiet: '#595c60',
  rule: '#dcd8ce',
  bar: '#16181b',
}
const dark = {
  page: '#101214',
  paper: '#1b1e21',
  tint: '#25292d',
  text: '#f0eee9',
  quiet: '#b3b6ba',
  rule: '#41464b',
  bar: '#3a4046',
}

export function paletteOf({ brand, accent, onBrand, onAccent }: Bars): Palette {
  return {
    light: { ...light, brand: legibleColour(brand, light.page), accent: legibleColour(accent, light.page) },
    dark: { ...dark, brand: legibleColour(brand, dark.tint, 7), accent: legibleColour(accent, dark.tint, 6) },
    bars: { brand, accent, onBrand: legibleColour(onBrand, brand), onAccent: legibleColour(onAccent, accent) },
  }
}

/** The colour itself if it is legible on `background`, else the nearest mix with black or white that is. */
export function legibleColour(colour: string, background: string, ratio = 4.5): string {
  const pole = contrast('#000000', background) > contrast('#ffffff', background) ? '#000000' : '#ffffff'
  const shares = Array.from({ length: 21 }, (_, step) => step / 20)
  return shares.map((share) => mix(colour, pole, share)).find((shade) => contrast(shade, background) >= ratio) ?? pole
}

/** The contrast ratio of WCAG 2.2, from 1 (equal) to 21 (black on white). */
export function contrast(one: string, other: string): number {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number]
  return (lighter + 0.05) / (darker + 0.05)
}

function luminance(colour: string): number {
  const [red, green, blue] = channels(colour).map((value) => linear(value / 255)) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

const linear = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)

function mix(colour: string, pole: string, share: number): string {
  if (share === 0) return colour
  const ends = channels(pole)
  return `#${channels(colour)
    .map((value, index) => Math.round(value + ((ends[index] as number) - value) * share))
    .map((value) => value.toString(16).padStart(2, '0'))
    .join('')}`
}

function channels(colour: string): number[] {
  if (!/^#[0-9a-f]{6}$/i.test(colour)) throw new TypeError(`${colour} is not a colour such as #0b4f6c`)
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
}
