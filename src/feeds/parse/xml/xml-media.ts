import type { RawImage, RawVideo } from '../entry.ts'
import { parsePixels } from '../media.ts'
import { bestWidth } from '../pictures/srcset.ts'
import { attribute, children, childTexts, type XmlNode } from './node.ts'

/** The elements of an entry that may have media: itself and its groups (`holders`), and their media:content (`contents`). */
export type EntryMedia = { node: XmlNode; holders: XmlNode[]; contents: XmlNode[] }

export function entryMedia(node: XmlNode): EntryMedia {
  const holders = [node, ...children(node, 'media:group')]
  return { node, holders, contents: holders.flatMap((holder) => children(holder, 'media:content')) }
}

/** The pictures that an entry names: media:content, media:thumbnail, enclosures, image elements, and last its cover. */
export function imagesOf(media: EntryMedia): RawImage[] {
  const { node, holders, contents } = media
  const all = [...contents, ...holders]
  const describesFilm = videoOf(media) !== null
  const alt = describesFilm ? '' : (all.flatMap((holder) => childTexts(holder, ...altNames))[0] ?? '')
  const pictures = contents.filter((content) => isPicture(content, 'url')).map((content) => imageFrom(content, alt))
  return [
    ...largestFirst(pictures),
    ...[...holders, ...contents]
      .flatMap((holder) => children(holder, 'media:thumbnail'))
      .map((child) => imageFrom(child, alt)),
    ...children(node, 'f:enclosure')
      .filter((child) => isPicture(child, 'url'))
      .map((child) => imageFrom(child, '')),
    ...children(node, 'f:link', 'atom:link')
      .filter((child) => attribute(child, 'rel') === 'enclosure' && isPicture(child, 'href'))
      .map((child) => ({ ...imageFrom(child, ''), url: attribute(child, 'href') })),
    ...children(node, 'f:image', 'f:thumbnail').map((child) => ({
      ...imageFrom(child, ''),
      url: childTexts(child, 'f:url')[0] ?? (attribute(child, 'url') || child.text.trim()),
    })),
    ...contents.filter(mayBePicture).map((content) => imageFrom(content, alt)),
    ...children(node, 'itunes:image').map((child) => ({
      ...imageFrom(child, ''),
      url: attribute(child, 'href') || attribute(child, 'url'),
      isCover: true,
    })),
  ].filter((image) => image.url !== '')
}

const altNames = ['media:description', 'media:title']

/** The one with the best width, then the others by width. */
function largestFirst(pictures: RawImage[]): RawImage[] {
  const widthOf = ({ width }: RawImage) => parsePixels(width) ?? 0
  const best = bestWidth(
    pictures.filter((picture) => widthOf(picture) > 0),
    widthOf,
  )
  const others = pictures.filter((picture) => picture !== best).toSorted((one, other) => widthOf(other) - widthOf(one))
  return best ? [best, ...others] : others
}

/** The video: media:content, an enclosure, or else the page that plays it (media:player). */
export function videoOf({ node, holders, contents }: EntryMedia): RawVideo | null {
  const duration = childTexts(node, 'itunes:duration')[0] ?? ''
  const video = contents.find((content) => isVideo(content, 'url'))
  if (video) return { url: attribute(video, 'url'), duration: durationOf(video, holders) || duration }
  const enclosure = children(node, 'f:enclosure').find((child) => isVideo(child, 'url'))
  if (enclosure) return { url: attribute(enclosure, 'url'), duration }
  const link = children(node, 'f:link', 'atom:link').find(
    (child) => attribute(child, 'rel') === 'enclosure' && isVideo(child, 'href'),
  )
  if (link) return { url: attribute(link, 'href'), duration }
  const player = [...contents, ...holders].flatMap((holder) => children(holder, 'media:player'))[0]
  const length = contents.map((content) => attribute(content, 'duration')).find((text) => text !== '')
  return player ? { url: attribute(player, 'url'), duration: length ?? duration } : null
}

export function mediaTitles({ holders, contents }: EntryMedia): XmlNode[] {
  return [...holders, ...contents].flatMap((holder) => children(holder, 'media:title'))
}

function imageFrom(node: XmlNode, alt: string): RawImage {
  return {
    url: attribute(node, 'url') || node.text.trim(),
    width: attribute(node, 'width'),
    height: attribute(node, 'height'),
    type: attribute(node, 'type').toLowerCase(),
    alt: childTexts(node, ...altNames)[0] ?? alt,
  }
}

/** Its own duration, else that of another version in the same group. */
function durationOf(video: XmlNode, holders: XmlNode[]): string {
  const group = holders.map((holder) => children(holder, 'media:content')).find((contents) => contents.includes(video))
  return [video, ...(group ?? [])].map((content) => attribute(content, 'duration')).find((text) => text !== '') ?? ''
}

/** It has only a size, as a picture has, and no sign of a video or player. */
function mayBePicture(node: XmlNode): boolean {
  if (attribute(node, 'medium') || attribute(node, 'type') || attribute(node, 'duration')) return false
  const [url, width, height] = [attribute(node, 'url'), attribute(node, 'width'), attribute(node, 'height')]
  return (
    parsePixels(width) !== null && parsePixels(height) !== null && !isPicture(node, 'url') && !notPictureUrl.test(url)
  )
}

const notPictureUrl =
  /\.(?:mp4|m4v|webm|mov|m3u8|mpd|mp3|m4a|ogg|wav|swf|pdf|html?)(?:[?#]|$)|\/(?:embed|player|video|watch|v)[/?]|youtu\.?be|vimeo|dailymotion/i

function isPicture(node: XmlNode, address: string): boolean {
  const [medium, type, url] = [
    attribute(node, 'medium').toLowerCase(),
    attribute(node, 'type').toLowerCase(),
    attribute(node, address),
  ]
  if (medium || type) return medium === 'image' || type.startsWith('image')
  return /\.(?:jpe?g|png|gif|webp|avif)(?:[?#]|$)/i.test(url)
}

function isVideo(node: XmlNode, address: string): boolean {
  const [medium, type, url] = [
    attribute(node, 'medium').toLowerCase(),
    attribute(node, 'type').toLowerCase(),
    attribute(node, address),
  ]
  if (medium || type) return medium === 'video' || /^video\/|shockwave-flash|mpegurl/.test(type)
  return /\.(?:mp4|m4v|webm|mov|m3u8)(?:[?#]|$)/i.test(url)
}
