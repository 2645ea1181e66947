import type { RichText } from '../markup/text.ts'

/** One entry as the feed gave it, in one shape for RSS, Atom and JSON; nothing is checked yet. */
export type Entry = {
  guid: string
  /** Addresses the entry may have, the best first, not yet absolute. */
  links: string[]
  /** xml:base of the entry and its link, outermost first. */
  bases: string[]
  title: RichText
  /** Texts to make a summary of, the best first. */
  texts: RichText[]
  /** Texts that may be the whole of it. */
  bodies: RawBody[]
  /** The body as HTML: its first picture stands in for one that the feed does not name. */
  html: string
  author: string
  categories: string[]
  published: string[]
  updated: string[]
  images: RawImage[]
  video: RawVideo | null
}

/** `base` is its own xml:base, `own` says that the feed gives it as the text and not as a summary. */
export type RawBody = { text: RichText; base: string; own: boolean }
export type RawImage = { url: string; width: string; height: string; alt: string }
export type RawVideo = { url: string; duration: string }

/** A whole feed as it was given. */
export type RawFeed = {
  title: RichText
  /** The site, the best address first. */
  sites: string[]
  self: string | null
  /** Where the feed says what it is called by programs. */
  id: string
  bases: string[]
  language: string | null
  /** Seconds between two visits, as the feed wishes them. */
  ttl?: number
  /** Of entries that name none themselves. */
  author: string
  entries: Entry[]
  /** Entries that were not read because there are too many. */
  left: number
  /** The document ends in the middle of an entry. */
  cutOff: boolean
}
