import { createServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { configSchema } from '../../src/config.ts'
import { connect } from '../../src/deliveries/connect.ts'
import { masker } from '../../src/deliveries/masking.ts'
import { passwordForms } from '../../src/deliveries/sign-in.ts'

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

  test('and the rest of its words stays, though it may look like base64', () => {
    const said = '550 5.7.1 Relaying/denied queued-as 4XyZabcdEFGH1234 authentication_failed mira@magazine.example'
    expect(mask(said)).toBe(said)
  })

  test('is left where a password is so short that it would be found in any word', () => {
    expect(masker(() => ['a', ''])('250 all accepted')).toBe('250 all accepted')
  })
})

test('what is kept of an answer has no password in it, whatever command it answers', async () => {
  const relay = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      const line = chunk.toString()
      if (/^EHLO/.test(line)) socket.write('250-here\r\n250 AUTH PLAIN\r\n')
      else if (/^AUTH/.test(line)) socket.write('235 welcome\r\n')
      else socket.write(`550 5.7.1 you signed in with ${plain} (${password})\r\n`)
    })
    socket.write('220 here\r\n')
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  closing.push(() => relay.close())
  const { port } = relay.address() as { port: number }
  const publication = { name: 'M', site: 'https://m.example', contact: 'a@m.example', address: 'M' }
  const settings = { host: '127.0.0.1', port, security: 'none', user: 'mira', password }
  const wire = await connect(configSchema.parse({ publication, relay: settings }).relay)
  closing.push(() => wire.quit())
  const message = { envelope: { from: 'a@m.example', to: 'b@m.example' }, pieces: [Buffer.from('x\r\n.\r\n')] }
  expect(await wire.send(message)).toMatchObject({ reply: '550 5.7.1 you signed in with ******** (********)' })
})
