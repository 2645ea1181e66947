import { createHmac, hash, timingSafeEqual } from 'node:crypto'

/** A subscriber's copy of an edition. `editionRef` is the last eight hex digits of the edition's id. */
export type KeySubject = { subscriberId: string; editionRef: string }

/**
 * The place of a key. Links have their own HMAC label, so that a key from a header, which mail servers log, opens no page.
 * The two headers each have a different part of one HMAC. `earlier`: the key that earlier versions used in all three places.
 */
export type KeyUse = 'link' | 'messageId' | 'returnPath' | 'earlier'

/** The keys of one delivery: in its links, in its Message-ID, and in its personal return path. */
export type DeliveryKeys = Record<Exclude<KeyUse, 'earlier'>, string>

/** The length of every key, in characters. Slots have the same length. */
export const keyLength = 48

/** The key in a message that is not sent. */
export const placeholderKey = 'a'.repeat(keyLength)
export const placeholderKeys: DeliveryKeys = {
  link: placeholderKey,
  messageId: placeholderKey,
  returnPath: placeholderKey,
}

const bodyBytes = 20
const macBytes = 10

/** `at`: the first byte of its part of the HMAC. */
type Purpose = { label: string; at: number }

const headersLabel = 'headers\n'
const purposes: Record<KeyUse, Purpose> = {
  link: { label: 'link\n', at: 0 },
  messageId: { label: headersLabel, at: 0 },
  returnPath: { label: headersLabel, at: macBytes },
  earlier: { label: 'delivery\n', at: 0 },
}
const confirmation: Purpose = { label: 'confirmation\n', at: 0 }

/** Sizes of SHA-256 (FIPS 180-4 §1). */
const [blockBytes, hashBytes] = [64, 32]
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567' // RFC 4648 §6, in lower case, since some mail systems change case

/**
 * Makes the keys of deliveries: 16 bytes subscriber, 4 bytes edition, 10 bytes of HMAC-SHA256, in base32. A key can be
 * verified without the store, and fits the local part of a return path after a name of up to 15 characters (64 octets,
 * RFC 5321 §4.5.3.1.1).
 */
export function deliveryKeys(secret: string): (keyed: KeySubject) => DeliveryKeys {
  const macOfLink = createMac(secret, purposes.link.label, bodyBytes)
  const macOfHeaders = createMac(secret, headersLabel, bodyBytes)
  const bytes = Buffer.alloc(bodyBytes)
  const mac = Buffer.alloc(2 * macBytes)
  return ({ subscriberId, editionRef }) => {
    bytes.write(subscriberId.replaceAll('-', '') + editionRef, 'hex')
    const body = toBase32(bytes)
    mac.write(macOfLink(bytes), 0, macBytes, 'latin1')
    const link = body + toBase32(mac, 0, macBytes)
    mac.write(macOfHeaders(bytes), 0, 2 * macBytes, 'latin1')
    return { link, messageId: body + toBase32(mac, 0, macBytes), returnPath: body + toBase32(mac, macBytes) }
  }
}

/** Reads a key in upper or lower case; undefined if it was not made with this secret for this use. Constant-time. */
export function readDeliveryKey(secret: string, use: KeyUse, key: string): KeySubject | undefined {
  const body = verifiedBody(secret, purposes[use], bodyBytes, key)
  if (!body) return undefined
  const hex = body.toString('hex')
  return { subscriberId: toUuid(hex.slice(0, 32)), editionRef: hex.slice(32) }
}

const idBytes = 16

/** The token in a confirmation link: the confirmation's id and 14 bytes of HMAC-SHA256. */
export function confirmationToken(secret: string, id: string): string {
  const body = Buffer.from(id.replaceAll('-', ''), 'hex')
  const mac = createMac(secret, confirmation.label, idBytes)(body)
  return toBase32(Buffer.concat([body, Buffer.from(mac, 'latin1')]).subarray(0, bodyBytes + macBytes))
}

