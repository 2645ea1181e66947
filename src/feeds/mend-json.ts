/**
 * JSON of programs that put it together by hand: ends with its first value, whatever follows; line breaks and tabs in a
 * string become spaces, and a comma before a closing bracket goes. Linear in the length.
 */
export function mendJson(json: string): string {
  const parts: string[] = []
  let depth = 0
  for (const [token, needless] of json.matchAll(tokens)) {
    if (needless) continue
    parts.push(token.replace(controls, ' '))
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
    if (depth === 0 && token.trim() !== '') break
  }
  return parts.join('')
}

const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|(,)(?=\s*[}\]])|[{}[\]]|[^"{}[\],]+|[",]/gs
// biome-ignore lint/suspicious/noControlCharactersInRegex: what JSON forbids in strings, and does not care for between them
const controls = /[\u0000-\u001f]+/g
