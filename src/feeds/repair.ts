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

type Edit = { from: number; to: number; text: string }

export function editsOf(text: string, start: number): Edits {
  const edits: Edit[] = []
  let sorted = true
  const note = (from: number, to: number, replacement: string) => {
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

const bareAmpersand = /&(?!#?\w{1,31};)/
const bareOutsideCdata = /<!\[CDATA\[[\s\S]*?\]\]>|&(?!#?\w{1,31};)/g

/** rss-parser's reader takes the < after a bare & for text: `AT&T</title>` would not end there. */
function withoutBareAmpersands(xml: string): string {
  return bareAmpersand.test(xml) ? xml.replace(bareOutsideCdata, (found) => (found === '&' ? '&amp;' : found)) : xml
}
