import { createHmac, hash, timingSafeEqual } from 'node:crypto'

/** Who a key speaks of: one subscriber's copy of one edition. `editionRef` is the last eight hex digits of its id. */
export type Keyed = { subscriberId: string; editionRef: string }

/** Every key has this many characters, so that it fits a slot of fixed width. */
export const keyLength = 48

const bodyBytes = 20
const macBytes = 10
/** Of SHA-256 (FIPS 180-4 §1). */
const [blockBytes, hashBytes] = [64, 32]
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567' // RFC 4648 §6, in lower case: some mail systems fold it

/**
 * The key of one delivery: 16 bytes subscriber, 4 bytes edition, 10 bytes of HMAC-SHA256, in base32.
 * It stands in the links, in the Message-ID and, with a name of up to 15 characters before it, in the local part of the
 * return path (64 octets, RFC 5321 §4.5.3.1.1), and needs no look-up to be believed.
 */
export function deliveryKey(secret: string, keyed: Keyed): string {
  return deliveryKeys(secret)(keyed)
}

/** The same for many: what depends on the secret alone is made once, and the memory is used again. */
export function deliveryKeys(secret: string): (keyed: Keyed) => string {
  const mac = macWith(secret)
  const bytes = Buffer.alloc(bodyBytes + macBytes)
  return ({ subscriberId, editionRef }) => {
    bytes.write(subscriberId.replaceAll('-', '') + editionRef, 'hex')
    bytes.write(mac(bytes), bodyBytes, macBytes, 'hex')
    return toBase32(bytes)
  }
}

/** Reads a key back; undefined if it was not made with this secret. Compares in constant time. */
export function readDeliveryKey(secret: string, key: string): Keyed | undefined {
  const bytes = fromBase32(key.toLowerCase())
  if (bytes?.length !== bodyBytes + macBytes) return undefined
  const mac = Buffer.from(macWith(secret)(bytes), 'hex').subarray(0, macBytes)
  if (!timingSafeEqual(bytes.subarray(bodyBytes), mac)) return undefined
  const hex = bytes.toString('hex', 0, bodyBytes)
  const id = hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return { subscriberId: id, editionRef: hex.slice(32) }
}

/**
 * What stands in a sealed edition where the key goes: as long as a key, and nobody who writes a feed can guess it,
 * so no title can make a subscriber's key appear in a link of its own.
 */
export function keySlot(secret: string, editionId: string): string {
  return toBase32(createHmac('sha512', secret).update(`slot\n${editionId}`).digest().subarray(0, 30))
}

const label = 'delivery\n'
const [inner, outer] = [0x36, 0x5c]

/**
 * HMAC-SHA256 (RFC 2104) of the label and the body of a key, for one secret, in hex. The blocks of the secret are made
 * once, and a hash is a text: an object for each of a million keys costs more than the hashing, and a buffer as much.
 */
function macWith(secret: string): (bytes: Buffer) => string {
  const given = Buffer.from(secret)
  const key = given.length > blockBytes ? hash('sha256', given, 'buffer') : given
  const first = Buffer.alloc(blockBytes + label.length + bodyBytes, inner)
  const second = Buffer.alloc(blockBytes + hashBytes, outer)
  for (const [index, byte] of key.entries()) {
    first[index] = byte ^ inner
    second[index] = byte ^ outer
  }
  first.write(label, blockBytes)
  return (bytes) => {
    bytes.copy(first, blockBytes + label.length, 0, bodyBytes)
    second.write(hash('sha256', first, 'hex'), blockBytes, 'hex')
    return hash('sha256', second, 'hex')
  }
}

/** Two letters for each ten bits. */
const pairs = Array.from({ length: 1024 }, (_, bits) => `${alphabet[bits >> 5]}${alphabet[bits & 31]}`)

/** The length of the bytes is a multiple of five: nothing is left over. */
function toBase32(bytes: Buffer): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 5) {
    const high = bytes.readUInt16BE(at) * 16 + ((bytes[at + 2] ?? 0) >> 4) // 20 bits
    const low = ((bytes[at + 2] ?? 0) & 15) * 65_536 + bytes.readUInt16BE(at + 3)
    text += `${pairs[high >> 10]}${pairs[high & 1023]}${pairs[low >> 10]}${pairs[low & 1023]}`
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
