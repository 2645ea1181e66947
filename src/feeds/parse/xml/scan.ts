import { isEntryName } from './names.ts'
import { shortestText, type Texts, textsAside } from './placeholders.ts'
import { editsOf } from './repair.ts'
import type { NotAFeed, Root } from './root.ts'
import { nextTag, type Open, type Reading, rememberingFind, type Tag } from './tags.ts'

export type Scan = {
  /** What stands in the root, balanced, without comments, channel tags, and anything after the last whole entry of a cut text. */
  body: string
  /** The long texts, which are not in the body. */
  texts: Texts
  channelTag: string
  /** Entries beyond the first 5,000. */
  left: number
  /** The text ends in the middle of an entry. */
  cutOff: boolean
}

export const maximumEntries = 5000
const maximumDepth = 100

/** One pass over the tags with indexOf, linear in the length whatever the text is. See normalise.ts for what it cures. */
export function scanBody(text: string, root: Root, prefixes: Map<string, string>): Scan | NotAFeed {
  const state: State = { ...startOf(text, root), text, root, prefixes }
  for (let tag = nextTag(state); tag; tag = nextTag(state)) {
    const open = state.stack.at(-1)
    if (open) open.next ||= tag.open
    const end = tag.closing ? closeTag(state, tag) : openTag(state, tag)
    if (end) return end
  }
  if (state.rootEnd > 0) return scanned(state, state.rootEnd, 0, false)
  if (state.whole === 0) return { failed: 'the feed is cut off before its first entry is complete' }
  const cutOff = state.stack.some(({ entry, inner }) => entry && inner === 0)
  while (state.stack.length > 0) endUnclosed(state, state.whole)
  return scanned(state, state.whole, 0, cutOff)
}

type State = Reading & {
  root: Root
  prefixes: Map<string, string>
  texts: Texts
  entries: number
  /** Where the last whole entry ends, and where the root does. */
  whole: number
  rootEnd: number
  channelTag: string
}

function startOf(text: string, root: Root) {
  const stack: Open[] = []
  const start = { at: root.end, find: rememberingFind(text), edits: editsOf(text, root.end), stack, names: new Map() }
  return {
    ...start,
    rootName: root.name.toLowerCase(),
    texts: textsAside(),
    entries: 0,
    whole: 0,
    rootEnd: 0,
    channelTag: '',
  }
}

function openTag(state: State, tag: Tag): Scan | NotAFeed | null {
  const { text, prefixes, edits, stack } = state
  const isEntry = isEntryName(tag.small, tag.local, prefixes)
  if (isStructure(state, tag)) {
    if (tag.local === 'channel') state.channelTag ||= text.slice(tag.open, tag.end)
    edits.drop(tag.open, tag.end)
    return null
  }
  if (isEntry) {
    if (state.entries++ === maximumEntries) return scanned(state, state.whole, countTags(text, tag), false)
    while (stack.length > 0 && stack.at(-1)?.entry === false) endUnclosed(state, tag.open)
    const outer = stack.at(-1)
    if (outer) outer.inner ||= tag.open
    if (tag.closed) state.whole = tag.end
  }
  if (tag.closed) return null
  if (tag.small === 'script') {
    dropWhole(state, tag)
    return null
  }
  if (neverClosed.has(tag.local)) {
    edits.insert(tag.end, `</${tag.name}>`)
    return null
  }
  stack.push({ name: tag.name, small: tag.small, end: tag.end, entry: isEntry, next: 0, inner: 0 })
  if (stack.length > maximumDepth) return { failed: `tags are nested more than ${maximumDepth} deep` }
  if (holdsText(tag, prefixes)) wrapRawMarkup(state, tag)
  return null
}

