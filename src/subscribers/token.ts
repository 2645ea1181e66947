import { createHmac, timingSafeEqual } from 'node:crypto'

/** Who a key speaks of: one subscriber's copy of one edition. `editionRef` is the last eight hex digits of its id. */
export type Keyed = { subscriberId: string; editionRef: string }

/** Every key has this many characters, so that it fits a slot of fixed width. */
export const keyLength = 48

const macBytes = 10
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567' // RFC 4648 §6, in lower case: some mail systems fold it

/**
 * The key of one delivery: 16 bytes subscriber, 4 bytes edition, 10 bytes of HMAC-SHA256, in base32.
 * It stands in the links, in the Message-ID and, with a name of up to 15 characters before it, in the local part of the
 * return path (64 octets, RFC 5321 §4.5.3.1.1), and needs no look-up to be believed.
 */
export function deliveryKey(secret: string, keyed: Keyed): string {
  const body = bodyOf(keyed)
  return toBase32(Buffer.concat([body, macOf(secret, body)]))
}

/** Reads a key back; undefined if it was not made with this secret. Compares in constant time. */
export function readDeliveryKey(secret: string, key: string): Keyed | undefined {
  const bytes = fromBase32(key.toLowerCase())
  if (bytes?.length !== 30) return undefined
  const body = bytes.subarray(0, 20)
  if (!timingSafeEqual(bytes.subarray(20), macOf(secret, body))) return undefined
  const hex = body.toString('hex')
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

function bodyOf({ subscriberId, editionRef }: Keyed): Buffer {
  return Buffer.from(subscriberId.replaceAll('-', '') + editionRef, 'hex')
}

function macOf(secret: string, body: Buffer): Buffer {
  return createHmac('sha256', secret).update('delivery\n').update(body).digest().subarray(0, macBytes)
}

function toBase32(bytes: Buffer): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += alphabet[(held >> bits) & 31]
    }
    held &= (1 << bits) - 1
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
