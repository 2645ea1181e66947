import { createHash } from 'node:crypto'
import { storableText } from '../drivers/storable-text.ts'

/** Separates the parts of an identity. No part contains it: `bareIdentity` removes it, and an address has no control characters. */
const separator = '\u001f'

/**
 * A longer part of an identity, in bytes of UTF-8, is stored as its hash, because an index row of PostgreSQL holds
 * 2,704.
 */
const maxPartBytes = 500

/** Other indexed texts (canonical addresses, title keys) beyond this length are stored as their hash. */
const maxKeyBytes = 2000

/** A guid or an address as an identity, or as the first part of one. */
export function bareIdentity(text: string): string {
  return storableText(text).replaceAll(separator, '').trim()
}

/**
 * The identity of one of several entries with the same guid or link: the guid or link, plus the address, the title or
 * both.
 */
export function sharedIdentity(bare: string, { url, title }: { url?: string; title?: string }): string {
  const parts = [...(url === undefined ? [] : [url]), ...(title === undefined ? [] : [fingerprint(title)])]
  return [bare, ...parts.map(bareIdentity)].join(separator)
}

/** The stored form of an identity: each part that is too long for an index becomes its hash. */
export function identityKey(identity: string): string {
  return identity
    .split(separator)
    .map((part) => hashIfLong(part, maxPartBytes))
    .join(separator)
}

/** The common start of the stored identities that share this guid or link. */
export function sharedPrefix(bare: string): string {
  return `${identityKey(bare)}${separator}`
}

/** The identities that earlier versions stored: without hashes, and with a space between the parts. */
export function earlierKeys(identity: string): string[] {
  return [identity, identity.replaceAll(separator, ' ')].filter((key) => key !== identityKey(identity))
}

/** Whether an earlier version stored the identity for an entry that shared this guid or link. */
export function wasShared(identity: string, bare: string): boolean {
  return identity.startsWith(`${bare} `) && / (?:https?:\S+|[0-9a-f]{24})$/.test(identity)
}

/**
 * The guid or link that the stored identity shares with other entries, in the current or an earlier form; null if it
 * shares none.
 */
export function sharedPart(identity: string): string | null {
  const [first = '', ...others] = identity.split(separator)
  if (others.length > 0) return first
  const earlier = identity.replace(/(?: (?:https?:\S+|[0-9a-f]{24})){1,2}$/, '')
  return earlier === identity ? null : earlier
}

/** The text, or its hash if it is too long for an index. */
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
