import { execFileSync, spawnSync } from 'node:child_process'
import { simpleParser } from 'mailparser'
import { describe, expect, test } from 'vitest'
import { deliveryKeys, keySlot } from '../../src/mail/keys.ts'
import { compileMessage, type MessageTemplate, type RecipientCopy, rawMessage } from '../../src/mail/mime.ts'

const editionId = '019ad2f4-0000-7000-8000-00000000002a'
const slot = keySlot('secret', editionId)
const keysOf = (number: number) =>
  deliveryKeys('secret')({
    subscriberId: `019ad2f4-7b1c-7def-8abc-${String(number).padStart(12, '0')}`,
    editionRef: '0000002a',
  })

const letter: MessageTemplate = {
  editionId,
  senderId: 'lwharbour234',
  number: 31,
  digest: { name: 'harbour-weekly', title: 'Harbour Weekly' },
  publication: { name: 'Harbour Notes & Co', site: 'https://www.harbour.example/news' },
  webUrl: 'https://letters.harbour.example',
  from: { name: 'Harbour Notes', address: 'weekly@harbour.example' },
  replyTo: 'editor@harbour.example',
  returnPath: 'bounces@post.harbour.example',
  subject: 'The bridge is open · Harbour Weekly 31',
  html: `<!doctype html>\n<p>Größe = “size”</p>\n<a href="https://letters.harbour.example/leave/${slot}">leave</a>\n`,
  text: `Größe = “size”\n\nLeave: https://letters.harbour.example/leave/${slot}\n`,
  slot,
}
const copy: RecipientCopy = {
  email: 'mira@example.org',
  name: 'Mira Kaya',
  keys: keysOf(1),
  date: '2026-11-27T07:00:00.000Z',
}

const compose = (change: Partial<MessageTemplate> = {}, to: Partial<RecipientCopy> = {}) =>
  compileMessage({ ...letter, ...change })({ ...copy, ...to })
const raw = (change: Partial<MessageTemplate> = {}, to: Partial<RecipientCopy> = {}) =>
  rawMessage(compose(change, to)).toString('latin1')
const headOf = (message: string) => message.slice(0, message.indexOf('\r\n\r\n'))
const mailed = (text: string, key = copy.keys.link) => text.replaceAll(slot, key).replaceAll('\n', '\r\n')

type Parsed = {
  defects: string[]
  headers: [string, string][]
  from: [string, string][]
  to: [string, string][]
  plain: string
  html: string
}

const hasPython = spawnSync('python3', ['-c', 'import email.policy']).status === 0
const python = describe.skipIf(!hasPython)
if (!hasPython) console.warn('no python3 here: messages are read by mailparser only')

/**
 * What Python's parser makes of the bytes: headers decoded, bodies as they were before encoding, and every defect.
 * Names go through its older reader: the new one keeps the blank between two encoded words (RFC 2047 §6.2 drops it)
 * inside names until Python 3.13.
 */
function readInPython(bytes: Buffer): Parsed {
  const program = `
import sys, json, email, email.policy, email.utils
from email.header import decode_header, make_header
source = sys.stdin.buffer.read()
message = email.message_from_bytes(source, policy=email.policy.default)
older = email.message_from_bytes(source)
parts = list(message.walk())
people = lambda name: [[str(make_header(decode_header(n))), a] for n, a in email.utils.getaddresses([older[name].replace('\\r\\n', '')])]
body = lambda kind: [p for p in parts if p.get_content_type() == kind][0].get_payload(decode=True).decode('utf-8')
defects = [repr(d) for p in parts for d in p.defects] + [k + ': ' + repr(d) for p in parts for k, v in p.items() for d in getattr(v, 'defects', [])]
json.dump({'defects': defects, 'headers': [[k, str(v)] for k, v in message.items()], 'from': people('from'), 'to': people('to'), 'plain': body('text/plain'), 'html': body('text/html')}, sys.stdout)
`
  return JSON.parse(execFileSync('python3', ['-c', program], { input: bytes, encoding: 'utf8' }))
}

const header = (parsed: Parsed, name: string) =>
  parsed.headers.filter(([key]) => key === name).map(([, value]) => value)

