import type { RichText } from '../markup/text.ts'

/** An entry in one shape for RSS, Atom and JSON; nothing is checked yet. */
export type Entry = {
  guid: string
  /** Candidates for its address, the best first, not yet absolute. */
  links: string[]
  /** xml:base of the entry and its link, outermost first. */
  bases: string[]
  title: RichText
  /** Candidates for its summary, the best first. */
  texts: RichText[]
  /** Candidates for its full text. */
  bodies: RawBody[]
  /** Names joined by semicolons. */
  author: string
  categories: string[]
  published: string[]
  updated: string[]
  images: RawImage[]
  video: RawVideo | null
}

/** `base` is its own xml:base; `own`: the feed has it as the content, not as the summary. */
export type RawBody = { text: RichText; base: string; own: boolean }
/** `isCover`: the picture of a podcast or channel. */
export type RawImage = { url: string; width: string; height: string; alt: string; type?: string; isCover?: boolean }
export type RawVideo = { url: string; duration: string }

/** A feed in one shape for RSS, Atom and JSON. */
export type RawFeed = {
  title: RichText
  /** Candidates for the address of the site, the best first. */
  sites: string[]
  self: string | null
  /** Its `id` (RFC 4287 §4.2.6), or empty. */
  id: string
  bases: string[]
  language: string | null
  /** Seconds between two fetches. */
  ttl?: number
  /** The author of entries without one. */
  author: string
  entries: Entry[]
  /** Entries beyond `maximumEntries`, which are not read. */
  left: number
  /** The document ends in the middle of an entry. */
  cutOff: boolean
  /** The document ends before its root element does. */
  unclosed?: true
}
