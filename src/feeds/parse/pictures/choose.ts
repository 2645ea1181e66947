import { httpUrl } from '../../../http/url.ts'
import type { Image } from '../../../store/articles/article.ts'
import type { RawImage } from '../entry.ts'
import { parsePixels } from '../media.ts'
import { altText } from './alt-text.ts'
import { picturesOf } from './html-pictures.ts'
import { type Candidate, isThumbnail, kindOf } from './rules.ts'

/** An HTML text of an entry, and the base of its relative addresses. */
export type PictureText = { html: string; base: string }

/** What an entry offers: the pictures that its elements name, best first, with their base, and its texts. */
export type PictureSources = { images: RawImage[]; base: string; texts: PictureText[]; title: string }

/** The picture of an article, and the portrait of its author if the feed has one. */
export type Pictures = { image: Image | null; portrait: Image | null }

/**
 * The first picture of the elements, of the texts if that is a thumbnail or there is none, else a thumbnail, else a cover,
 * which shows the series and not the article.
 */
export function choosePictures({ images, base, texts, title }: PictureSources): Pictures {
  const named = images.flatMap((image) => candidateOf(image, base) ?? [])
  const pictures = named.filter(({ candidate }) => kindOf(candidate) === 'picture')
  const portrait = named.find(({ candidate }) => kindOf(candidate) === 'avatar')?.candidate
  const own = pictures.filter(({ isCover }) => !isCover).map(({ candidate }) => candidate)
  const image =
    own.find((candidate) => !isThumbnail(candidate)) ??
    firstLarge(texts) ??
    own[0] ??
    pictures[0]?.candidate ??
    firstOf(texts)
  return {
    image: image ? toImage(image, title) : null,
    portrait: portrait ? { ...toImage(portrait, title), alt: '' } : null,
  }
}

function candidateOf(image: RawImage, base: string): { candidate: Candidate; isCover: boolean } | null {
  const url = httpUrl(image.url, base)
  if (!url) return null
  const { type = '', alt, isCover = false } = image
  return { candidate: { url, width: side(image.width), height: side(image.height), alt, type }, isCover }
}

/** 0 stays 0, which a counter has. */
function side(text: string): number | null {
  return /^0+(?:px)?$/.test(text.trim()) ? 0 : parsePixels(text)
}

function firstLarge(texts: PictureText[]): Candidate | null {
  return firstOf(texts, (candidate) => !isThumbnail(candidate))
}

function firstOf(texts: PictureText[], accepts: (candidate: Candidate) => boolean = () => true): Candidate | null {
  for (const { html, base } of texts) {
    if (!/<(?:amp-)?img/i.test(html)) continue
    for (const picture of picturesOf(html)) {
      const url = httpUrl(picture.url, base)
      const candidate = url && { ...picture, url }
      if (candidate && kindOf(candidate) === 'picture' && accepts(candidate)) return candidate
    }
  }
  return null
}

function toImage({ url, width, height, alt = '' }: Candidate, title: string): Image {
  return { url, width, height, alt: altText(alt, title) }
}
