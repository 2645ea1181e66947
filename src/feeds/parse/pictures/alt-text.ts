import { wholeSentences } from '../../markup/sentences.ts'
import { plainText } from '../../markup/text.ts'

/** In characters: screen readers read an alternative text without a pause. */
const maxAltLength = 125

/**
 * The alternative text of a picture, or empty if it only repeats the title of the article, is the name of a file, or is the
 * advertising text of a film.
 */
export function altText(text: string, title: string): string {
  const alt = plainText({ value: text, kind: 'perhaps-html' }, 1000)
  if (isNoAlt.test(alt) || bare(alt) === bare(title)) return ''
  return wholeSentences(alt, maxAltLength)
}

const isNoAlt =
  /https?:|www\.|^[\w%+.-]{1,100}\.(?:jpe?g|png|gif|webp|avif)$|^(?:image|img|photo|picture|thumbnail|featured image)$|\b(?:subscribe|sign up|join us|follow us|patreon)\b/i

function bare(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '')
}
