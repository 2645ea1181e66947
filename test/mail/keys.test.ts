import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  confirmationToken,
  type DeliveryKeys,
  deliveryKeys,
  type KeySubject,
  keyLength,
  keySlot,
  readConfirmationToken,
  readDeliveryKey,
  senderId,
} from '../../src/mail/keys.ts'
import { earlierKey } from '../support/keys.ts'

const secret = 'a secret of more than thirty-two characters'
const keyed = { subscriberId: '019ad2f4-7b1c-7def-8abc-0123456789ab', editionRef: 'deadbeef' }
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
const uses = ['link', 'messageId', 'returnPath'] as const

describe.each(uses)('a key for %s', (use) => {
  const deliveryKey = (secret: string, keyed: KeySubject) => deliveryKeys(secret)(keyed)[use]
  const readKey = (secret: string, key: string) => readDeliveryKey(secret, use, key)
  const [label, at] = {
    link: ['link\n', 0] as const,
    messageId: ['headers\n', 0] as const,
    returnPath: ['headers\n', 10] as const,
  }[use]

  test.each([
    keyed,
    { subscriberId: '00000000-0000-0000-0000-000000000000', editionRef: '00000000' },
    { subscriberId: 'ffffffff-ffff-ffff-ffff-ffffffffffff', editionRef: 'ffffffff' },
    { subscriberId: '80000000-0000-7000-8000-000000000001', editionRef: '0000000f' },
  ])('is read back as what it was made of: $subscriberId', (one) => {
    const key = deliveryKey(secret, one)
    expect(key).toMatch(/^[a-z2-7]{48}$/)
    expect(key).toHaveLength(keyLength)
    expect(readKey(secret, key)).toEqual(one)
  })

  test('is the same each time: a repeated delivery bears the same Message-ID', () => {
    expect(deliveryKey(secret, { ...keyed })).toBe(deliveryKey(secret, { ...keyed }))
  })

  test.each([32, 63, 64, 65, 200])('is signed by HMAC-SHA256 with a secret of %i letters', (length) => {
    const long = 'é'.repeat(length)
    const body = Buffer.from(keyed.subscriberId.replaceAll('-', '') + keyed.editionRef, 'hex')
    const mac = createHmac('sha256', long)
      .update(label)
      .update(body)
      .digest()
      .subarray(at, at + 10)
    expect(deliveryKey(long, keyed)).toBe(base32(Buffer.concat([body, mac])))
  })

  test('of one person differs from edition to edition, and within one from person to person', () => {
    const keys = [
      deliveryKey(secret, keyed),
      deliveryKey(secret, { ...keyed, editionRef: 'deadbeee' }),
      deliveryKey(secret, { ...keyed, subscriberId: '019ad2f4-7b1c-7def-8abc-0123456789ac' }),
    ]
    expect(new Set(keys).size).toBe(3)
  })

  test('fits the local part of a return path with fifteen characters before it', () => {
    expect(Buffer.byteLength(`${'b'.repeat(15)}+${deliveryKey(secret, keyed)}`)).toBeLessThanOrEqual(64)
  })

  test('is believed in upper and in mixed case: some mail systems fold it', () => {
    const key = deliveryKey(secret, keyed)
    expect(readKey(secret, key.toUpperCase())).toEqual(keyed)
    expect(readKey(secret, key.slice(0, 20).toUpperCase() + key.slice(20))).toEqual(keyed)
  })

  test('is refused with any one of its characters changed to any other', () => {
    const key = deliveryKey(secret, keyed)
    for (let place = 0; place < key.length; place++)
      for (const other of `${alphabet}01890-_ .é`)
        if (other !== key[place])
          expect(readKey(secret, key.slice(0, place) + other + key.slice(place + 1)), `${place} ${other}`).toBe(
            undefined,
          )
  })

  test('is refused with two characters exchanged', () => {
    const key = deliveryKey(secret, keyed)
    for (let place = 0; place + 1 < key.length; place++) {
      const exchanged = key.slice(0, place) + key[place + 1] + key[place] + key.slice(place + 2)
      if (exchanged !== key) expect(readKey(secret, exchanged)).toBeUndefined()
    }
  })

  test('is refused by another secret, be it longer, shorter or empty', () => {
    const key = deliveryKey(secret, keyed)
    for (const other of ['', `${secret} `, secret.slice(1), secret.toUpperCase()])
      expect(readKey(other, key)).toBeUndefined()
  })

  test('with the body of another is refused: the signature is over all of it', () => {
    const mine = deliveryKey(secret, keyed)
    const theirs = deliveryKey(secret, { ...keyed, subscriberId: '019ad2f4-7b1c-7def-8abc-0123456789ff' })
    expect(readKey(secret, mine.slice(0, 32) + theirs.slice(32))).toBeUndefined()
    expect(readKey(secret, theirs.slice(0, 32) + mine.slice(32))).toBeUndefined()
  })

  const key = deliveryKey(secret, keyed)
  test.each([
    '',
    'a',
    'a'.repeat(48),
    '7'.repeat(48),
    key.slice(1),
    `${key}a`,
    ` ${key}`,
    `${key}\n`,
    `${key.slice(0, 47)}=`,
    key.replace(/./g, '💥'),
    '\0'.repeat(48),
    'k'.repeat(1_000_000),
    '%'.repeat(48),
    '../../../../../../../../../../../../etc/passwd00',
  ])('is not %j, and asking throws nothing', (text) => {
    expect(readKey(secret, text)).toBeUndefined()
  })
})

