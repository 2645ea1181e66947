import { directionOf } from '../../describe/language.ts'
import { type Direction, isolate } from '../../text/direction.ts'
import type { EditionView } from '../view.ts'

/**
 * Encloses each text that has characters of the other direction than the edition's language in an isolate (UAX #9), so
 * that it does not reorder what stands beside it. Addresses and bodies do not change.
 */
export function isolateView(view: EditionView): EditionView {
  return isolateValue(view, '', directionOf(view.language)) as EditionView
}

const unchanged = new Set(['language', 'isoDate', 'anchor', 'alt', 'colours', 'contact', 'body'])
const address = /^(?:https?:|mailto:|#)/

function isolateValue(value: unknown, key: string, around: Direction): unknown {
  if (unchanged.has(key)) return value
  if (typeof value === 'string') return address.test(value) ? value : isolate(value, around)
  if (Array.isArray(value)) return value.map((inner) => isolateValue(inner, key, around))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, isolateValue(inner, name, around)]))
}

/**
 * Turns isolates between tags into elements, which mail programs keep, and leaves those in attributes, comments, styles and
 * the title, where no element can be.
 */
export function isolatesAsElements(html: string): string {
  const markup = /<!--[\s\S]*?-->|<(title|style)\b[\s\S]*?<\/\1>|<[^>]*>|[\u2066-\u2069]/g
  return html.replace(wholeElement, '$1$2').replace(markup, (found) => elements[found] ?? found)
}

/** A text that is alone in an element which takes the direction of its text. */
const wholeElement = /(<[^>]* dir="auto"[^>]*>)\u2068([^<\u2066-\u2069]*)\u2069(?=<\/)/g

const elements: Record<string, string> = {
  '\u2066': '<span dir="ltr">',
  '\u2067': '<span dir="rtl">',
  '\u2068': '<span dir="auto">',
  '\u2069': '</span>',
}