/** What must hold of the bytes of every message. */
function expectSound(message: string): void {
  expect(message.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/)
  const lines = message.split('\r\n')
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(998)
  const body = lines.slice(lines.indexOf(''))
  for (const line of body) {
    expect(line.length, line).toBeLessThanOrEqual(78)
    expect(line).not.toMatch(/^\.|^From /)
    expect(line).toMatch(/^[\t\x20-\x7e]*$/)
  }
}

const names: [string, string][] = [
  ['Latin with accents', 'Zoë Lefèvre-Bäcker'],
  ['Greek', 'Ελένη Παπαδοπούλου'],
  ['Cyrillic', 'Мира Александровна Константинопольская'],
  ['Hebrew', 'מירה כהן'],
  ['Arabic', 'ميرا القحطاني'],
  ['Japanese', '山田花子・日本語の新聞を読む人の会の名誉会長'],
  ['emoji', '👩‍👩‍👧‍👦 Family '.repeat(8).trim()],
  ['quotes and backslashes', 'Mira "the \\ Great" (Kaya), <Leeds>; @home'],
  ['an apostrophe and dots', "Mr. J. O'Neill, Ph.D."],
  ['180 letters', 'Mira '.repeat(36).trim()],
  ['400 letters', 'Mira '.repeat(80).trim()],
  ['1500 letters', 'Mira '.repeat(300).trim()],
  ['one word of 180 letters', 'M'.repeat(180)],
  ['what reads as an encoded word', '=?utf-8?B?QmNj?= Kaya'],
]

const subjects: [string, string][] = [
  ...names,
  ['many words', 'The bridge is open and the trams run again '.repeat(12).trim()],
  ['one word of 2000 letters', 'x'.repeat(2000)],
  ['two blanks', 'Two  blanks   and more  '.repeat(10).trim()],
  ['a colon first', ': a colon'],
  ['all kinds of signs', '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'],
  ['a long word in the middle', `See ${'https://x.example/'.repeat(8)} now`],
]

python('read by Python', () => {
  test('a message has no defect, and both bodies come back byte by byte', () => {
    const parsed = readInPython(rawMessage(compose()))
    expect(parsed.defects).toEqual([])
    expect(parsed.plain).toBe(mailed(letter.text))
    expect(parsed.html).toBe(mailed(letter.html))
    expect(parsed.headers.map(([name]) => name)).toEqual([
      'Date',
      'To',
      'Message-ID',
      'List-Unsubscribe',
      'List-Unsubscribe-Post',
      'From',
      'Reply-To',
      'Subject',
      'List-Id',
      'Feedback-ID',
      'Precedence',
      'MIME-Version',
      'Content-Type',
    ])
  })

  test.each(names)('the name in %s stands in From, To and List-Id as it was written', (_, name) => {
    const message = compose(
      { from: { name, address: 'weekly@harbour.example' }, digest: { name: 'weekly', title: name } },
      { name },
    )
    const parsed = readInPython(rawMessage(message))
    expect(parsed.defects).toEqual([])
    expect(parsed.from).toEqual([[name, 'weekly@harbour.example']])
    expect(parsed.to).toEqual([[name, 'mira@example.org']])
    expect(headOf(rawMessage(message).toString())).toMatch(/^List-Id: [\s\S]*<weekly\.www\.harbour\.example>/m)
  })

  test.each(subjects)('the subject with %s is read as it was written', (_, subject) => {
    const raw = rawMessage(compose({ subject }))
    const parsed = readInPython(raw)
    expect(parsed.defects).toEqual([])
    expect(header(parsed, 'Subject')).toEqual([subject])
  })

  test.each([
    ['lines that begin with a dot and with From', '.\n..\nFrom me\n>From\n.From\n'],
    ['no line end', 'one line'],
    ['nothing', ''],
    ['the slot alone', slot],
    ['slots everywhere', `${slot}${slot}\n.${slot}.\n${slot}`],
    ['a line of 5000 letters', `${'x'.repeat(5000)} ${slot}`],
    ['blanks at the ends of lines', 'a \nb\t\n \n'],
    ['what looks like a boundary', `--lw-\n--lw-${'a'.repeat(24)}--\n--\n`],
    ['what looks like headers', 'Content-Type: text/plain\n\nBcc: x@y.example\n'],
    ['six scripts', 'Größe Ελλάδα Москва עברית العربية 日本語 😀'.repeat(20)],
  ])('a body with %s comes back, as text and as HTML', (_, body) => {
    const raw = rawMessage(compose({ text: body, html: body }))
    const parsed = readInPython(raw)
    expect(parsed.defects).toEqual([])
    expect([parsed.plain, parsed.html]).toEqual([mailed(body), mailed(body)])
    expectSound(raw.toString('latin1'))
  })
})

