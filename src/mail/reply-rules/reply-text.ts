/** Characters of a server's answer that are stored, and read for what it means. */
export const maxReplyLength = 1000
/** Characters that are looked at: a reply may have 64 KB, mostly blanks. */
const maxRead = 4 * maxReplyLength

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const controls = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

/**
 * A server's answer on one line: its lines with a blank between them, control characters and marks of direction as blanks,
 * well-formed, at most 1,000 characters. Takes time in proportion to 4,000 characters at most.
 */
export function oneLine(text: string): string {
  const lines = text.slice(0, maxRead).split(/[\r\n]+/)
  const line = lines
    .map((one) => one.replace(controls, ' ').trim())
    .filter((one) => one !== '')
    .join(' ')
    .slice(0, maxReplyLength)
  return line.isWellFormed() ? line : line.replace(/[\ud800-\udbff]$/, '').toWellFormed()
}

/** As much of a reply as is read for what it means. */
export function readable(reply: string): string {
  return reply.length > maxReplyLength ? reply.slice(0, maxReplyLength) : reply
}
