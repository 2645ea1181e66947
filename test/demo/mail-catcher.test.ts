import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fileName, openCaughtMail } from '../../src/demo/caught-mail.ts'
import { type MailCatcher, startMailCatcher } from '../../src/demo/mail-catcher.ts'

let mailDir: string
let catcher: MailCatcher

beforeEach(async () => {
  mailDir = await mkdtemp(join(tmpdir(), 'lastword-mail-'))
  catcher = await startMailCatcher({ mailDir })
})
afterEach(async () => {
  await catcher.close()
  await rm(mailDir, { recursive: true, force: true })
})

const raw = [
  'From: Civic Ledger <digest@example.org>',
  'To: Mira <mira@example.org>',
  'Subject: =?utf-8?Q?Caf=C3=A9_?= =?utf-8?B?4oCTIMKj?=',
  'Message-ID: <1@example.org>',
  '',
  '.a line with a dot',
  'naïve',
  '',
].join('\r\n')

function send(message: string, to: string | string[] = 'mira@example.org', from = 'bounce@example.org') {
  const transport = createTransport({
    host: catcher.smtp.host,
    port: catcher.smtp.port,
    secure: false,
    ignoreTLS: true,
  })
  return transport.sendMail({ envelope: { from, to }, raw: message })
}

async function page(path: string): Promise<string> {
  return (await fetch(catcher.url + path)).text()
}

describe('storing', () => {
  test('a message is on the disk, byte for byte, when the server says that it was accepted', async () => {
    await send(raw)
    expect(await readdir(mailDir)).toEqual(['0001-mira@example.org.eml'])
    expect(await readFile(join(mailDir, '0001-mira@example.org.eml'), 'utf8')).toBe(raw)
  })

  test('what cannot be stored is refused for now, and does not count', async () => {
    await rm(mailDir, { recursive: true })
    await expect(send(raw)).rejects.toMatchObject({ responseCode: 451 })
    expect(catcher.count()).toBe(0)
    expect(catcher.messages()).toEqual([])
  })

  test('an address full of slashes and dots stays in the folder', async () => {
    await send(raw, '/etc/passwd@example.org')
    await send(raw, "a/b'{x}@example.org")
    const names = await readdir(mailDir)
    expect(names).toHaveLength(2)
    expect(names.toSorted()).toEqual(['0001-_etc_passwd@example.org.eml', '0002-a_b__x_@example.org.eml'])
    expect(fileName({ number: 3, to: '../../x\0\r\n@example.org' })).toBe('0003-.._.._x___@example.org.eml')
  })

  test('a folder that cannot be used is named before anything is caught', async () => {
    const notFolder = join(mailDir, 'file')
    await writeFile(notFolder, '')
    await expect(startMailCatcher({ mailDir: notFolder })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(notFolder),
    })
  })

  test('an earlier run’s messages are never overwritten', async () => {
    await writeFile(join(mailDir, '0041-old@example.org.eml'), 'old')
    const second = await startMailCatcher({ mailDir })
    await catcher.close()
    catcher = second
    await send(raw)
    expect((await readdir(mailDir)).toSorted()).toEqual(['0041-old@example.org.eml', '0042-mira@example.org.eml'])
  })

  test('two hundred messages over many connections at once are all kept, each under its own number', async () => {
    const pool = createTransport({ host: catcher.smtp.host, port: catcher.smtp.port, pool: true, maxConnections: 10 })
    const everyone = Array.from({ length: 200 }, (_, index) => `reader${index}@example.org`)
    await Promise.all(everyone.map((to) => pool.sendMail({ from: 'a@example.org', to, subject: to, text: to })))
    pool.close()
    expect(catcher.count()).toBe(200)
    expect(catcher.duplicates()).toBe(0)
    expect(new Set(catcher.messages().map(({ to }) => to))).toEqual(new Set(everyone))
    const names = await readdir(mailDir)
    expect(new Set(names.map((name) => name.slice(0, 4))).size).toBe(200)
    expect(names.every((name) => name.endsWith('.eml'))).toBe(true)
  })
})

test('memory holds the newest five thousand, while the count goes on', async () => {
  const mail = await openCaughtMail()
  const to = Array.from({ length: 5003 }, (_, index) => `reader${index}@example.org`)
  await mail.store({ from: '', to }, Buffer.from(raw))
  expect(mail.count()).toBe(5003)
  expect(mail.newestFirst().length).toBe(5000)
  expect([mail.find(3), mail.find(4)?.to]).toEqual([undefined, 'reader3@example.org'])
})

describe('counting', () => {
  test('the same Message-ID to the same person is a duplicate, to another person it is not', async () => {
    await send(raw)
    await send(raw, 'noor@example.org')
    expect(catcher.duplicates()).toBe(0)
    await send(raw)
    await send(raw)
    expect(catcher.count()).toBe(4)
    expect(catcher.duplicates()).toBe(2)
  })

  test('a message to two recipients is caught once for each', async () => {
    await send(raw, ['mira@example.org', 'noor@example.org'])
    expect(catcher.messages().map(({ number, to }) => [number, to])).toEqual([
      [2, 'noor@example.org'],
      [1, 'mira@example.org'],
    ])
  })

  test('a summary tells the envelope, the decoded subject, the Message-ID and the size', async () => {
    await send(raw)
    expect(catcher.messages()[0]).toMatchObject({
      number: 1,
      from: 'bounce@example.org',
      to: 'mira@example.org',
      subject: 'Café – £',
      messageId: '<1@example.org>',
      bytes: Buffer.byteLength(raw),
    })
  })
})

