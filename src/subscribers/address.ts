import { domainToASCII } from 'node:url'

/**
 * An email address as we keep it: trimmed, its domain in ASCII (RFC 5891) and lower case, its local part as given.
 * Undefined if it is none: RFC 5321 §4.1.2, at most 254 octets, without quoted local parts, comments and address literals, which no
 * subscriber has; letters of any script in the local part (RFC 6531).
 */
export function parseAddress(text: string): string | undefined {
  const match = /^([^\s"(),:;<>@[\]\\]+)@([^\s@]+)$/u.exec(text.trim())
  const [, local, given] = match ?? []
  if (!local || !given || /^\.|\.\.|\.$/.test(local) || hasUnseen(local) || hasUnseen(given)) return undefined
  if (/[/\\?#%:]/.test(given)) return undefined // domainToASCII would read a URL, and cut it there
  const domain = domainToASCII(given)
  if (!/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/.test(domain)) return undefined
  const address = `${local}@${domain}`
  return Buffer.byteLength(local) <= 64 && Buffer.byteLength(address) <= 254 ? address : undefined
}

/** By this two addresses are the same person: letter case never distinguishes subscribers. */
export function addressKey(address: string): string {
  return address.normalize('NFC').toLowerCase()
}

/** Controls, zero-width and direction marks, halves of a letter, and what a wrong encoding leaves behind. */
function hasUnseen(text: string): boolean {
  return /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\ufffd]/u.test(text)
}
