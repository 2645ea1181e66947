import { generateOpml, parseOpml } from 'feedsmith'
import { messageOf } from '../errors.ts'
import { longest } from './longest.ts'
import { shortText } from './text.ts'

/** A feed in a list of feeds; its folder is the name of a section, or null if it lies in none. */
export type Listed = { folder: string | null; url: string; title: string }

/** What an OPML file lists (OPML 2.0, and what is called 1.0), and what in it cannot be a feed, with the reason. */
export type Outline = { feeds: Listed[]; rejected: { what: string; reason: string }[] }

type Loose = { text?: unknown; title?: unknown; xmlUrl?: unknown; outlines?: unknown }

/** Reads OPML text. Folders in folders count by the innermost; a feed that is listed twice in a folder counts once. */
export function readOpml(text: string): Outline | { failed: string } {
  const outline: Outline = { feeds: [], rejected: [] }
  const known = new Set<string>()
  try {
    const waiting: { one: Loose; folder: string | null }[] = []
    const into = (folder: string | null, outlines: Loose[]) => {
      for (const one of outlines.toReversed()) waiting.push({ one, folder })
    }
    into(null, outlinesOf(parseOpml(text).body))
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const { one, folder } = next
      const name = shortText({ value: string(one.text) || string(one.title), kind: 'text' }, longest.feedTitle)
      const inner = outlinesOf(one)
      if (string(one.xmlUrl)) add(outline, known, { folder, url: string(one.xmlUrl), title: name })
      else if (inner.length === 0)
        outline.rejected.push({ what: name.slice(0, 200) || 'an outline', reason: noAddress })
      into(name || folder, inner)
    }
  } catch (error) {
    return { failed: `it is no OPML: ${messageOf(error)}` }
  }
  return outline
}

const noAddress = 'it names no address (xmlUrl), and holds nothing'

function add({ feeds, rejected }: Outline, known: Set<string>, feed: Listed): void {
  const url = feed.url.replace(/^feed:(?:\/\/)?(?=https?:)/i, '').replace(/^feed:/i, 'http:')
  if (!/^https?:\/\/[^\s\\]+$/i.test(url) || !URL.canParse(url))
    rejected.push({ what: feed.url.slice(0, 200), reason: 'it is not an http or https address' })
  else if (url.length > longest.address)
    rejected.push({ what: feed.url.slice(0, 200), reason: `its address has more than ${longest.address} characters` })
  else {
    const key = JSON.stringify([feed.folder, url])
    if (!known.has(key)) feeds.push({ ...feed, url })
    known.add(key)
  }
}

function outlinesOf(holder: unknown): Loose[] {
  const { outlines } = (holder ?? {}) as Loose
  return Array.isArray(outlines) ? outlines : []
}

function string(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}

export type Folder = {
  name: string
  folders: Folder[]
  feeds: { url: string; title: string; siteUrl: string | null }[]
}

/** Folders and their feeds as OPML 2.0. */
export function writeOpml(title: string, folders: Folder[], created: string): string {
  return String(
    generateOpml({ head: { title, dateCreated: new Date(created) }, body: { outlines: folders.map(toOutline) } }),
  )
}

type Written = { text: string; type?: string; xmlUrl?: string; htmlUrl?: string; outlines?: Written[] }

function toOutline({ name, folders, feeds }: Folder): Written {
  const listed = feeds.map(({ url, title, siteUrl }) => ({
    text: title || url,
    type: 'rss',
    xmlUrl: url,
    ...(siteUrl && { htmlUrl: siteUrl }),
  }))
  return { text: name, outlines: [...folders.map(toOutline), ...listed] }
}
