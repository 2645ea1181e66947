import { escapeUTF8 } from 'entities'
import { maxLength } from '../config/field-limits.ts'
import { shortText } from './markup/text.ts'
import { type Attributes, Tokeniser } from './markup/tokeniser.ts'

/** A feed of an OPML file; `folder` is its innermost folder, or null. */
export type ListedFeed = { folder: string | null; url: string; title: string }

/** The feeds of an OPML file, and the outlines that are not feeds, each with the reason. */
export type OpmlFeeds = { feeds: ListedFeed[]; rejected: { what: string; reason: string }[] }

/** Reads OPML 1.0 or 2.0. A feed that is listed twice in a folder counts once. `failed` is the reason, for a person. */
export function readOpml(text: string): OpmlFeeds | { failed: string } {
  const tokens = new Tokeniser(text, 'xml')
  const reader = new OutlineReader()
  const seen = new Set<string>()
  for (let token = tokens.next(); token; token = tokens.next()) {
    const name = token.name.toLowerCase()
    if (token.kind === 'open') seen.add(name)
    if (name !== 'outline' || !seen.has('opml')) continue
    if (token.kind === 'open') reader.begin(tokens.attributes(token))
    if (token.kind === 'close' || token.closed) reader.end()
  }
  reader.endAll()
  const missing = ['opml', 'body', 'outline'].find((name) => !seen.has(name))
  return missing ? { failed: `it is not OPML: it has no <${missing}>` } : reader.outline
}

/** An open outline; `folder` is that of the outlines in it. */
type Open = { name: string; folder: string | null; holdsNothing: boolean }

class OutlineReader {
  readonly outline: OpmlFeeds = { feeds: [], rejected: [] }
  readonly #known = new Set<string>()
  readonly #open: Open[] = []

  begin({ text = '', title = '', xmlurl: url = '' }: Attributes): void {
    const around = this.#open.at(-1)
    if (around) around.holdsNothing = false
    const name = shortText({ value: text || title, kind: 'text' }, maxLength.feedTitle)
    const folder = around?.folder ?? null
    if (url) addFeed(this.outline, this.#known, { folder, url, title: name })
    this.#open.push({ name, folder: name || folder, holdsNothing: !url })
  }

  end(): void {
    const ended = this.#open.pop()
    if (ended?.holdsNothing)
      this.outline.rejected.push({ what: ended.name.slice(0, 200) || 'an outline', reason: noAddressReason })
  }

  endAll(): void {
    while (this.#open.length > 0) this.end()
  }
}

const noAddressReason = 'it has no address (xmlUrl) and contains nothing'

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

export type FeedFolder = {
  name: string
  folders: FeedFolder[]
  feeds: { url: string; title: string; siteUrl: string | null }[]
}

/** Folders and their feeds as OPML 2.0. */
export function writeOpml(title: string, folders: FeedFolder[], created: string): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<opml version="2.0">
  <head>
    <title>${escapeUTF8(title)}</title>
    <dateCreated>${new Date(created).toUTCString()}</dateCreated>
  </head>
  <body>
${folders.map((folder) => folderOutline(folder, '    ')).join('')}  </body>
</opml>
`
}

function folderOutline({ name, folders, feeds }: FeedFolder, indent: string): string {
  const deeper = `${indent}  `
  const listed = feeds.map(({ url, title, siteUrl }) => {
    const site = siteUrl ? ` htmlUrl="${escapeUTF8(siteUrl)}"` : ''
    return `${deeper}<outline text="${escapeUTF8(title || url)}" type="rss" xmlUrl="${escapeUTF8(url)}"${site}/>\n`
  })
  const inside = [...folders.map((folder) => folderOutline(folder, deeper)), ...listed].join('')
  const tag = `${indent}<outline text="${escapeUTF8(name)}"`
  return inside === '' ? `${tag}/>\n` : `${tag}>\n${inside}${indent}</outline>\n`
}
