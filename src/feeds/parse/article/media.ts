import { maxLength } from '../../../config/field-limits.ts'
import { httpUrl } from '../../../http/url.ts'
import type { Image, Video } from '../../../store/articles/article.ts'
import { shortText } from '../../markup/text.ts'
import type { Entry } from '../entry.ts'
import { firstPicture, parseDurationSeconds, parsePixels } from '../media.ts'

export function imageOf(entry: Entry, base: string): Image | null {
  for (const { url, width, height, alt } of entry.images) {
    const address = httpUrl(url, base)
    if (address)
      return {
        url: address,
        width: parsePixels(width),
        height: parsePixels(height),
        alt: shortText({ value: alt, kind: 'perhaps-html' }, maxLength.pictureText),
      }
  }
  return firstPicture(entry.html, base)
}

export function videoOf({ video }: Entry, base: string): Video | null {
  const url = video ? httpUrl(video.url, base) : null
  return video && url ? { url, seconds: parseDurationSeconds(video.duration) } : null
}