describe('read by mailparser', () => {
  test('a message says who writes to whom, in both bodies', async () => {
    const mail = await simpleParser(rawMessage(compose({}, { name: 'Мира' })))
    expect(mail.from?.value).toEqual([{ name: 'Harbour Notes', address: 'weekly@harbour.example' }])
    expect([mail.to].flat()[0]?.value).toEqual([{ name: 'Мира', address: 'mira@example.org' }])
    expect(mail.replyTo?.value[0]?.address).toBe('editor@harbour.example')
    expect(mail.subject).toBe(letter.subject)
    expect(mail.date?.toISOString()).toBe(copy.date)
    expect(mail.text).toBe(mailed(letter.text).replaceAll('\r\n', '\n'))
    expect(mail.html).toBe(mailed(letter.html).replaceAll('\r\n', '\n'))
    expect(mail.attachments).toEqual([])
  })

  test.each(subjects)('the subject with %s is read as it was written', async (_, subject) => {
    expect((await simpleParser(rawMessage(compose({ subject })))).subject).toBe(subject)
  })
})

describe('of any message', () => {
  test.each(subjects)('with %s in every name, the bytes are sound', (_, name) => {
    const message = raw(
      {
        subject: name,
        from: { name, address: 'weekly@harbour.example' },
        digest: { name: 'weekly', title: name },
        publication: { name, site: 'https://harbour.example' },
      },
      { name },
    )
    expectSound(message)
    expect(headOf(message)).toMatch(/^[\t\r\n\x20-\x7e]*$/)
  })

  test.each(names)('with %s in every name, no line with an encoded word is longer than RFC 2047 allows', (_, name) => {
    const message = raw(
      { subject: name, from: { name, address: 'a@b.example' }, digest: { name: 'w', title: name } },
      { name },
    )
    for (const line of headOf(message)
      .split('\r\n')
      .filter((one) => one.includes('=?')))
      expect(line.length).toBeLessThanOrEqual(76)
  })

  test.each(['\r\n', '\n', '\r', '\r\n ', '\n\n', '\u2028', '\u0085', '\0', '\u000b', '\u000c'])(
    'a name or a subject with %j and a header behind it adds no header and no recipient',
    (end) => {
      const name = `Mira${end}Bcc: tom@example.org${end}${end}<html>`
      const message = raw(
        {
          subject: name,
          from: { name, address: 'weekly@harbour.example' },
          digest: { name: 'weekly', title: name },
          publication: { name, site: 'https://harbour.example' },
        },
        { name },
      )
      expectSound(message)
      const fields = headOf(message)
        .split(/\r\n(?![ \t])/)
        .map((field) => field.split(':')[0])
      expect(fields).toEqual(
        headOf(raw())
          .split(/\r\n(?![ \t])/)
          .map((field) => field.split(':')[0]),
      )
    },
  )

  test('a line end in a name or a subject is read as a blank', async () => {
    const name = 'Mira\r\nKaya\n\u2028of\0Leeds'
    const mail = await simpleParser(
      rawMessage(compose({ subject: name, from: { name, address: 'a@b.example' } }, { name })),
    )
    expect([mail.subject, mail.from?.value[0]?.name, [mail.to].flat()[0]?.value[0]?.name]).toEqual(
      Array(3).fill('Mira Kaya of Leeds'),
    )
  })

  test('no folded line is blank: some readers end the headers there', () => {
    for (const [, name] of subjects)
      for (const line of headOf(raw({ subject: name, from: { name, address: 'a@b.example' } }, { name })).split('\r\n'))
        expect(line).toMatch(/\S/)
  })

  test('a person without a name has an address only', () => {
    for (const name of ['', '   ', '\r\n']) expect(raw({}, { name })).toMatch(/^To: <mira@example\.org>\r\n/m)
  })

  test('its date is that of the copy, in UTC', () => {
    expect(raw({}, { date: '2027-02-03T04:05:06.789Z' })).toMatch(/^Date: Wed, 03 Feb 2027 04:05:06 \+0000\r\n/)
  })
})

