import { rightToLeft } from './characters.ts'

export type Direction = 'ltr' | 'rtl'

/**
 * Encloses a text in an isolate (UAX #9: U+2068 and U+2069) if it has characters of the other direction, so that it does
 * not reorder the text around it. Other texts do not change.
 */
export function isolate(text: string, around: Direction): string {
  const other = around === 'ltr' ? rightToLeft : leftToRight
  return other.test(text) ? `\u2068${text}\u2069` : text
}

const leftToRight = new RegExp(`(?!${rightToLeft.source})\\p{L}`, 'u')
