import { localName } from './names.ts'
import type { NotAFeed, Root } from './root.ts'

export type Scan = {
  /** What stands in the root, without comments, channel tags, and anything after the last whole entry of a cut text. */
  body: string
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
  const entryName = root.format === 'rss' ? 'item' : 'entry'
  const state: State = { text, root, prefixes, entryName, find: rememberingFind(text), ...atStart(root.end) }
  for (let tag = nextTag(state); tag; tag = nextTag(state)) {
    const end = tag.closing ? closeTag(state, tag) : openTag(state, tag)
    if (end) return end
  }
  if (state.whole === 0) return { failed: 'the feed is cut off before its first entry is complete' }
  return wholeEntries(state, 0, state.inEntry)
}

type State = ReturnType<typeof atStart> & {
  text: string
  root: Root
  prefixes: Map<string, string>
  entryName: 'item' | 'entry'
  find: Find
}

type Tag = { open: number; end: number; name: string; local: string; closing: boolean; closed: boolean }

function atStart(start: number) {
  // `out` holds the text up to `from`; its first `whole` pieces end with the last whole entry.
  return {
    out: [] as string[],
    from: start,
    at: start,
    whole: 0,
    depth: 0,
    entryDepth: 0,
    entries: 0,
    inEntry: false,
    channelTag: '',
  }
}

/** The next tag outside CDATA and comments, or null where the text ends. */
function nextTag(state: State): Tag | null {
  const { text, find } = state
  while (true) {
    const open = text.indexOf('<', state.at)
    if (open < 0) return null
    const second = text[open + 1] ?? ''
    if (/[a-zA-Z_/]/.test(second)) {
      const last = find('>', open)
      if (last < 0) return null
      state.at = last + 1
      const name = nameAt(text, second === '/' ? open + 2 : open + 1)
      return {
        open,
        end: last + 1,
        name,
        local: localName(name),
        closing: second === '/',
        closed: text[last - 1] === '/',
      }
    }
    const mark =
      second === '?'
        ? '?>'
        : second !== '!'
          ? ''
          : text.startsWith('<![CDATA[', open)
            ? ']]>'
            : text.startsWith('<!--', open)
              ? '-->'
              : '>'
    const end = mark === '' ? open + 1 : find(mark, open) + mark.length
    if (end < open) return null
    if (mark === '' || mark === ']]>') state.at = end
    else drop(state, open, end)
  }
}

function closeTag(state: State, { open, end, name, local }: Tag): Scan | null {
  const { root, text, out } = state
  state.depth = Math.max(0, state.depth - 1)
  if (name.toLowerCase() === root.name.toLowerCase()) {
    out.push(text.slice(state.from, open))
    return { body: out.join(''), channelTag: state.channelTag, left: 0, cutOff: false }
  }
  if (root.format === 'rss' && local === 'channel') drop(state, open, end)
  else if (local === state.entryName) entryEnds(state, end)
  return null
}

function openTag(state: State, tag: Tag): Scan | NotAFeed | null {
  const { text, root } = state
  if (!tag.closed && ++state.depth > maximumDepth) return { failed: `tags are nested more than ${maximumDepth} deep` }
  if (root.format === 'rss' && tag.local === 'channel') {
    state.channelTag ||= text.slice(tag.open, tag.end)
    drop(state, tag.open, tag.end)
  } else if (tag.local === state.entryName) {
    if (state.entries++ === maximumEntries) return wholeEntries(state, countTags(text, tag), false)
    state.entryDepth = tag.closed ? state.depth : state.depth - 1
    if (tag.closed) entryEnds(state, tag.end)
    else state.inEntry = true
  } else if (!tag.closed && holdsText(tag, state.prefixes)) wrapRawMarkup(state, tag)
  return null
}

function entryEnds(state: State, end: number): void {
  drop(state, end, end)
  state.whole = state.out.length
  state.depth = state.entryDepth
  state.inEntry = false
}

function wholeEntries({ out, whole, channelTag }: State, left: number, cutOff: boolean): Scan {
  return { body: out.slice(0, whole).join(''), channelTag, left, cutOff }
}

/** Leaves a part of the text out of the body. */
function drop(state: State, open: number, end: number): void {
  state.out.push(state.text.slice(state.from, open))
  state.from = state.at = end
}

const textNames = new Set(
  'title description summary content encoded body subtitle tagline info rights copyright'.split(' '),
)

function holdsText({ name, local }: Tag, prefixes: Map<string, string>): boolean {
  if (!textNames.has(local)) return false
  const prefix = name.slice(0, Math.max(0, name.indexOf(':'))).toLowerCase()
  return local !== 'content' || (prefixes.get(prefix) ?? prefix) !== 'media'
}

/** A text with markup in it (`type="xhtml"`, or a description that nobody escaped) becomes CDATA, and says so. */
function wrapRawMarkup(state: State, { open, end, name }: Tag): void {
  const { text, find, entryName } = state
  const first = text.indexOf('<', end)
  if (first < 0 || text[first + 1] === '!' || text[first + 1] === '/') return
  const close = find(`</${name}`, end)
  const borders = [find(`</${entryName}`, end), find(`<${entryName}`, end)]
  if (close < 0 || borders.some((border) => border >= 0 && border < close)) return
  const markup = text.slice(end, close).replace(/<!\[CDATA\[|\]\]>/g, '')
  drop(state, open, close)
  state.out.push(`${text.slice(open, end - 1)} f-raw="1"><![CDATA[${markup}]]>`)
}

type Find = (needle: string, from: number) => number

/** indexOf that remembers: asking for the same needle from ever later places reads the text once, not once per place. */
function rememberingFind(text: string): Find {
  const known = new Map<string, number>()
  return (needle, from) => {
    const last = known.get(needle)
    if (last !== undefined && (last < 0 || last >= from)) return last < 0 ? Number.NEGATIVE_INFINITY : last
    const found = text.indexOf(needle, from)
    known.set(needle, found)
    return found < 0 ? Number.NEGATIVE_INFINITY : found
  }
}

const tagName = /[^\s/>]{1,200}/y

function nameAt(text: string, start: number): string {
  tagName.lastIndex = start
  return tagName.exec(text)?.[0] ?? ''
}

function countTags(text: string, { name, open }: Tag): number {
  let count = 0
  for (let at = open; at >= 0; at = text.indexOf(`<${name}`, at + 1)) {
    if (/[\s/>]/.test(text[at + name.length + 1] ?? '')) count++
  }
  return count
}
