import { visibilityIn, visible } from '../../markup/hidden-text.ts'
import { type Attributes, type Token, Tokeniser } from '../../markup/tokeniser.ts'
import { parsePixels } from '../media.ts'
import { minSide } from './rules.ts'
import { bestInSrcset } from './srcset.ts'

/** A picture of an HTML text; its address is not yet absolute. */
export type HtmlPicture = {
  url: string
  width: number | null
  height: number | null
  alt: string
  classes: string
  href: string
}

/** No text needs more. */
const maxPictures = 200

/** The pictures that a text shows, in their order; also those that load late, and those for readers without scripts. */
export function* picturesOf(html: string): Generator<HtmlPicture> {
  const tokens = new Tokeniser(html, 'html')
  let href = ''
  let source = ''
  let count = 0
  for (let token = tokens.next(); token && count < maxPictures; token = tokens.next()) {
    const name = token.name.toLowerCase()
    if (name === 'a') href = hrefOf(tokens, token)
    if (name === 'picture') source = ''
    if (token.kind !== 'open') continue
    if (name === 'source') source ||= sourceOf(tokens.attributes(token))
    if (name !== 'img' && name !== 'amp-img') continue
    count++
    const picture = readImage(tokens.attributes(token), source, href)
    if (picture) yield picture
  }
}

function hrefOf(tokens: Tokeniser, token: Token): string {
  return token.kind === 'open' ? (tokens.attributes(token).href ?? '') : ''
}

function sourceOf({ srcset = '', 'data-srcset': lazy = '' }: Attributes): string {
  return bestInSrcset(srcset || lazy)?.url ?? ''
}

function readImage(attributes: Attributes, source: string, href: string): HtmlPicture | null {
  const { alt = '', class: classes = '' } = attributes
  const late = lateAddress(attributes)
  if (late === '' && isHidden(attributes)) return null
  const size = sizeOf(attributes)
  if (late !== '') return { url: late, ...size, alt, classes, href }
  const src = attributes.src?.startsWith('data:') ? '' : (attributes.src ?? '')
  const larger = largerOf(attributes, src, size.width)
  if (larger) return { url: larger.url, width: larger.width, height: null, alt, classes, href }
  const url = src || source
  return url === '' ? null : { url, ...size, alt, classes, href }
}

function isHidden(attributes: Attributes): boolean {
  const { isRemoved, isInvisible } = visibilityIn(visible, 'img', attributes)
  return isRemoved || isInvisible
}

/** The address that a script puts into `src` once the picture comes into view. */
function lateAddress(attributes: Attributes): string {
  const addresses = lateAttributes.map((name) => attributes[name] ?? '')
  const address = addresses.find((text) => text !== '' && !text.startsWith('data:'))
  const set = attributes['data-srcset'] ?? attributes['data-lazy-srcset'] ?? ''
  return address ?? bestInSrcset(set)?.url ?? ''
}

const lateAttributes = ['data-src', 'data-lazy-src', 'data-original', 'data-original-src', 'data-lazy', 'data-url']

/** The picture of `srcset` where `src` is missing, or is small and has a larger one there. */
function largerOf(
  { srcset = '' }: Attributes,
  src: string,
  width: number | null,
): { url: string; width: number } | null {
  if (srcset === '' || (src !== '' && (width === null || width < minSide || width >= wideEnough))) return null
  const best = bestInSrcset(srcset)
  return best && (src === '' || best.width > (width ?? 0)) ? best : null
}

/** The width of an email in CSS pixels. */
const wideEnough = 600

/** In CSS pixels, from the style, else the attributes; 0 stays 0. */
function sizeOf({ style = '', width = '', height = '' }: Attributes): Pick<HtmlPicture, 'width' | 'height'> {
  return { width: styleSide(style, 'width') ?? pixels(width), height: styleSide(style, 'height') ?? pixels(height) }
}

function styleSide(style: string, side: string): number | null {
  const declared = new RegExp(`(?:^|[;\\s])${side}\\s*:\\s*(\\d{1,5})(?:\\.\\d+)?(?:px)?\\s*(?:!|;|$)`, 'i')
  const found = declared.exec(style.slice(0, 1000))?.[1]
  return found === undefined ? null : Number(found)
}

function pixels(text: string): number | null {
  return /^0+(?:\.0+)?(?:px)?$/.test(text.trim()) ? 0 : parsePixels(text)
}
