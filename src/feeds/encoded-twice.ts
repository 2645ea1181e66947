import { isUtf8 } from 'node:buffer'

/**
 * `KÃ¶ln` → Köln: UTF-8 that some program took for Latin-1 or Windows-1252 and encoded once more. Only where all of the
 * text reads so, and begins as such texts do: `LIBERTÉ` before a no-break space would make a letter too.
 */
export function readAgain(text: string): string {
  if (!suspicious.test(text)) return text
  const western = text.replace(beyondLatin, (character) => windows.get(character) ?? character)
  if (beyond.test(western)) return text
  const bytes = Buffer.from(western, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : text
}

/** No punctuation behind the letter that could stand there by itself, as in `AMANHÃ…`. */
const suspicious = /[ÂÃÄÅÐÑ][\u0080-\u00bf€‚ƒ„†‡ˆ‰Š‹ŒŽ˜šœžŸ]|â[\u0080€]|ð[\u009fŸ]/
const beyond = /[\u0100-\uffff]/
const beyondLatin = new RegExp(beyond.source, 'g')
/** Character → the one with the number that its byte has in Windows-1252. */
const windows = new Map(
  Array.from({ length: 32 }, (_, index) => [
    new TextDecoder('windows-1252').decode(Uint8Array.of(0x80 + index)),
    String.fromCharCode(0x80 + index),
  ]),
)
