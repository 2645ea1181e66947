import { rightToLeft } from './characters.ts'

export type Direction = 'ltr' | 'rtl'

/** The sides on which a line starts and ends. */
export function sidesOf(direction: Direction): { start: 'left' | 'right'; end: 'left' | 'right' } {
  return direction === 'ltr' ? { start: 'left', end: 'right' } : { start: 'right', end: 'left' }
}

/**
 * Encloses a text in an isolate (UAX #9: U+2068 and U+2069) if it has characters of the other direction, so that it does
 * not reorder the text around it. Other texts do not change.
 */
export function isolate(text: string, around: Direction): string {
  return hasOtherDirection(text, around) && !isolated.test(text) ? `\u2068${text}\u2069` : text
}

/** Whether a text has characters of the other direction. */
export function hasOtherDirection(text: string, around: Direction): boolean {
  return (around === 'ltr' ? rightToLeft : leftToRight).test(text)
}

/** A text that is one isolate as a whole, without it: nothing surrounds it. */
export function withoutOuterIsolate(text: string): string {
  return text.replace(isolated, '$1')
}

/** One isolate from start to end, without another one in it. */
const isolated = /^\u2068([^\u2066-\u2069]*)\u2069$/

const leftToRight = new RegExp(`(?!${rightToLeft.source})\\p{L}`, 'u')
