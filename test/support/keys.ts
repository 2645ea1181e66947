import { createHmac } from 'node:crypto'
import { type DeliveryKeys, deliveryKeys, type KeySubject } from '../../src/mail/keys.ts'

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** The key in the links of one copy. */
export function linkKey(secret: string, keyed: KeySubject): string {
  return deliveryKeys(secret)(keyed).link
}

/** The same key in all three places, where a test does not care. */
export function sameKeys(key: string): DeliveryKeys {
  return { link: key, messageId: key, returnPath: key }
}

/** The one key of a copy that version 0.1 put into its links, its Message-ID and its return path alike. */
export function earlierKey(secret: string, { subscriberId, editionRef }: KeySubject): string {
  const body = Buffer.from(subscriberId.replaceAll('-', '') + editionRef, 'hex')
  const mac = createHmac('sha256', secret).update('delivery\n').update(body).digest().subarray(0, 10)
  const bits = [...body, ...mac].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{5}/g) ?? []).map((five) => alphabet[Number.parseInt(five, 2)]).join('')
}
