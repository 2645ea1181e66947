/**
 * JSON of programs that put it together by hand: ends with its first value, whatever follows; line breaks and tabs in a
 * string become spaces, a comma before a closing bracket goes, and a backslash that begins no escape (RFC 8259 §7) is one
 * that was meant. One pass.
 */
export function repairJson(json: string): string {
  const parts: string[] = []
  let [from, depth, comma, end] = [0, 0, -1, json.length]
  let inString = false
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (inString) {
      if (code === backslash) {
        if (!validEscape.test(json.slice(at + 1, at + 6))) {
          parts.push(json.slice(from, at), '\\')
          from = at
        } else at++
      } else if (code === quote) inString = false
      continue
    }
    if (code <= space) continue
    if (isClosing(code) && comma >= 0) {
      parts.push(json.slice(from, comma))
      from = comma + 1
    }
    comma = code === commaSign ? at : -1
    inString = code === quote
    if (isOpening(code)) depth++
    if (isClosing(code) && --depth <= 0) {
      end = at + 1
      break
    }
  }
  return parts.concat(json.slice(from, end)).join('').replace(controlCharacters, ' ')
}

/** Whether lists and objects stand in each other deeper than that; brackets in strings do not count. One pass. */
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

/** Where the quote stands that ends a string; its length where none does. */
function endOfString(json: string, from: number): number {
  let at = from
  while (at < json.length && json.charCodeAt(at) !== quote) at += json.charCodeAt(at) === backslash ? 2 : 1
  return at
}

const validEscape = /^(?:["\\/bfnrt]|u[\dA-Fa-f]{4})/
const [quote, backslash, commaSign, space] = [34, 92, 44, 32]

function isOpening(code: number): boolean {
  return code === 0x7b || code === 0x5b
}

function isClosing(code: number): boolean {
  return code === 0x7d || code === 0x5d
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what JSON forbids in strings, and does not care for between them
const controlCharacters = /[\u0000-\u001f]+/g
