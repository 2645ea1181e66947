/**
 * Invisible characters, for a class of a regular expression with flag `u`: controls, format characters, lone surrogates,
 * line separators, default ignorable code points (UAX #44), and the blank pattern of Braille.
 */
export const invisibleClass = String.raw`\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800`

/** Characters that control a terminal, break lines or change the direction of text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: to find them
export const controlCharacters = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

/** Untrusted text for a terminal: control characters except the `allowed` ones as spaces, no invisible characters. */
export function forTerminal(text: string, allowed = ''): string {
  const plain = text.replace(controlCharacters, (one) => (allowed.includes(one) ? one : ' '))
  return suspicious.test(plain) ? removeFormatCharacters(plain).replace(directionMarks, '') : plain
}

/** JSON with control and invisible characters escaped: it parses to the same value. */
export function jsonForTerminal(json: string): string {
  return json.replace(escapable, (one) =>
    one
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}

/**
 * Untrusted text without control characters, direction overrides (they turn `exe.fdp` into `pdf.exe`) and invisible
 * characters. Joiners, flag tags, and direction marks that a script needs stay; isolates and embeddings (UAX #9) are closed.
 */
export function removeInvisible(text: string): string {
  if (!suspicious.test(text)) return text
  const visible = removeFormatCharacters(text.replace(nonSpaceControls, ''))
  return closeDirections(rightToLeft.test(visible) ? visible : visible.replace(directionMarks, ''))
}

/**
 * Whether the text has a visible character: not white space, default ignorable (UAX #44), a direction mark or the blank of
 * Braille. The format characters of Arabic and Syriac are visible.
 */
export function hasVisibleText(text: string): boolean {
  return visibleCharacter.test(text)
}

/** Untrusted text on one line, without invisible characters; empty if nothing visible is left. */
export function tidyText(text: string): string {
  const tidy = removeInvisible(text.toWellFormed()).replace(/\s+/g, ' ').trim()
  return hasVisibleText(tidy) ? tidy : ''
}

const visibleCharacter =
  /[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}]|[^\s\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800]/u

function removeFormatCharacters(text: string): string {
  return text.replace(formatCharacters, '').replace(joiners, '').replace(tags, '')
}

const suspicious =
  /[^\P{Cc}\s]|\u034f|[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\u{e0000}-\u{e0fff}]/u
const escapable =
  /\u034f|[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu
const nonSpaceControls = /[^\P{Cc}\s]/gu
const formatCharacters =
  /\u034f|[\u00ad\u180e\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\u{e0080}-\u{e0fff}\u{e0000}-\u{e001f}]/gu
/** Joiners in scripts that have none, and those that do not follow a letter or an emoji. */
const joiners =
  /(?<!\ufe0f|[\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}])[\u200c\u200d]|(?<=[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])[\u200c\u200d]/gu
/** Tags that do not follow a black flag, as in England's flag (UTS #51 §C). */
const tags = /(?<!\u{1f3f4}[\u{e0020}-\u{e007f}]{0,6})[\u{e0020}-\u{e007f}]/gu
const directionMarks = /[\u200e\u200f\u061c]/g
/** A character of a script that is written from right to left. */
export const rightToLeft =
  /[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

const directions = /[\u202a-\u202e\u2066-\u2069]/g
const closingMarks = new Map([
  ['\u202a', '\u202c'],
  ['\u202b', '\u202c'],
  ['\u2066', '\u2069'],
  ['\u2067', '\u2069'],
  ['\u2068', '\u2069'],
])
/** Deeper levels are removed; UAX #9 allows 125. */
const maxNesting = 10

/** Removes overrides and unmatched closing marks, and closes open directions. */
function closeDirections(text: string): string {
  if (text.search(directions) < 0) return text
  const open: string[] = []
  const closed = text.replace(directions, (one) => {
    const end = closingMarks.get(one) ?? ''
    if (end !== '' || one === '\u202d' || one === '\u202e') {
      open.push(open.length < maxNesting ? end : '')
      return open.at(-1) === '' ? '' : one
    }
    if (open.length === 0) return ''
    return closeDirection(open, one)
  })
  return closed + open.reverse().join('')
}

/** The end of an isolate also closes the embeddings in it; the end of an embedding closes nothing outside its isolate. */
function closeDirection(open: string[], end: string): string {
  if (end === '\u202c') return open.at(-1) === '\u2069' ? '' : (open.pop() ?? '')
  const isolate = open.lastIndexOf(end)
  if (isolate < 0) return ''
  return open.splice(isolate).reverse().join('')
}
