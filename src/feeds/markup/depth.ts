/**
 * Whether tags are nested deeper than `maxDepth`, before other packages parse them. Anything that a parser could take for
 * a tag counts, also in comments, except elements that are often left open (`<p>`, `<li>`, cells).
 */
export function isTooDeep(html: string, maxDepth: number): boolean {
  let depth = 0
  for (const [, closing, name = ''] of html.matchAll(/<(\/?)([a-z][a-z\d]{0,20})/gi)) {
    if (open.has(name.toLowerCase())) continue
    depth = Math.max(0, depth + (closing ? -1 : 1))
    if (depth > maxDepth) return true
  }
  return false
}

const open = new Set(
  'p li dt dd tr td th option br hr img wbr input meta link base source track col embed area param'.split(' '),
)