describe('to leave', () => {
  const fields = () =>
    headOf(raw())
      .split(/\r\n(?![ \t])/)
      .map((field) => field.replaceAll('\r\n', ''))

  test('there is an https address with the person’s key, and no mailbox that nobody reads (RFC 2369)', () => {
    expect(fields()).toContain(`List-Unsubscribe: <https://letters.harbour.example/leave/${copy.keys.link}>`)
    expect(headOf(raw())).not.toMatch(/mailto:/i)
  })

  test('one click is enough (RFC 8058 §3.1)', () => {
    expect(fields()).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click')
  })
})

describe('for those who sort mail', () => {
  test.each([
    ['Reply-To: editor@harbour.example'],
    ['List-Id: "Harbour Weekly" <harbour-weekly.www.harbour.example>'],
    ['Feedback-ID: harbour-weekly.31:harbour-weekly:harbour-notes-co:lwharbour234'],
    ['Precedence: bulk'],
    [`Message-ID: <${copy.keys.messageId}@harbour.example>`],
    ['MIME-Version: 1.0'],
  ])('there is %s', (field) => {
    expect(
      headOf(raw())
        .split(/\r\n(?![ \t])/)
        .map((one) => one.replaceAll('\r\n', '')),
    ).toContain(field)
  })

  test('Feedback-ID has four plain parts, no two the same, and stays short, whatever the publication is called', () => {
    for (const name of ['日本語', '', ': : :', 'x'.repeat(3000), 'Ünïcode & Söhne', 'Harbour Weekly']) {
      const field = /^Feedback-ID: (.*)\r$/m.exec(raw({ publication: { name, site: 'https://h.example' } }))?.[1] ?? ''
      expect(field).toMatch(/^harbour-weekly\.31:harbour-weekly:[a-z0-9.-]{1,60}:lwharbour234$/)
      expect(new Set(field.split(':')).size).toBe(4)
    }
  })

  test('Feedback-ID says nothing of one reader: it is the same in all copies', () => {
    const fields = [1, 2].map((one) => /^Feedback-ID: .*$/m.exec(raw({}, { keys: keysOf(one) }))?.[0])
    expect(fields[0]).toBe(fields[1])
  })

  test('the list of a site in another script is named in ASCII', () => {
    expect(raw({ publication: { name: 'x', site: 'https://münchen.example/' } })).toContain(
      '<harbour-weekly.xn--mnchen-3ya.example>',
    )
  })

  test('each message says of itself what the envelope and the report say', () => {
    const message = compose()
    const { messageId, envelope } = message
    expect(rawMessage(message).toString()).toContain(`Message-ID: ${messageId}\r\n`)
    expect(envelope).toEqual({ from: `bounces+${copy.keys.returnPath}@post.harbour.example`, to: 'mira@example.org' })
  })
})

describe('the return path', () => {
  const localOf = (address: string) => address.slice(0, address.lastIndexOf('@'))

  test('is personal as long as it fits in 64 octets, and never longer', () => {
    for (let length = 1; length <= 64; length++) {
      const { from } = compose({ returnPath: `${'b'.repeat(length)}@harbour.example` }).envelope
      expect(localOf(from).length).toBeLessThanOrEqual(64)
      expect(from.includes(copy.keys.returnPath)).toBe(length <= 15)
    }
  })

  test('is the same for everybody where it was sealed as such, and personal in what earlier versions sealed', () => {
    const { returnPath } = letter
    expect(compose({ personalReturnPath: false }).envelope.from).toBe(returnPath)
    expect(compose({ personalReturnPath: true }).envelope.from).toContain(copy.keys.returnPath)
    expect(compose().envelope.from).toContain(copy.keys.returnPath)
  })

  test('that leaves no room is used as it is, so that bounces still arrive somewhere', () => {
    const returnPath = 'letters-to-the-editor@harbour.example'
    expect(compose({ returnPath }).envelope.from).toBe(returnPath)
  })
})

