import { controlCharacters } from '../../text/characters.ts'

/** Characters of a server's answer that are stored and classified. */
export const maxReplyLength = 1000
/** Characters that are read: a reply may have 64 KB, mostly spaces. */
const maxRead = 4 * maxReplyLength

/** Printable ASCII on one line, with no space at either end. */
const isPlainLine = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

/**
 * A server's answer on one line: well-formed, at most 1,000 characters, with spaces for line ends, control and
 * direction characters. Reads at most 4,000 characters.
 */
export function oneLine(text: string): string {
  if (text.length <= maxReplyLength && isPlainLine.test(text)) return text // nearly all answers
  const lines = text.slice(0, maxRead).split(/[\r\n]+/)
  const line = lines
    .map((one) => one.replace(controlCharacters, ' ').trim())
    .filter((one) => one !== '')
    .join(' ')
    .slice(0, maxReplyLength)
  return line.isWellFormed() ? line : line.replace(/[\ud800-\udbff]$/, '').toWellFormed()
}

/** The part of a reply that is classified. */
export function readable(reply: string): string {
  return reply.length > maxReplyLength ? reply.slice(0, maxReplyLength) : reply
}
