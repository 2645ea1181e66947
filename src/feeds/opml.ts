import { generateOpml, parseOpml } from 'feedsmith'
import { maxLength } from '../config/field-limits.ts'
import { messageOf } from '../errors.ts'
import { shortText } from './markup/text.ts'

/** A feed in a list of feeds; its folder is the name of a section, or null if it lies in none. */
export type ListedFeed = { folder: string | null; url: string; title: string }

/** What an OPML file lists (OPML 2.0, and what is called 1.0), and what in it cannot be a feed, with the reason. */
export type OpmlFeeds = { feeds: ListedFeed[]; rejected: { what: string; reason: string }[] }

type RawOutline = { text?: unknown; title?: unknown; xmlUrl?: unknown; outlines?: unknown }

/** Reads OPML text. Folders in folders count by the innermost; a feed that is listed twice in a folder counts once. */
export function readOpml(text: string): OpmlFeeds | { failed: string } {
  const outline: OpmlFeeds = { feeds: [], rejected: [] }
  const known = new Set<string>()
  try {
    const waiting: { one: RawOutline; folder: string | null }[] = []
    const into = (folder: string | null, outlines: RawOutline[]) => {
      for (const one of outlines.toReversed()) waiting.push({ one, folder })
    }
    into(null, outlinesOf(parseOpml(text).body))
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const { one, folder } = next
      const name = shortText(
        { value: trimmedString(one.text) || trimmedString(one.title), kind: 'text' },
        maxLength.feedTitle,
      )
      const inner = outlinesOf(one)
      if (trimmedString(one.xmlUrl)) addFeed(outline, known, { folder, url: trimmedString(one.xmlUrl), title: name })
      else if (inner.length === 0)
        outline.rejected.push({ what: name.slice(0, 200) || 'an outline', reason: noAddressReason })
      into(name || folder, inner)
    }
  } catch (error) {
    return { failed: `it is no OPML: ${messageOf(error)}` }
  }
  return outline
}

const noAddressReason = 'it names no address (xmlUrl), and holds nothing'

function addFeed({ feeds, rejected }: OpmlFeeds, known: Set<string>, feed: ListedFeed): void {
  const url = feed.url.replace(/^feed:(?:\/\/)?(?=https?:)/i, '').replace(/^feed:/i, 'http:')
  if (!/^https?:\/\/[^\s\\]+$/i.test(url) || !URL.canParse(url))
    rejected.push({ what: feed.url.slice(0, 200), reason: 'it is not an http or https address' })
  else if (url.length > maxLength.address)
    rejected.push({ what: feed.url.slice(0, 200), reason: `its address has more than ${maxLength.address} characters` })
  else {
    const key = JSON.stringify([feed.folder, url])
    if (!known.has(key)) feeds.push({ ...feed, url })
    known.add(key)
  }
}

function outlinesOf(holder: unknown): RawOutline[] {
  const { outlines } = (holder ?? {}) as RawOutline
  return Array.isArray(outlines) ? outlines : []
}

function trimmedString(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}

export type FeedFolder = {
  name: string
  folders: FeedFolder[]
  feeds: { url: string; title: string; siteUrl: string | null }[]
}

/** Folders and their feeds as OPML 2.0. */
export function writeOpml(title: string, folders: FeedFolder[], created: string): string {
  return String(
    generateOpml({ head: { title, dateCreated: new Date(created) }, body: { outlines: folders.map(toOutline) } }),
  )
}

type OutlineElement = { text: string; type?: string; xmlUrl?: string; htmlUrl?: string; outlines?: OutlineElement[] }

function toOutline({ name, folders, feeds }: FeedFolder): OutlineElement {
  const listed = feeds.map(({ url, title, siteUrl }) => ({
    text: title || url,
    type: 'rss',
    xmlUrl: url,
    ...(siteUrl && { htmlUrl: siteUrl }),
  }))
  return { text: name, outlines: [...folders.map(toOutline), ...listed] }
}
