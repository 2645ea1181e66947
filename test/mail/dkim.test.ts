import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { compileSignedMessage, type Signer, signMessage } from '../../src/mail/dkim.ts'
import { loadSigners } from '../../src/mail/dkim-keys.ts'
import { compileMessage, type MessageTemplate, rawMessage } from '../../src/mail/mime.ts'
import { plainMail } from '../../src/mail/plain-mail.ts'
import { fieldsOf, signaturesIn, verifiedBy as verifiedFor } from '../support/dkim.ts'
import { sameKeys } from '../support/keys.ts'

const slot = 'k'.repeat(48)
const letter: MessageTemplate = {
  editionId: '0190b7c0-0000-7000-8000-000000000031',
  senderId: 'lwharbour234',
  number: 31,
  digest: { name: 'weekly', title: 'Wöchentlich' },
  publication: { name: 'Harbour Notes', site: 'https://harbour.example' },
  webUrl: 'https://letters.harbour.example',
  from: { name: 'Harbour  Notes', address: 'weekly@harbour.example' },
  replyTo: 'editor@harbour.example',
  returnPath: 'bounces@harbour.example',
  subject: 'The bridge is open: Größe, Москва, 日本語 and the trams that run every ten minutes again',
  html: `<p>  two  blanks,\ta tab \n\n<a href="https://x.example/leave/${slot}">leave</a> ${'wide '.repeat(60)}</p>\n<i>${slot}</i>\n`,
  text: `.dot first \n\n  indented\t \nhttps://x.example/leave/${slot}\n`,
  slot,
}
const copy = {
  email: 'mira@example.org',
  name: 'Мира  Kaya',
  keys: sameKeys('a2'.repeat(24)),
  date: '2026-11-27T07:00:00.000Z',
}

const keys = { rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }), ed25519: generateKeyPairSync('ed25519') }
const signer = (kind: keyof typeof keys): Signer => ({
  domain: 'harbour.example',
  selector: kind,
  key: keys[kind].privateKey,
})
const verifiedBy = (message: string, publicKey: typeof publicKeyOf) =>
  verifiedFor(message, publicKey, 'harbour.example')
const publicKeyOf = (selector: string) => keys[selector as keyof typeof keys].publicKey
const sign = (...kinds: (keyof typeof keys)[]) => compileSignedMessage(letter, kinds.map(signer))(copy)

test.each(['rsa', 'ed25519'] as const)('a copy signed with %s is verified from its bytes alone', async (kind) => {
  expect(verifiedBy(rawMessage(await sign(kind)).toString('latin1'), publicKeyOf)).toEqual([
    { selector: kind, valid: true },
  ])
})

test('two keys make two signatures, and each is verified without the other', async () => {
  const message = rawMessage(await sign('rsa', 'ed25519')).toString('latin1')
  expect(verifiedBy(message, publicKeyOf)).toEqual([
    { selector: 'rsa', valid: true },
    { selector: 'ed25519', valid: true },
  ])
})

test('below its signatures it is, byte by byte, the message that is not signed', async () => {
  const message = rawMessage(await sign('rsa')).toString('latin1')
  expect(message.slice(message.indexOf('\r\nDate: ') + 2)).toBe(
    rawMessage(compileMessage(letter)(copy)).toString('latin1'),
  )
})

test('every copy is signed for itself, also when many are signed at once', async () => {
  const fill = compileSignedMessage(letter, [signer('ed25519')])
  const copies = await Promise.all(
    Array.from({ length: 20 }, (_, index) => fill({ ...copy, keys: sameKeys(String(index).padStart(48, 'b')) })),
  )
  for (const one of copies) expect(verifiedBy(rawMessage(one).toString('latin1'), publicKeyOf)[0]?.valid).toBe(true)
})

test.each([
  ['List-Unsubscribe-Post', (message: string) => message.replace('=One-Click', '=Never')],
  ['List-Unsubscribe', (message: string) => message.replace('<https://letters.', '<https://evil.')],
  ['Subject', (message: string) => message.replace(/Subject: =\?UTF-8\?B\?./i, (found) => `${found.slice(0, -1)}_`)],
  ['a word of the body', (message: string) => message.replace('indented', 'invented')],
  ['the key in the HTML', (message: string) => message.replace(/a2=\r\n(?!.*a2=\r\n)/s, 'a3=\r\n')],
])('the signature breaks when somebody changes %s', async (_, change) => {
  const message = rawMessage(await sign('rsa')).toString('latin1')
  const changed = change(message)
  expect(changed).not.toBe(message)
  expect(verifiedBy(changed, publicKeyOf)).toEqual([{ selector: 'rsa', valid: false }])
})

