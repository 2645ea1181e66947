/** Changes to a text, noted in any order and made at once. */
export type Edits = {
  insert(at: number, text: string): void
  replace(from: number, to: number, text: string): void
  drop(from: number, to: number): void
  /** Where the last change that was noted ends. */
  end(): number
  /** The text from its start to `end` with all changes in it, and every & that begins no entity written as one. */
  applied(end: number): string
}

/** Each takes memory, and no feed is broken so often that somebody reads it. */
const maximumEdits = 1_000_000

type Edit = { from: number; to: number; text: string }

export function editsOf(text: string, start: number): Edits {
  const edits: Edit[] = []
  let sorted = true
  const note = (from: number, to: number, replacement: string) => {
    if (edits.length >= maximumEdits) throw new Error(`it is broken in more than ${maximumEdits} places`)
    const last = edits.at(-1)
    if (last && last.to > from) sorted = false
    edits.push({ from, to, text: replacement })
  }
  return {
    insert: (at, inserted) => note(at, at, inserted),
    replace: note,
    drop: (from, to) => note(from, to, ''),
    end: () => edits.at(-1)?.to ?? 0,
    applied(end) {
      if (!sorted) edits.sort((one, other) => one.from - other.from || one.to - other.to)
      const parts: string[] = []
      let at = start
      for (const { from, to, text: replacement } of edits) {
        if (to > end) break
        parts.push(text.slice(at, from), replacement)
        at = to
      }
      parts.push(text.slice(at, end))
      return withoutBareAmpersands(parts.join(''))
    },
  }
}

const bareAmpersand = /&(?!#?\w{1,31};)/g

/** rss-parser's reader takes the < after a bare & for text: `AT&T</title>` would not end there. */
function withoutBareAmpersands(xml: string): string {
  if (xml.search(bareAmpersand) < 0) return xml
  const parts: string[] = []
  for (let at = 0; at < xml.length; ) {
    const open = xml.indexOf('<![CDATA[', at)
    const close = open < 0 ? -1 : xml.indexOf(']]>', open)
    const end = close < 0 ? xml.length : open
    parts.push(xml.slice(at, end).replace(bareAmpersand, '&amp;'), xml.slice(end, close < 0 ? end : close))
    at = close < 0 ? xml.length : close
  }
  return parts.join('')
}
