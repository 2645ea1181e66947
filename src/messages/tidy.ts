import type { EditionView } from './view.ts'

/**
 * What a stranger may have left in a text that we show: control characters (XML forbids them, terminals obey them),
 * half surrogate pairs, overrides of the reading direction (they turn `exe.fdp` into `pdf.exe`), line breaks.
 */
const unwelcome = /[^\P{Cc}\s]|[\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/gu

/** The same view, each text on one line of harmless characters and each article's address http or https. */
export function tidyView(view: EditionView): EditionView {
  return tidyValue(view, '') as EditionView
}

export function tidyText(text: string): string {
  return text.toWellFormed().replace(unwelcome, '').replace(/\s+/g, ' ').trim()
}

function tidyValue(value: unknown, key: string): unknown {
  if (typeof value === 'string') return key === 'url' ? webAddress(tidyText(value)) : tidyText(value)
  if (Array.isArray(value)) return value.map((inner) => tidyValue(inner, key))
  if (typeof value !== 'object' || value === null) return value
  if (key === 'image' && 'url' in value && webAddress(String(value.url)) === nowhere) return null
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, tidyValue(inner, name)]))
}

const nowhere = '#'

/** The feed parser lets only these through; a `javascript:` that came in by another door leads nowhere. */
function webAddress(url: string): string {
  return /^https?:\/\//i.test(url) ? url.replaceAll(' ', '%20') : nowhere
}