describe('two copies', () => {
  const fill = compileMessage(letter)
  const one = rawMessage(fill(copy)).toString()
  const second: RecipientCopy = {
    email: 'tom@example.net',
    name: 'Том',
    keys: keysOf(2),
    date: '2026-11-27T07:00:09.000Z',
  }
  const two = rawMessage(fill(second)).toString()

  test('have no key of their links in a header but List-Unsubscribe, nor in the envelope', () => {
    const { link, messageId, returnPath } = copy.keys
    const head = headOf(one).replace(/^List-Unsubscribe: .*$/m, '')
    expect(head).not.toContain(link)
    expect(fill(copy).envelope.from).not.toContain(link)
    const body = one.slice(one.indexOf('\r\n\r\n')).replaceAll('=\r\n', '')
    expect(body).toContain(link)
    for (const key of [messageId, returnPath]) expect(body).not.toContain(key)
  })

  test('differ in Date, To, Message-ID, List-Unsubscribe and the keys, and in nothing else', () => {
    const shared = (message: string, { link }: RecipientCopy['keys']) =>
      message
        .split(/\r\n(?![ \t])/)
        .filter((line) => !/^(Date|To|Message-ID|List-Unsubscribe):/.test(line))
        .join('\r\n')
        .replaceAll(link, '<key>')
    expect(shared(two, second.keys)).toBe(shared(one, copy.keys))
    expect(one.split('\r\n\r\n').slice(1).join().length).toBe(two.split('\r\n\r\n').slice(1).join().length)
  })

  test('hold their own key, whole, in both bodies, and neither the other’s nor the slot', () => {
    const [, ...parts] = two.split(/^--lw-.*$/m)
    for (const part of parts.slice(0, 2)) expect(part).toContain(`\r\n${second.keys.link}=`)
    for (const key of Object.values(copy.keys)) expect(two).not.toContain(key)
    expect(two).not.toContain(slot)
  })

  test('of a long letter share the memory of what they have in common, and are as if each were made alone', () => {
    const long = (slots: number) => `<p>${'The bridge is open. '.repeat(500)}</p>\n<p>${slot}</p>\n`.repeat(slots)
    const change = { html: long(3), text: long(1) }
    const own: Buffer[] = []
    const free: Buffer[] = []
    const reused = compileMessage({ ...letter, ...change }, (size) => {
      const memory = free.pop() ?? Buffer.alloc(size + 100, 'x')
      own.push(memory)
      return memory
    })
    const first = reused(copy)
    const shared = first.pieces.filter(({ buffer }) => buffer !== own[0]?.buffer)
    expect(shared.length).toBeGreaterThanOrEqual(4)
    expect(rawMessage(first).equals(rawMessage(compose(change)))).toBe(true)
    free.push(own[0] as Buffer)
    const next = reused(second)
    expect(own[1]).toBe(own[0])
    expect(next.pieces.filter((piece) => shared.includes(piece))).toEqual(shared)
    expect(rawMessage(next).equals(rawMessage(compose(change, second)))).toBe(true)
    expect(Buffer.concat(next.pieces).toString('latin1')).toMatch(/\r\n\.\r\n$/)
  })

  test('of one person are the same bytes: a repeated delivery is a repeated message', () => {
    expect(rawMessage(fill(copy)).equals(rawMessage(fill({ ...copy })))).toBe(true)
  })

  test('filled in any order and at the same time do not mix', () => {
    const all = Array.from({ length: 50 }, (_, index) => keysOf(index))
    const messages = all.map((keys) => rawMessage(fill({ ...copy, keys })).toString())
    messages.toReversed().forEach((message, index) => {
      const { link = '', messageId = '' } = all.at(-1 - index) ?? {}
      expect(message.split(link).length - 1).toBe(3) // List-Unsubscribe, text, HTML
      expect(message.split(messageId).length - 1).toBe(1)
    })
  })
})

test('a letter without any slot is whole', async () => {
  const mail = await simpleParser(rawMessage(compose({ text: 'Plain\n', html: '<p>Plain</p>\n' })))
  expect([mail.text, mail.html]).toEqual(['Plain\n', '<p>Plain</p>\n'])
})

test('an address in another script goes out in UTF-8, as RFC 6532 says', () => {
  const message = compose({}, { email: 'мира@xn--e1afmkfd.xn--p1ai', name: '' })
  expect(message.envelope.to).toBe('мира@xn--e1afmkfd.xn--p1ai')
  expect(rawMessage(message).toString('utf8')).toContain('To: <мира@xn--e1afmkfd.xn--p1ai>\r\n')
})
