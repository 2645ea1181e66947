/**
 * Repairs JSON that was assembled by hand: cuts it after its first value, replaces control characters with spaces, drops a
 * comma before a closing bracket, and doubles a backslash that begins no escape (RFC 8259 §7). One pass.
 */
export function repairJson(json: string): string {
  const parts: string[] = []
  let [from, depth, comma, end] = [0, 0, -1, json.length]
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code <= space) continue
    if (isClosing(code) && comma >= 0) {
      parts.push(json.slice(from, comma))
      from = comma + 1
    }
    comma = code === commaSign ? at : -1
    if (code === quote) at = endOfString(json, at + 1)
    if (isOpening(code)) depth++
    if (!isClosing(code) || --depth > 0) continue
    end = at + 1
    break
  }
  return parts
    .concat(json.slice(from, end))
    .join('')
    .replace(backslashes, (found, begun) => (begun === undefined ? '\\\\' : found))
    .replace(controlCharacters, ' ')
}

/** Whether lists and objects are nested deeper than `maxDepth`; brackets in strings do not count. One pass. */
export function isNestedDeeper(json: string, maxDepth: number): boolean {
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code === quote) at = endOfString(json, at + 1)
    else if (isOpening(code) && ++depth > maxDepth) return true
    else if (isClosing(code)) depth--
  }
  return false
}

/** The index of the quote that ends a string, or at least the length of the text if there is none. */
function endOfString(json: string, from: number): number {
  let at = from
  while (at < json.length && json.charCodeAt(at) !== quote) at += json.charCodeAt(at) === backslash ? 2 : 1
  return at
}

/** A backslash with the escape that it begins, if any. */
const backslashes = /\\(["\\/bfnrt]|u[\dA-Fa-f]{4})?/g
const [quote, backslash, commaSign, space] = [34, 92, 44, 32]

function isOpening(code: number): boolean {
  return code === 0x7b || code === 0x5b
}

function isClosing(code: number): boolean {
  return code === 0x7d || code === 0x5d
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: invalid in JSON strings, white space between them
const controlCharacters = /[\u0000-\u001f]+/g
