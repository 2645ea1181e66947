import { createServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { configSchema } from '../../../../src/config/config.ts'
import { maxReplyLength } from '../../../../src/mail/reply-rules/reply-text.ts'
import { masker } from '../../../../src/mail/smtp/auth/masking.ts'
import { passwordForms } from '../../../../src/mail/smtp/auth/sign-in.ts'
import { signInReply } from '../../../../src/mail/smtp/auth/sign-in-reply.ts'
import { connect } from '../../../../src/mail/smtp/connect.ts'

const closing: (() => unknown)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

const password = 'Open sesame, quickly!'
const base64 = (text: string) => Buffer.from(text).toString('base64')
const plain = base64(`\0mira\0${password}`)

describe('what a relay repeats of a sign-in', () => {
  const mask = masker(() => passwordForms('mira', password))

  test.each([
    ['the password', password],
    ['the password in capitals', password.toUpperCase()],
    ['the password in an address', encodeURIComponent(password)],
    ['PLAIN', plain],
    ['PLAIN without its padding', plain.replace(/=+$/, '')],
    ['PLAIN in capitals', plain.toUpperCase()],
    ['PLAIN, cut off', plain.slice(0, 21)],
    ['PLAIN, its end', plain.slice(13)],
    ['PLAIN with who acts for whom', base64(`mira\0mira\0${password}`)],
    ['PLAIN for addresses', Buffer.from(`\0mira\0${password}`).toString('base64url')],
    ['LOGIN', base64(password)],
    ['the command in base64', base64(`AUTH PLAIN ${password}`)],
  ])('is masked: %s', (_, said) => {
    expect(mask(`535 5.7.8 no: "${said}", sorry`)).toBe('535 5.7.8 no: "********", sorry')
  })

  const cramMd5 = base64(`mira ${'0123456789abcdef'.repeat(2)}`)
  test.each([
    ['with invisible characters in it', [...password].join('\u200b')],
    ['with blanks in it', [...password].join(' ')],
    ['over two lines', 'Open ses\r\n550 5.7.1 ame, quickly!'],
    ['in hexadecimal', Buffer.from(password).toString('hex').toUpperCase()],
    ['in hexadecimal, byte by byte', [...Buffer.from(password)].map((byte) => byte.toString(16)).join(':')],
    ['in base64, in pieces', base64(`xy${password}`).replace(/.{7}/g, '$& ')],
    ['as in HTML', password.replace(/[aeiou]/g, (one) => `&#${one.charCodeAt(0)};`)],
    ['as in JSON', password.replace(/[aeiou]/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`)],
    ['as in quoted-printable', password.replace(/[aeiou]/g, (one) => `=${one.charCodeAt(0).toString(16)}`)],
    ['in wide letters', password.replace(/\w/g, (one) => String.fromCharCode(one.charCodeAt(0) + 0xfee0))],
  ])('takes every word with it where it is hidden: %s', (_, said) => {
    expect(mask(`550 5.7.1 no: "${said}", sorry`)).toBe('550 5.7.1 ********')
  })

  test('takes every word with it where it is hidden by the names of HTML', () => {
    const maskAccents = masker(() => passwordForms('mira', 'Grüße aus Köln'))
    expect(maskAccents('550 5.7.1 no: "Gr&uuml;&szlig;e aus K&ouml;ln", sorry')).toBe('550 5.7.1 ********')
  })

  test('is masked as the response of CRAM-MD5', () => {
    expect(mask(`535 no: ${cramMd5}`)).toBe('535 no: ********')
  })

  test('and the rest of its words stays, though it may look like base64', () => {
    const said = '550 5.7.1 Relaying/denied queued-as 4XyZabcdEFGH1234 authentication_failed mira@magazine.example'
    expect(mask(said)).toBe(said)
  })

  test('is left where a password is so short that it would be found in any word', () => {
    expect(masker(() => ['a', ''])('250 all accepted')).toBe('250 all accepted')
  })
})

describe('what is shown of a reply to a sign-in', () => {
  test.each([
    '535 5.7.8 Error: authentication failed: ********',
    '534-5.7.9 Application-specific password required. ********\n534 5.7.9 ********',
    '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit ********',
    '530 5.7.57 Client was not authenticated to send mail.',
    '535-5.7.8 Username and Password not accepted.',
    '454 4.7.0 Temporary authentication failure',
    '334 VXNlcm5hbWU6',
    '235',
    '235 2.7.0 Authentication successful',
  ])('are words that are known: %s', (reply) => {
    const said = reply.replaceAll('********', 'https://go.example/x Kx77mZ')
    expect(signInReply(said, ['Kx77mZ'])).toBe(reply)
  })

  test('is no word of the password, and nothing that may be it in other letters', () => {
    const said = ['password', 'x'.repeat(2100), 'pass­word', '12345678', 'f o u n d', 'Wr0ng', '5.7.12345']
    for (const word of said) expect(signInReply(`535 5.7.8 ${word}`, ['my password'])).toBe('535 5.7.8 ********')
    expect(signInReply('hunter22', ['hunter22'])).toBe('********')
    expect(signInReply('535hunter22', ['hunter22'])).toBe('********')
  })
})

/** What is kept of the answer of a relay, which it gives once we have signed in. */
async function keptOf(answer: string) {
  const relay = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      const line = chunk.toString()
      if (/^EHLO/.test(line)) socket.write('250-here\r\n250 AUTH PLAIN\r\n')
      else if (/^AUTH/.test(line)) socket.write('235 welcome\r\n')
      else socket.write(`${answer}\r\n`)
    })
    socket.write('220 here\r\n')
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  closing.push(() => relay.close())
  const { port } = relay.address() as { port: number }
  const publication = { name: 'M', site: 'https://m.example', contact: 'a@m.example', address: 'M' }
  const settings = { host: '127.0.0.1', port, security: 'none', user: 'mira', password }
  const session = await connect(configSchema.parse({ publication, relay: settings }).relay)
  closing.push(() => session.quit())
  const message = { envelope: { from: 'a@m.example', to: 'b@m.example' }, pieces: [Buffer.from('x\r\n.\r\n')] }
  return await session.send(message)
}

test('what is kept of an answer has no password in it, whatever command it answers', async () => {
  const kept = await keptOf(`550 5.7.1 you signed in with ${plain} (${password})`)
  expect(kept).toMatchObject({ reply: '550 5.7.1 you signed in with ******** (********)' })
})

test('a password at the place where an answer is cut does not leave its beginning behind', async () => {
  const before = `550 5.7.1 ${'- '.repeat(maxReplyLength / 2 - 8)}`
  expect(await keptOf(before + password)).toMatchObject({ reply: `${before}********`.slice(0, maxReplyLength) })
  expect(await keptOf(`${'-'.repeat(190)} ${password}`)).toMatchObject({ reply: expect.not.stringContaining('Open') })
})
