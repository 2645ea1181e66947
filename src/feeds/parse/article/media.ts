import { httpUrl, isOffSite, resolveBase } from '../../../http/url.ts'
import type { Image, Video } from '../../../store/articles/article.ts'
import type { Entry } from '../entry.ts'
import { parseDurationSeconds } from '../media.ts'
import { choosePictures } from '../pictures/choose.ts'

/** Addresses that relative ones start from: `feed` of the feed, `elements` of those in the entry's elements. */
export type Bases = { feed: string; elements: string; hasFeedBase: boolean }

/**
 * The picture of an entry, and the portrait of its author. Relative addresses in a text start from
 * xml:base, else from the article; from the feed where the link of the article leads to another site, such as a feed proxy.
 */
export function picturesOfEntry(
  entry: Entry,
  { url, title }: { url: string; title: string },
  { feed, elements, hasFeedBase }: Bases,
): { image: Image | null; portrait?: Image } {
  const start = hasFeedBase || isOffSite(url, feed) ? feed : url
  const texts = entry.bodies.map(({ text, base }) => {
    const steps = [...entry.bases, base].filter((step) => step !== '')
    return { html: text.value, base: resolveBase(steps, steps.length > 0 ? feed : start) }
  })
  const { image, portrait } = choosePictures({ images: entry.images, base: elements, texts, title })
  return { image, ...(portrait && { portrait }) }
}

export function videoOf({ video }: Entry, base: string): Video | null {
  const url = video ? httpUrl(video.url, base) : null
  return video && url ? { url, seconds: parseDurationSeconds(video.duration) } : null
}
