/** The elements of MJML 5. `mj-include` is off, since templates use parts. */
export const mjmlTags = new Set(
  `mjml mj-all mj-class mj-selector mj-html-attribute
  mj-head mj-attributes mj-breakpoint mj-font mj-html-attributes mj-preview mj-style mj-title
  mj-body mj-accordion mj-accordion-element mj-accordion-text mj-accordion-title mj-button mj-carousel
  mj-carousel-image mj-column mj-divider mj-group mj-hero mj-image mj-navbar mj-navbar-link mj-raw mj-section
  mj-social mj-social-element mj-spacer mj-table mj-text mj-wrapper`.split(/\s+/),
)

/** A tag in a piece of a template; `line` counts from 0 at the start of the piece. */
export type FoundTag = { name: string; line: number }

/** The first tag that begins with `mj` and is not one of MJML's. */
export function unknownTag(source: string): FoundTag | undefined {
  for (const { 1: given = '', index } of source.replace(/<!--.*?-->/gs, blank).matchAll(/<\/?(mj-?[\w-]*)/gi)) {
    const name = given.toLowerCase()
    if (!mjmlTags.has(name)) return { name: given, line: linesBefore(source, index) }
  }
  return undefined
}

/** The number of line ends before `index`. */
export function linesBefore(text: string, index: number): number {
  return text.slice(0, index).split('\n').length - 1
}

export function unknownTagText(name: string): string {
  if (name.toLowerCase() === 'mj-include') return '<mj-include> is off: use a part, such as {{> footer}}'
  const near = [...mjmlTags].find((tag) => distance(tag, name.toLowerCase()) <= 2)
  return `there is no MJML tag <${name}>${near ? `: did you mean <${near}>?` : ''}`
}

/** Keeps the line ends. */
function blank(comment: string): string {
  return comment.replace(/[^\n]/g, ' ')
}

/** Levenshtein distance. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let i = 1; i <= one.length; i++) {
    const next = [i]
    for (let j = 1; j <= other.length; j++)
      next.push(
        Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1)),
      )
    row = next
  }
  return row.at(-1) ?? 0
}