/** Returns the id of the confirmation; undefined for a token that was not made with this secret. */
export function readConfirmationToken(secret: string, token: string): string | undefined {
  const body = verifiedBody(secret, confirmation, idBytes, token)
  return body && toUuid(body.toString('hex'))
}

/**
 * The SenderId of this installation in `Feedback-ID`, the same in all its mail. Gmail requires 5 to 15 characters
 * (https://support.google.com/mail/answer/6254652).
 */
export function senderId(secret: string): string {
  const mac = createHmac('sha256', secret).update('sender-id\n').digest()
  return `lw${toBase32(mac.subarray(0, macBytes)).slice(0, 13)}`
}

/**
 * The slot of a sealed edition, replaced by the key. It has the length of a key, and no feed can guess it, so no title can
 * put a subscriber's key into another link.
 */
export function keySlot(secret: string, editionId: string): string {
  return toBase32(createHmac('sha512', secret).update(`slot\n${editionId}`).digest().subarray(0, 30))
}

/** The first `size` bytes of a key or token, if the others are the purpose's part of their HMAC. */
function verifiedBody(secret: string, { label, at }: Purpose, size: number, text: string): Buffer | undefined {
  const bytes = fromBase32(text.toLowerCase())
  if (bytes?.length !== bodyBytes + macBytes) return undefined
  const fullMac = Buffer.from(createMac(secret, label, size)(bytes), 'latin1')
  const mac = fullMac.subarray(at, at + bytes.length - size)
  return timingSafeEqual(bytes.subarray(size), mac) ? bytes.subarray(0, size) : undefined
}

const toUuid = (hex: string) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

const [inner, outer] = [0x36, 0x5c]

/**
 * Returns a function for the HMAC-SHA256 (RFC 2104) of a label and the first `size` bytes, as latin1 text. The blocks of
 * the secret are made once, and hashes are texts: an object for each of a million keys would cost more than the hashing.
 */
function createMac(secret: string, label: string, size: number): (bytes: Buffer) => string {
  const given = Buffer.from(secret)
  const key = given.length > blockBytes ? hash('sha256', given, 'buffer') : given
  const first = Buffer.alloc(blockBytes + label.length + size, inner)
  const second = Buffer.alloc(blockBytes + hashBytes, outer)
  for (const [index, byte] of key.entries()) {
    first[index] = byte ^ inner
    second[index] = byte ^ outer
  }
  first.write(label, blockBytes)
  return (bytes) => {
    bytes.copy(first, blockBytes + label.length, 0, size)
    second.write(hash('sha256', first, 'binary'), blockBytes, 'latin1')
    return hash('sha256', second, 'binary')
  }
}

/** Two characters for each ten bits. */
const base32Pairs = Array.from({ length: 1024 }, (_, bits) => `${alphabet[bits >> 5]}${alphabet[bits & 31]}`)

/** The number of bytes must be a multiple of five. */
function toBase32(bytes: Buffer, start = 0, end = bytes.length): string {
  let text = ''
  for (let at = start; at < end; at += 5) {
    const high = bytes.readUInt16BE(at) * 16 + ((bytes[at + 2] ?? 0) >> 4) // 20 bits
    const low = ((bytes[at + 2] ?? 0) & 15) * 65_536 + bytes.readUInt16BE(at + 3)
    text += `${base32Pairs[high >> 10]}${base32Pairs[high & 1023]}${base32Pairs[low >> 10]}${base32Pairs[low & 1023]}`
  }
  return text
}

function fromBase32(text: string): Buffer | undefined {
  if (text.length !== keyLength || !/^[a-z2-7]+$/.test(text)) return undefined
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const character of text) {
    held = (held << 5) | alphabet.indexOf(character)
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes.push((held >> bits) & 255)
      held &= (1 << bits) - 1
    }
  }
  return Buffer.from(bytes)
}
