import { createHash } from 'node:crypto'
import { storableText } from '../drivers/storable-text.ts'

/** Separates the parts of an identity. No part contains it: `bareIdentity` removes it, and an address has no control characters. */
const separator = '\u001f'

/** A part of an identity that is longer, in bytes of UTF-8, is stored as its hash: an index row of PostgreSQL holds 2,704. */
const maxPartBytes = 500

/** Other indexed texts (an address to compare, the words of a title) are stored as their hash beyond this. */
const maxKeyBytes = 2000

/** A guid or an address as an identity, or as the first part of one. */
export function bareIdentity(text: string): string {
  return storableText(text).replaceAll(separator, '').trim()
}

/**
 * The identity of one of several entries with the same guid or link: that, plus the address, the title or both, whichever
 * distinguishes them.
 */
export function sharedIdentity(bare: string, { url, title }: { url?: string; title?: string }): string {
  const parts = [...(url === undefined ? [] : [url]), ...(title === undefined ? [] : [fingerprint(title)])]
  return [bare, ...parts.map(bareIdentity)].join(separator)
}

/** An identity as it is stored: each part that is too long for an index as its hash. */
export function identityKey(identity: string): string {
  return identity
    .split(separator)
    .map((part) => hashIfLong(part, maxPartBytes))
    .join(separator)
}

/** What the stored identities of the pieces that share this guid or link begin with. */
export function sharedPrefix(bare: string): string {
  return `${identityKey(bare)}${separator}`
}

/** The identities that earlier versions stored for it: without hashes, and with a space between the parts. */
export function earlierKeys(identity: string): string[] {
  return [identity, identity.replaceAll(separator, ' ')].filter((key) => key !== identityKey(identity))
}

/** Whether an earlier version stored it for a piece that shared this guid or link. */
export function wasShared(identity: string, bare: string): boolean {
  return identity.startsWith(`${bare} `) && / (?:https?:\S+|[0-9a-f]{24})$/.test(identity)
}

/** The guid or link of a stored identity that other pieces of its feed shared, now or as an earlier version stored it; null: none did. */
export function sharedPart(identity: string): string | null {
  const [first = '', ...others] = identity.split(separator)
  if (others.length > 0) return first
  const earlier = identity.replace(/(?: (?:https?:\S+|[0-9a-f]{24})){1,2}$/, '')
  return earlier === identity ? null : earlier
}

/** The text, or its hash where an index could not hold it. */
export function indexKey(text: string): string {
  return hashIfLong(text, maxKeyBytes)
}

/** 96 bits of SHA-256 as hex. */
export function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24)
}

function hashIfLong(text: string, maxBytes: number): string {
  if (text.length <= maxBytes / 3 || Buffer.byteLength(text) <= maxBytes) return text
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}
