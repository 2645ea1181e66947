import { localName } from './names.ts'
import type { Edits } from './repair.ts'

export type Tag = Name & { open: number; end: number; closing: boolean; closed: boolean }

/** As it is written, in small letters, and without its prefix. */
type Name = { name: string; small: string; local: string }

/** A text that is read tag by tag, from `at` on. */
export type Reading = {
  text: string
  at: number
  find: Find
  edits: Edits
  stack: Open[]
  names: Map<string, Name>
  /** In small letters. */
  rootName: string
}

/** An element that is not closed yet. Its tag ends at `end`, at `next` stands the one after it, at `inner` the first entry in it. */
export type Open = { name: string; small: string; end: number; entry: boolean; next: number; inner: number }

/** The next tag outside CDATA and comments, or null where the text ends. Whatever no parser reads as meant is repaired. */
export function nextTag(reading: Reading): Tag | null {
  const { text, find } = reading
  while (true) {
    const open = text.indexOf('<', reading.at)
    if (open < 0) return null
    const second = text.charCodeAt(open + 1)
    if (startsName(second) || (second === slash && startsName(text.charCodeAt(open + 2)))) {
      const last = find('>', open)
      if (last < 0) return second === slash ? cutOffEnd(reading, open) : null
      return readTag(reading, open, last, second === slash)
    }
    if (second === questionMark) pass(reading, open, '<?', '?>')
    else if (second !== exclamationMark) takeAsText(reading, open)
    else if (text.startsWith('<!--', open)) pass(reading, open, '<!--', '-->')
    else if (!text.startsWith('<![CDATA[', open)) pass(reading, open, '<!', '>')
    else if (!passCdata(reading, open)) return null
  }
}

function readTag(reading: Reading, open: number, last: number, closing: boolean): Tag {
  const start = closing ? open + 2 : open + 1
  const { name, small, local } = nameAt(reading, start, last)
  const tag = { open, end: last + 1, name, small, local, closing, closed: false }
  if (start + name.length !== last && !closing) readAttributes(reading, tag, last)
  reading.at = tag.end
  return tag
}

/** `</ite` at the very end: what it was going to close is whole. */
function cutOffEnd(reading: Reading, open: number): Tag | null {
  const { text, edits, stack, rootName } = reading
  const start = text
    .slice(open + 2, open + 202)
    .trimEnd()
    .toLowerCase()
  const innermost = stack.at(-1)
  const closed = innermost?.small.startsWith(start) ? innermost : null
  if (!closed && !rootName.startsWith(start)) return null
  const name = closed?.name ?? rootName
  if (closed) edits.replace(open, text.length, `</${name}>`)
  reading.at = text.length
  const small = name.toLowerCase()
  return { open, end: text.length, name, small, local: localName(small), closing: true, closed: false }
}

/** Attributes in a longer tag are of no use: a picture as data: is not fetched. */
const longestTag = 64 * 1024