const mustBeSigned = [
  ...['Date', 'To', 'Message-ID', 'List-Unsubscribe', 'List-Unsubscribe-Post', 'From', 'Reply-To', 'Subject'],
  ...['List-Id', 'Feedback-ID', 'MIME-Version', 'Content-Type', 'Cc', 'Content-Transfer-Encoding'],
]

test('h= names each signed field once more than it stands there, those to leave included (RFC 8058 §4)', async () => {
  const message = rawMessage(await sign('rsa', 'ed25519')).toString('latin1')
  const countIn = (names: string[], name: string) => names.filter((one) => one === name).length
  const standing = fieldsOf(message).map((field) => field.slice(0, field.indexOf(':')))
  for (const { tags } of signaturesIn(message)) {
    const names = tags.h?.split(':') ?? []
    expect([...new Set(names)].sort()).toEqual(mustBeSigned.toSorted())
    for (const name of names) expect([name, countIn(names, name)]).toEqual([name, countIn(standing, name) + 1])
  }
})

test.each(mustBeSigned)('another %s on top breaks both signatures, in whatever case it is written', async (name) => {
  const message = rawMessage(await sign('rsa', 'ed25519')).toString('latin1')
  for (const added of [name, name.toLowerCase(), name.toUpperCase()])
    expect(verifiedBy(`${added}: evil\r\n${message}`, publicKeyOf)).toEqual([
      { selector: 'rsa', valid: false },
      { selector: 'ed25519', valid: false },
    ])
})

test('one finished message is signed as a whole, and stays as it is without keys', async () => {
  const { raw } = plainMail({
    name: 'Wöchentlich',
    from: 'weekly@harbour.example',
    replyTo: 'editor@harbour.example',
    to: 'mira@example.org',
    returnPath: 'bounces@harbour.example',
    subject: 'Größe again?',
    text: 'Two  blanks,\ta tab \nhttps://x.example/confirm/abc\n',
    date: copy.date,
  })
  expect(await signMessage(raw, [], copy.date)).toEqual(raw)
  const message = (await signMessage(raw, [signer('rsa'), signer('ed25519')], copy.date)).toString('latin1')
  const valid = (text: string) => verifiedBy(text, publicKeyOf).map((one) => one.valid)
  expect(valid(message)).toEqual([true, true])
  expect(valid(message.replace('confirm/abc', 'confirm/abd'))).toEqual([false, false])
  for (const name of ['From', 'Reply-To', 'To', 'Subject', 'Date', 'Message-ID', 'Content-Type', 'Cc'])
    expect([name, ...valid(`${name}: evil\r\n${message}`)]).toEqual([name, false, false])
})

test('a field of another name on top, as each server on the way adds one, breaks nothing', async () => {
  const message = rawMessage(await sign('rsa', 'ed25519')).toString('latin1')
  const received = 'Received: from a.example by b.example; Fri, 27 Nov 2026 07:00:00 +0000\r\n'
  expect(verifiedBy(received + message, publicKeyOf).map(({ valid }) => valid)).toEqual([true, true])
})

test('no line of a signed message is over 998 octets, and none of a signature over 96', async () => {
  const lines = rawMessage(await sign('rsa', 'ed25519'))
    .toString('latin1')
    .split('\r\n')
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(998)
  for (const line of lines.slice(
    0,
    lines.findIndex((one) => one.startsWith('Date:')),
  ))
    expect(line.length, line).toBeLessThanOrEqual(96)
})

test.each([
  ['what is no key', 'hello', 'is not a private key in PEM format'],
  [
    'a public key',
    keys.rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    'is not a private key in PEM format',
  ],
  [
    'a key of another kind',
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'expected RSA-2048 or Ed25519',
  ],
])('%s is refused, by name', (_, key, why) => {
  expect(() => loadSigners([{ domain: 'harbour.example', selector: 's1', key }])).toThrow(why)
  expect(() => loadSigners([{ domain: 'harbour.example', selector: 's1', key }])).toThrow(
    's1._domainkey.harbour.example',
  )
})

test('a key file that is not there is refused, by name', () => {
  expect(() => loadSigners([{ domain: 'h.example', selector: 's1', keyFile: '/nowhere/key.pem' }])).toThrow(
    '/nowhere/key.pem cannot be read',
  )
})
