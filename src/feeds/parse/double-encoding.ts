import { isUtf8 } from 'node:buffer'

/**
 * `KÃ¶ln` → Köln: UTF-8 that a program took for Latin-1 or Windows-1252 and encoded again. Only if the whole text decodes
 * and has a typical sequence: `LIBERTÉ` before a no-break space would decode too.
 */
export function repairDoubleEncoding(text: string): string {
  if (!looksDoubleEncoded.test(text)) return text
  const western = text.replace(nonLatin1Global, (character) => windows1252Bytes.get(character) ?? character)
  if (nonLatin1.test(western)) return text
  const bytes = Buffer.from(western, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : text
}

/** Without punctuation that can follow a letter, as in `AMANHÃ…`. */
const looksDoubleEncoded = /[ÂÃÄÅÐÑ][\u0080-\u00bf€‚ƒ„†‡ˆ‰Š‹ŒŽ˜šœžŸ]|â[\u0080€]|ð[\u009fŸ]/
const nonLatin1 = /[\u0100-\uffff]/
const nonLatin1Global = new RegExp(nonLatin1.source, 'g')
/** Character → the character with the code of its Windows-1252 byte. */
const windows1252Bytes = new Map(
  Array.from({ length: 32 }, (_, index) => [
    new TextDecoder('windows-1252').decode(Uint8Array.of(0x80 + index)),
    String.fromCharCode(0x80 + index),
  ]),
)
