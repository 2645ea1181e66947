/**
 * Whether tags are nested deeper than this, for the parsers of other packages. Everything that one of them could take for
 * a tag counts, in a comment too, but elements that many leave open (`<p>`, `<li>`, cells).
 */
export function isTooDeep(html: string, deepest: number): boolean {
  let depth = 0
  for (const [, closing, name = ''] of html.matchAll(/<(\/?)([a-z][a-z\d]{0,20})/gi)) {
    if (open.has(name.toLowerCase())) continue
    depth = Math.max(0, depth + (closing ? -1 : 1))
    if (depth > deepest) return true
  }
  return false
}

const open = new Set(
  'p li dt dd tr td th option br hr img wbr input meta link base source track col embed area param'.split(' '),
)