/** Attributes decide where the tag ends (`a=">"`) and whether it is closed (`a=b/>`, which no reader takes for closed). */
function readAttributes({ text, edits }: Reading, tag: Tag, last: number): void {
  if (last - tag.open > longestTag) {
    tag.closed = text[last - 1] === '/'
    edits.replace(tag.open, tag.end, `<${tag.name}${tag.closed ? '/' : ''}>`)
    return
  }
  const { open, regular } = quotesOf(text.slice(tag.open, last))
  if (open >= 0) tag.end = endOfQuoted(text, text[tag.open + open] ?? '', last)
  const inside = text.slice(tag.open, tag.end - 1)
  const ending = /\/\s*$/.exec(inside.slice(-40))
  tag.closed = ending !== null
  if (!regular || (open >= 0 && tag.end === last + 1))
    rewrite(edits, tag, ending ? inside.slice(0, -ending[0].length) : inside)
  else if (ending) {
    const isPlain = ending[0] === '/' && (/["'\s]$/.test(inside.slice(0, -1)) || !/\s/.test(inside))
    if (!isPlain) edits.replace(tag.end - 1 - ending[0].length, tag.end, `></${tag.name}>`)
  }
}

/** Where the quote stands that the tag opens and does not close, or -1; and whether all others stand around a value. */
function quotesOf(tag: string): { open: number; regular: boolean } {
  let regular = true
  const find = rememberingFind(tag)
  for (let at = 0; ; at++) {
    const double = find('"', at)
    const single = find("'", at)
    if (double < 0 && single < 0) return { open: -1, regular }
    const open = double < 0 ? single : single < 0 ? double : Math.min(double, single)
    at = find(tag[open] ?? '', open + 1)
    if (at < 0) return { open, regular }
    const [before, after] = [tag.charCodeAt(open - 1), tag.charCodeAt(at + 1)]
    regular &&= (before === equals || before <= 32) && (Number.isNaN(after) || after <= 32 || after === slash)
  }
}

/** Where a tag ends whose quoted value has a > in it; at the > itself where the quote is not closed before the next tag. */
function endOfQuoted(text: string, quote: string, last: number): number {
  const nextOpen = text.indexOf('<', last)
  const between = text.slice(last, nextOpen < 0 ? text.length : nextOpen)
  const closed = between.indexOf(quote)
  const end = closed < 0 ? -1 : between.indexOf('>', closed)
  return end < 0 ? last + 1 : last + end + 1
}

/** A tag whose quotes no reader makes out keeps the attributes that are plain. */
function rewrite(edits: Edits, { open, end, name, closed }: Tag, inside: string): void {
  const values = [...inside.matchAll(attributes)].map(
    ([, key, double, single, bare]) => ` ${key}="${(double ?? single ?? bare ?? '').replaceAll('"', '&quot;')}"`,
  )
  edits.replace(open, end, `<${name}${values.join('')}${closed ? `></${name}>` : '>'}`)
}

const attributes = /(?<![\w.:-])([\w.:-]+)\s*=\s*(?:"([^"<>]*)(?:"|$)|'([^'<>]*)(?:'|$)|([^\s"'<>]+))/g

/** A < that begins nothing: `a < b`, which some readers take for a tag. */
function takeAsText(reading: Reading, open: number): void {
  reading.edits.replace(open, open + 1, '&lt;')
  reading.at = open + 1
}

/** Past a comment or an instruction, which goes. One that never ends is no comment: only its mark goes. */
function pass(reading: Reading, open: number, mark: string, ending: string): void {
  const found = reading.find(ending, open)
  reading.at = found < 0 ? open + mark.length : found + ending.length
  reading.edits.drop(open, reading.at)
}

/** Past a CDATA section. One that never ends does so with its element. */
function passCdata(reading: Reading, open: number): boolean {
  const { find, edits, stack } = reading
  const end = find(']]>', open)
  if (end >= 0) reading.at = end + 3
  else {
    const name = stack.at(-1)?.name
    const close = name ? find(`</${name}`, open) : -1
    if (close < 0) return false
    edits.insert(close, ']]>')
    reading.at = close
  }
  return true
}

/** Where a text, or a global regular expression, is found next; -1: nowhere. */
export type Find = (needle: string | RegExp, from: number) => number

/** indexOf that remembers: asking for the same needle from ever later places reads the text once, not once per place. */
export function rememberingFind(text: string): Find {
  const known = new Map<string | RegExp, number>()
  return (needle, from) => {
    const last = known.get(needle)
    if (last !== undefined && (last < 0 || last >= from)) return last
    const found = typeof needle === 'string' ? text.indexOf(needle, from) : matchFrom(text, needle, from)
    known.set(needle, found)
    return found
  }
}

function matchFrom(text: string, pattern: RegExp, from: number): number {
  pattern.lastIndex = from
  return pattern.exec(text)?.index ?? -1
}

const [slash, questionMark, exclamationMark, equals] = [47, 63, 33, 61]

function startsName(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95
}

function nameAt({ text, names }: Reading, start: number, last: number): Name {
  let end = start
  while (end < last && end - start < 200 && !endsName(text.charCodeAt(end))) end++
  const name = text.slice(start, end)
  const known = names.get(name)
  if (known) return known
  const small = name.toLowerCase()
  const made = { name, small, local: localName(small) }
  if (names.size < 2000) names.set(name, made)
  return made
}

function endsName(code: number): boolean {
  return code <= 32 || code === slash
}
