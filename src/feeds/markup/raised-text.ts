/** The text of `<sup>` after `before`: `10⁶`, `x^(k+1)`; ordinals, abbreviations, notes in brackets and marks as they are. */
export function superscript(text: string, before: string): string {
  return shifted(text, before, { digits: superscripts, mark: '^' })
}

/** The text of `<sub>` after `before`: `H₂O`, `v_max`. */
export function subscript(text: string, before: string): string {
  return shifted(text, before, { digits: subscripts, mark: '_' })
}

type Shift = { digits: Map<string, string>; mark: string }

const plain = [...'0123456789+-−=()']
const superscripts = new Map([...'⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾'].map((sign, index) => [plain[index] ?? '', sign]))
const subscripts = new Map([...'₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎'].map((sign, index) => [plain[index] ?? '', sign]))
superscripts.set('n', 'ⁿ').set('i', 'ⁱ')
for (const [index, letter] of [...'aehijklmnoprstuvx'].entries())
  subscripts.set(letter, [...'ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ'][index] ?? '')

function shifted(given: string, before: string, { digits, mark }: Shift): string {
  const text = given.trim()
  const signs = [...text].map((sign) => digits.get(sign))
  const isWord = /^\p{L}{2,}/u.test(text)
  if (!isWord && text !== '' && !/^[()]/.test(text) && signs.every((sign) => sign !== undefined)) return signs.join('')
  if (text.length > 12 || !/[\p{L}\p{N})\]]$/u.test(before) || !/^[\p{L}\p{N}+−-]/u.test(text)) return given
  if (mark === '^' && (isOrdinal(text, before) || (/\p{L}$/u.test(before) && isWord))) return given
  return mark + (/^[\p{L}\p{N}]+$/u.test(text) ? text : `(${text})`)
}

/** 1st, 2nd, 3ème, XXᵉ, 1º. */
function isOrdinal(text: string, before: string): boolean {
  return (
    /(?:\d|[IVXLC])$/.test(before) && /^(?:st|nd|rd|th|e|er|re|ère|ème|eme|nde?|o|a|os|as|de|ste|[ºª])$/iu.test(text)
  )
}