test('the server offers PIPELINING, 8BITMIME and SMTPUTF8, and neither AUTH nor STARTTLS', async () => {
  const greeting = await talk(['EHLO test.example.org', 'QUIT'])
  for (const word of ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'SIZE']) expect(greeting).toContain(word)
  expect(greeting).not.toMatch(/AUTH|STARTTLS/)
})

function talk(lines: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = ''
    const socket = createConnection(catcher.smtp.port, catcher.smtp.host)
    socket.on('data', (bytes) => {
      heard += bytes
      if (/^\d{3} .*\r\n$/m.test(String(bytes))) socket.write(`${lines.shift() ?? ''}\r\n`)
    })
    socket.on('end', () => resolve(heard)).on('error', reject)
  })
}

test('a taken port is named, and nothing stays open behind it', async () => {
  const webPort = Number(new URL(catcher.url).port)
  await expect(startMailCatcher({ webPort })).rejects.toMatchObject({ code: 'conflict' })
  await expect(startMailCatcher({ smtpPort: catcher.smtp.port })).rejects.toMatchObject({ code: 'conflict' })
})

describe('the pages', () => {
  const hostile = [
    'From: x <x@example.org>',
    'Subject: <script>alert(1)</script>',
    'X-Note: "><img src=x onerror=alert(2)>',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    '',
    '<b>not bold</b> see https://example.org/a?b=1&c=2.',
    '--b',
    'Content-Type: text/html; charset=utf-8',
    '',
    '<html><head><title>t</title></head><body><script>alert(3)</script><a href="https://example.org/">link</a></body></html>',
    '--b',
    'Content-Type: application/pdf; name="r.pdf"',
    'Content-Disposition: attachment; filename="a\\"b <c>.pdf"',
    '',
    'pdf bytes',
    '--b--',
    '',
  ].join('\r\n')

  test('list the newest first, fifty at a time, and find by part of an address', async () => {
    const to = Array.from({ length: 52 }, (_, index) => `reader${index + 1}@example.org`)
    await send(raw, to)
    const first = await page('/')
    expect(first.indexOf('reader52@')).toBeLessThan(first.indexOf('reader51@'))
    expect(first.match(/reader\d+@/g)).toHaveLength(50)
    expect((await page('/?page=2')).match(/reader\d+@/g)).toEqual(['reader2@', 'reader1@'])
    expect((await page('/?to=READER5')).match(/reader\d+@/g)).toEqual([
      'reader52@',
      'reader51@',
      'reader50@',
      'reader5@',
    ])
    expect(await page('/?page=x&to=%22%3E%3Cscript%3E')).not.toContain('<script')
  })

  test('show what a hostile message says, and never run it', async () => {
    await send(hostile)
    for (const path of [
      '/',
      '/messages/1',
      '/messages/1/phone',
      '/messages/1/text',
      '/messages/1/headers',
      '/messages/1/source',
    ]) {
      const answer = await fetch(catcher.url + path)
      const text = await answer.text()
      expect(answer.status).toBe(200)
      expect(text).not.toMatch(/<script|<img|<b>/)
      expect(answer.headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; style-src 'self'; frame-src 'self';/,
      )
    }
    expect(await page('/messages/1/headers')).toContain('&lt;img src=x onerror=alert(2)&gt;')
    expect(await page('/messages/1/text')).toContain('<a href="https://example.org/a?b=1&amp;c=2" target="_blank"')
  })

  test('give the HTML an address of its own, without an origin, and let its links open in a new tab', async () => {
    await send(hostile)
    const body = await fetch(`${catcher.url}/messages/1/body`)
    expect(body.headers.get('content-security-policy')).toMatch(/^sandbox allow-popups/)
    expect(body.headers.get('content-security-policy')).not.toMatch(/script-src|allow-scripts|allow-same-origin/)
    expect(await body.text()).toContain('<head><base target="_blank">')
    expect(await page('/messages/1')).toMatch(/<iframe[^>]+sandbox="allow-popups allow-popups-to-escape-sandbox"/)
  })

  test('hand out the message as it came, and an attachment under its own name, as downloads', async () => {
    await send(hostile)
    const message = await fetch(`${catcher.url}/messages/1/message.eml`)
    expect(await message.text()).toBe(hostile)
    expect(message.headers.get('content-disposition')).toBe('attachment; filename="0001-mira@example.org.eml"')
    const attachment = await fetch(`${catcher.url}/messages/1/attachments/0`)
    expect(await attachment.text()).toBe('pdf bytes')
    expect(attachment.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''a%22b%20%3Cc%3E.pdf")
    expect(attachment.headers.get('content-type')).toBe('application/octet-stream')
  })

  test('say so when a part, a message or a page is not there', async () => {
    await send(raw)
    expect(await page('/messages/1')).toContain('This message has no HTML part.')
    for (const path of ['/messages/2', '/messages/0/text', '/messages/1/attachments/0', '/messages/1/none', '/none'])
      expect((await fetch(catcher.url + path)).status, path).toBe(404)
  })

  test('have no request that changes anything', async () => {
    await send(raw)
    for (const method of ['POST', 'PUT', 'DELETE'])
      expect((await fetch(`${catcher.url}/messages/1`, { method })).status).toBe(404)
    expect(catcher.count()).toBe(1)
  })
})
