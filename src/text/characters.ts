/**
 * What shows nothing where it is read, for a class of a regular expression with the flag `u`: controls, format characters,
 * halves of a surrogate pair, line separators, what Unicode calls default ignorable (UAX #44: fillers, variation selectors,
 * the grapheme joiner, tags), and the blank pattern of Braille.
 */
export const invisibleClass = String.raw`\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800`

/** Characters that command a terminal, or turn lines or the direction of what follows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what we look for
const controlCharacters = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

/** A stranger's text for a terminal: those as blanks, but for the ones that are `kept`, and without invisible characters. */
export function forTerminal(text: string, allowed = ''): string {
  const plain = text.replace(controlCharacters, (one) => (allowed.includes(one) ? one : ' '))
  return suspicious.test(plain) ? removeFormatCharacters(plain).replace(directionMarks, '') : plain
}

/** The same JSON with none of these in its texts but as an escape: the value that is read back is the same. */
export function jsonForTerminal(json: string): string {
  return json.replace(escapable, (one) =>
    one
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}

/**
 * A stranger's text without what harms where it is shown: control characters but white space, overrides of the reading
 * direction (they turn `exe.fdp` into `pdf.exe`), invisible characters. What a script needs stays: joiners between its
 * letters and in emoji, the tags of a flag, marks of direction in a text that has letters from right to left, isolates
 * and embeddings (UAX #9), each closed before the text ends.
 */
export function removeInvisible(text: string): string {
  if (!suspicious.test(text)) return text
  const visible = removeFormatCharacters(text.replace(nonSpaceControls, ''))
  return closeDirections(rightToLeft.test(visible) ? visible : visible.replace(directionMarks, ''))
}

/**
 * Whether a reader sees anything of the text. White space, what is invisible by definition (Default_Ignorable_Code_Point
 * of Unicode: joiners, fillers, variation selectors), marks of direction and the blank of Braille are nothing to see; the
 * signs of Arabic and Syriac that Unicode counts as format characters are drawn.
 */
export function hasVisibleText(text: string): boolean {
  return visibleCharacter.test(text)
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
/** Nothing in these scripts joins; elsewhere, and in emoji, a joiner stands behind a letter or a picture. */
const joiners =
  /(?<!\ufe0f|[\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}])[\u200c\u200d]|(?<=[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])[\u200c\u200d]/gu
/** England's flag is a black flag with tags behind it (UTS #51 §C). */
const tags = /(?<!\u{1f3f4}[\u{e0020}-\u{e007f}]{0,6})[\u{e0020}-\u{e007f}]/gu
const directionMarks = /[\u200e\u200f\u061c]/g
const rightToLeft = /[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

const directions = /[\u202a-\u202e\u2066-\u2069]/g
const closingMarks = new Map([
  ['\u202a', '\u202c'],
  ['\u202b', '\u202c'],
  ['\u2066', '\u2069'],
  ['\u2067', '\u2069'],
  ['\u2068', '\u2069'],
])
/** UAX #9 knows 125 levels; nobody writes ten. What is opened further inside is left out, with its end. */
const maxNesting = 10

/** Overrides go, with what ends them; what is opened is closed; an end of nothing goes. */
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

/** An end of an isolate ends the embeddings in it too; one of an embedding ends nothing outside its isolate. */
function closeDirection(open: string[], end: string): string {
  if (end === '\u202c') return open.at(-1) === '\u2069' ? '' : (open.pop() ?? '')
  const isolate = open.lastIndexOf(end)
  if (isolate < 0) return ''
  return open.splice(isolate).reverse().join('')
}
