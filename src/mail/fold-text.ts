/** Less than the 78 of RFC 3676 §4.2, to leave room for quoting. */
const maxColumns = 74

/** Folds the lines of a plain text between words and keeps indents. A longer word, such as an address, is not cut. */
export function foldText(text: string): string {
  const lines = text.split('\n').flatMap((line) => foldLine(line.trimEnd()))
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`
}

function foldLine(line: string): string[] {
  const first = /^\s*(?:- )?/.exec(line)?.[0] ?? ''
  const hanging = ' '.repeat(first.length)
  const folded: string[] = []
  let current = first
  for (const word of line.slice(first.length).split(' ')) {
    const empty = current === first || current === hanging
    if (!empty && width(current) + 1 + width(word) > maxColumns) {
      folded.push(current)
      current = hanging + word
    } else current += empty ? word : ` ${word}`
  }
  return [...folded, current]
}

const width = (text: string) => [...text].length