function closeTag(state: State, tag: Tag): Scan | null {
  const { text, edits, stack } = state
  if (isStructure(state, tag)) {
    edits.drop(tag.open, tag.end)
    if (tag.small !== state.rootName) return null
    while (stack.length > 0) endUnclosed(state, tag.open)
    state.rootEnd = tag.open
    return entryAfter(text, tag.end) ? null : scanned(state, tag.open, 0, false) // a second document stuck to the first
  }
  const index = stack.findLastIndex((open) => open.small === tag.small)
  if (index < 0) edits.drop(tag.open, tag.end)
  else {
    while (stack.length - 1 > index) endUnclosed(state, tag.open)
    const open = stack.pop()
    if (open?.entry) state.whole = tag.end
    else if (open?.next === tag.open) setAside(state, open.end, tag.open)
    if (state.rootEnd > 0 && state.whole > state.rootEnd) state.rootEnd = state.whole
  }
  return null
}

function setAside({ text, edits, texts }: State, from: number, to: number): void {
  if (to - from >= shortestText && edits.end() <= from) edits.replace(from, to, texts.put(text.slice(from, to)))
}

/** What nobody closed ends before the next tag (`<link>https://… <guid>`); an entry before the next, or where its feed does. */
function endUnclosed({ stack, edits }: State, border: number): void {
  const open = stack.pop()
  if (open) edits.insert((open.entry ? open.inner : open.next) || border, `</${open.name}>`)
}

/** The root again, and in RSS the channel: what stands in them is read as if they were not there. */
function isStructure({ root, rootName }: State, { small, local }: Tag): boolean {
  return (root.format === 'rss' && local === 'channel') || small === rootName
}

function entryAfter(text: string, from: number): boolean {
  return text.indexOf('<item', from) >= 0 || text.indexOf('<entry', from) >= 0
}

function scanned({ edits, texts, channelTag }: State, end: number, left: number, cutOff: boolean): Scan {
  return { body: edits.applied(end), texts, channelTag, left, cutOff }
}

const neverClosed = new Set(['br', 'hr', 'img', 'wbr'])
const textNames = new Set(
  'title description summary content encoded body subtitle tagline info rights copyright'.split(' '),
)

function holdsText({ small, local }: Tag, prefixes: Map<string, string>): boolean {
  if (!textNames.has(local)) return false
  const prefix = small.slice(0, Math.max(0, small.indexOf(':')))
  return local !== 'content' || (prefixes.get(prefix) ?? prefix) !== 'media'
}

/** A text with markup in it (`type="xhtml"`, or a description that nobody escaped) is set aside, and says so. */
function wrapRawMarkup(state: State, { end, name }: Tag): void {
  const { text, edits, texts } = state
  const first = text.indexOf('<', end)
  if (first < 0 || text[first + 1] === '!' || text[first + 1] === '/') return
  const close = closeBefore(state, name, end, ['</item', '<item', '</entry', '<entry'])
  if (close < 0) return
  const markup = text.slice(end, close).replace(/<!\[CDATA\[|\]\]>/g, '')
  edits.replace(end - 1, close, ` f-raw="1">${texts.putPlain(markup)}`)
  state.at = close
}

/** A script that somebody put between the elements; rss-parser's reader takes all that follows for a part of it. */
function dropWhole(state: State, { open, end, name }: Tag): void {
  const close = closeBefore(state, name, end, ['</item', '</entry'])
  const last = close < 0 ? -1 : state.find('>', close)
  state.at = last < 0 ? end : last + 1
  state.edits.drop(open, state.at)
}

/** Where an element ends, or -1 where it does not before any of these; sought no further, for names have no end. */
function closeBefore({ text, find }: State, name: string, from: number, borders: string[]): number {
  const found = borders.map((border) => find(border, from)).filter((border) => border >= 0)
  const close = text.slice(from, found.length > 0 ? Math.min(...found) : text.length).indexOf(`</${name}`)
  return close < 0 ? -1 : from + close
}

function countTags(text: string, { name, open }: Tag): number {
  let count = 0
  for (let at = open; at >= 0; at = text.indexOf(`<${name}`, at + 1)) {
    if (/[\s/>]/.test(text[at + name.length + 1] ?? '')) count++
  }
  return count
}
