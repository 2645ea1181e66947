import { maxLength } from '../../config/field-limits.ts'
import { httpUrl } from '../../http/url.ts'
import type { Image } from '../../store/articles/article.ts'
import { shortText } from '../markup/text.ts'
import { Tokeniser } from '../markup/tokeniser.ts'

/** The first picture of a body that is not a tracking pixel, an emoji or a sharing button. */
export function firstPicture(html: string, base: string): Image | null {
  const tokens = new Tokeniser(html, 'html')
  for (let token = tokens.next(); token; token = tokens.next()) {
    if (token.kind !== 'open' || token.name.toLowerCase() !== 'img') continue
    const attributes = tokens.attributes(token)
    const { src = '', width = '', height = '', alt = '' } = attributes
    const url = httpUrl(src === '' || src.startsWith('data:') ? (attributes['data-src'] ?? '') : src, base)
    if (!url || isTiny({ width, height }) || ignoredImageUrls.test(url)) continue
    const words = shortText({ value: alt, kind: 'text' }, maxLength.pictureText)
    return { url, width: parsePixels(width), height: parsePixels(height), alt: words }
  }
  return null
}

/** Under 20 pixels, as tracking pixels are. A picture without a size may be large. */
export function isTiny({ width, height }: { width: string; height: string }): boolean {
  return [width, height].some((side) => (parsePixels(side) ?? 20) < 20)
}

/** In characters, without surrounding white space. */
const maxNumberLength = 40

/** `640`, `640px` → 640; anything else is unknown. */
export function parsePixels(text: string): number | null {
  const bare = text.trim()
  const number = bare.length > maxNumberLength ? undefined : /^(\d{1,5})(?:\.\d+)?\s*(?:px)?$/.exec(bare)?.[1]
  return number && Number(number) > 0 ? Number(number) : null
}

/** `95`, `1:35`, `0:01:35`, `PT1M35S` → 95. */
export function parseDurationSeconds(text: string): number | null {
  const bare = text.trim()
  if (bare.length > maxNumberLength) return null
  const clock = /^(?:(\d{1,3}):)?(\d{1,4}):(\d{1,2})(?:\.\d+)?$/.exec(bare)
  const iso = /^PT(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})(?:\.\d+)?S)?$/i.exec(bare)
  const parts = clock ?? iso
  if (parts) return Number(parts[1] ?? 0) * 3600 + Number(parts[2] ?? 0) * 60 + Number(parts[3] ?? 0)
  const number = /^(\d{1,6})(?:\.\d+)?\s*s?$/.exec(bare)?.[1]
  return number ? Number(number) : null
}

const ignoredImageUrls =
  /\/~(?:r|ff|a|f)\/|feedsportal\.com|feeds\.wordpress\.com|doubleclick|\/(?:pixel|spacer|blank|clear|1x1)\.(?:gif|png)|s\.w\.org\/images\/core\/emoji|stats\.|pheedo|feedblitz\.com|\/tracking\/|\/analytics|scorecardresearch|quantserve/i
