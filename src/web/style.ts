import { Hono } from 'hono'
import { legibleColour, paletteOf, type Shades } from '../messages/palette.ts'
import { readStyle } from './page.ts'
import type { Env, Web } from './response.ts'
import { urls } from './urls.ts'

/** The stylesheet, after the publication's colours: `style-src 'self'` allows no inline styles. */
export function stylePage({ app }: Web): Hono<Env> {
  const css = coloursOf(app.config.publication.colours) + readStyle()
  return new Hono<Env>().get(urls.style, (context) =>
    context.body(css, 200, { 'Content-Type': 'text/css; charset=utf-8', 'Cache-Control': 'public, max-age=300' }),
  )
}

/** The colours of the emails as CSS variables, light and dark. */
function coloursOf(colours: { brand: string; accent: string }): string {
  const { light, dark, bars } = paletteOf({ ...colours, onBrand: '#ffffff', onAccent: '#ffffff' })
  const masthead = { masthead: bars.brand, 'on-masthead': bars.onBrand }
  const inLight = { ...shades(light), ...masthead, button: bars.brand, 'on-button': bars.onBrand }
  const inDark = { ...shades(dark), ...masthead, button: dark.brand, 'on-button': legibleColour(dark.page, dark.brand) }
  return `:root{${declare(inLight)}}\n@media (prefers-color-scheme:dark){:root{${declare(inDark)}}}\n`
}

function shades({ page, paper, tint, text, quiet, rule, brand, accent }: Shades) {
  return { page, paper, tint, text, quiet, rule, brand, accent }
}

function declare(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `--${name}:${value}`)
    .join(';')
}