describe('the keys of one delivery', () => {
  const keys: DeliveryKeys = deliveryKeys(secret)(keyed)

  test('open nothing but what each is for', () => {
    for (const made of uses)
      for (const use of [...uses, 'earlier'] as const)
        expect([made, use, readDeliveryKey(secret, use, keys[made])]).toEqual([
          made,
          use,
          made === use ? keyed : undefined,
        ])
    expect(new Set(Object.values(keys)).size).toBe(3)
  })

  test('of many deliveries, made one after another, are those of each made alone', () => {
    const many = deliveryKeys(secret)
    const others = [keyed, { ...keyed, editionRef: '00000001' }, keyed]
    expect(others.map(many)).toEqual(others.map((one) => deliveryKeys(secret)(one)))
  })

  test('that earlier versions made are read as such, and as nothing else', () => {
    const key = earlierKey(secret, keyed)
    expect(readDeliveryKey(secret, 'earlier', key)).toEqual(keyed)
    expect(readDeliveryKey(secret, 'earlier', key.toUpperCase())).toEqual(keyed)
    for (const use of uses) expect(readDeliveryKey(secret, use, key)).toBeUndefined()
    expect(readDeliveryKey(`${secret}!`, 'earlier', key)).toBeUndefined()
  })
})

describe('the token of a confirmation', () => {
  const id = keyed.subscriberId
  const token = confirmationToken(secret, id)

  test('is read back as its id, in any case, and only with the secret that it was made with', () => {
    expect(token).toMatch(/^[a-z2-7]{48}$/)
    expect(readConfirmationToken(secret, token)).toBe(id)
    expect(readConfirmationToken(secret, token.toUpperCase())).toBe(id)
    expect(readConfirmationToken(`${secret}!`, token)).toBeUndefined()
  })

  test('is no delivery key, and no delivery key is one', () => {
    for (const use of [...uses, 'earlier'] as const) expect(readDeliveryKey(secret, use, token)).toBeUndefined()
    const keys = [...Object.values(deliveryKeys(secret)(keyed)), earlierKey(secret, keyed)]
    for (const key of keys) expect(readConfirmationToken(secret, key)).toBeUndefined()
  })

  test('is refused with any one of its characters changed', () => {
    for (let place = 0; place < token.length; place++) {
      const other = token[place] === 'a' ? 'b' : 'a'
      expect(readConfirmationToken(secret, token.slice(0, place) + other + token.slice(place + 1))).toBeUndefined()
    }
    for (const text of ['', token.slice(1), `${token}a`, '\0'.repeat(48)])
      expect(readConfirmationToken(secret, text)).toBeUndefined()
  })
})

test('the sender id is the same for one secret, another for each, and as long as Gmail wants it', () => {
  expect(senderId(secret)).toBe(senderId(secret))
  expect(senderId(secret)).toMatch(/^lw[a-z2-7]{3,13}$/)
  expect(senderId(`${secret}!`)).not.toBe(senderId(secret))
})

describe('a slot', () => {
  const slot = keySlot(secret, '019ad2f4-0000-7000-8000-000000000000')

  test('is as long as a key and made of the same letters, so that a key fits it everywhere', () => {
    expect(slot).toMatch(/^[a-z2-7]{48}$/)
    expect(slot).toHaveLength(keyLength)
  })

  test('is the same for one edition each time, and another for every edition and secret', () => {
    expect(keySlot(secret, '019ad2f4-0000-7000-8000-000000000000')).toBe(slot)
    expect(keySlot(secret, '019ad2f4-0000-7000-8000-000000000001')).not.toBe(slot)
    expect(keySlot(`${secret}!`, '019ad2f4-0000-7000-8000-000000000000')).not.toBe(slot)
  })

  test('opens no door', () => {
    for (const use of [...uses, 'earlier'] as const) expect(readDeliveryKey(secret, use, slot)).toBeUndefined()
  })
})

/** RFC 4648 §6, letter by letter. */
function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{5}/g) ?? []).map((five) => alphabet[Number.parseInt(five, 2)]).join('')
}
