import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createTransport } from 'nodemailer'
import { SMTPServer } from 'smtp-server'
import { afterEach, describe, expect, test } from 'vitest'
import { configSchema } from '../../../src/config/config.ts'
import { Relay } from '../../../src/deliveries/relays/relay.ts'
import { localhostContext, secureServerSocket, trustLocalhost } from '../../../src/demo/localhost-tls.ts'
import { compileMessage, rawMessage } from '../../../src/mail/mime.ts'
import { SmtpSession } from '../../../src/mail/smtp/smtp-session.ts'
import { answerText } from '../../support/answer-text.ts'
import { sameKeys } from '../../support/keys.ts'
import { type Security, startRelay } from '../../support/smtp/relay.ts'
import { greeted, startTlsSink } from '../../support/smtp/tls-sink.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const slot = 'k'.repeat(48)
const fill = compileMessage({
  editionId: '0190b7c0-0000-7000-8000-000000000031',
  senderId: 'lwmagazine234',
  number: 31,
  digest: { name: 'weekly', title: 'The Weekly' },
  publication: { name: 'Magazine', site: 'https://magazine.example' },
  webUrl: 'https://letters.magazine.example',
  from: { name: 'The Weekly', address: 'weekly@magazine.example' },
  replyTo: 'letters@magazine.example',
  returnPath: 'bounces@magazine.example',
  subject: 'Größe: the bridge is open',
  html: `<p>.dot\n.\n..\nFrom here\n${'wide '.repeat(2000)}\n${slot}</p>\n`,
  text: `.\n..\n.dot\n\n.\n${slot}\n.`,
  slot,
})
const copyFor = (email: string, name = 'Mira Kaya') =>
  fill({ email, name, keys: sameKeys('a2'.repeat(24)), date: '2026-11-27T07:00:00.000Z' })
const letter = copyFor('mira@readers.example')

function relayAt(port: number, settings: object = {}) {
  const relay = new Relay(settingsOf(port, settings))
  closing.push(() => relay.close())
  return relay
}

function settingsOf(port: number, settings: object = {}) {
  return configSchema.parse({
    publication: { name: 'M', site: 'https://m.example', contact: 'a@m.example', address: 'M' },
    relay: { host: '127.0.0.1', port, security: 'none', timeout: 2, ...settings },
  }).relay
}

test('the bytes on the wire are those of nodemailer’s own sendMail for the same message', async () => {
  const server = await startRelay()
  closing.push(server.close)
  const transport = createTransport({ host: '127.0.0.1', port: server.port, secure: false, ignoreTLS: true })
  await transport.sendMail({ envelope: letter.envelope, raw: rawMessage(letter) })
  const byNodemailer = server.commands.filter((line) => /^(MAIL|RCPT|DATA)/.test(line))
  server.commands.length = 0
  await relayAt(server.port).send(letter)
  const byUs = server.commands.filter((line) => /^(MAIL|RCPT|DATA)/.test(line))
  const [theirs, ours] = server.accepted
  expect(ours?.raw.equals(theirs?.raw ?? Buffer.alloc(0))).toBe(true)
  expect([ours?.from, ours?.to]).toEqual([theirs?.from, theirs?.to])
  expect(byUs).toEqual(byNodemailer)
})

test('a raw message with dots, bare CR and bare LF goes out as nodemailer would send it', async () => {
  const server = await startRelay()
  closing.push(server.close)
  const raw = Buffer.from('Subject: one\r\n\r\n.\n..\r.\r\n\r\n.end\r.\n.')
  const transport = createTransport({ host: '127.0.0.1', port: server.port, secure: false, ignoreTLS: true })
  await transport.sendMail({ envelope: letter.envelope, raw })
  await relayAt(server.port).send({ envelope: letter.envelope, raw })
  expect(server.accepted[1]?.raw.toString()).toBe(server.accepted[0]?.raw.toString())
})

test('where PIPELINING is offered, the envelope goes in one write, and the message waits for 354', async () => {
  const { port, chunks } = await scripted({
    MAIL: ['250 ok\r\n250 ok\r\n', '354 go\r\n'],
    message: ['250 taken\r\n'],
  })
  expect(await relayAt(port).send(letter)).toEqual({ kind: 'accepted', reply: '250 taken' })
  expect(chunks[1]).toBe(`MAIL FROM:<${letter.envelope.from}>\r\nRCPT TO:<mira@readers.example>\r\nDATA\r\n`)
})

describe('the next envelope', () => {
  const second = copyFor('tom@readers.example')
  const verbs = (lines: string[]) => lines.map((line) => line.split(/[ :]/)[0])

  test('goes behind the final dot, and its message only when it is sent', async () => {
    const server = await startRelay()
    closing.push(server.close)
    const session = relayAt(server.port).session()
    await session.send(letter, second)
    await server.untilCommands(7)
    expect(verbs(server.commands)).toEqual(['EHLO', 'MAIL', 'RCPT', 'DATA', 'MAIL', 'RCPT', 'DATA'])
    expect(server.received).toHaveLength(1)
    expect(await session.send(second)).toMatchObject({ kind: 'accepted' })
    expect(server.accepted.map(({ to }) => to)).toEqual(['mira@readers.example', 'tom@readers.example'])
    expect(server.commands).toHaveLength(7)
    session.release()
  })

  test('waits where PIPELINING is not offered, and behind the last message of a connection', async () => {
    const plain = await startRelay((stage) => (stage === 'EHLO' ? '250 relay.test' : undefined))
    const last = await startRelay()
    closing.push(plain.close, last.close)
    await relayAt(plain.port).session().send(letter, second)
    await relayAt(last.port, { messagesPerConnection: 1 }).session().send(letter, second)
    expect(verbs(plain.commands)).toEqual(['EHLO', 'MAIL', 'RCPT', 'DATA'])
    expect(verbs(last.commands).slice(0, 4)).toEqual(['EHLO', 'MAIL', 'RCPT', 'DATA'])
    expect(last.commands.filter((line) => line.startsWith('MAIL'))).toHaveLength(1)
  })

  test.each([
    'is given up when nobody may send to them: not a byte of a message goes',
    'gives way when another message comes first',
  ])('%s', async (_) => {
    const server = await startRelay()
    closing.push(server.close)
    const session = relayAt(server.port).session()
    await session.send(letter, second)
    await server.untilCommands(7)
    if (_.startsWith('gives way')) await session.send(copyFor('ada@readers.example'))
    session.release()
    await relayAt(server.port).send(copyFor('eve@readers.example'))
    expect(server.received.map(({ to }) => to)).not.toContain('tom@readers.example')
    expect(server.received.map(({ raw }) => raw.includes('QUIT'))).not.toContain(true)
  })

  test('that is refused is told with its message, and the one after that goes through', async () => {
    const server = await startRelay((stage, { to }) =>
      stage === 'RCPT' && to.startsWith('tom') ? '550 5.1.1 no such user' : undefined,
    )
    closing.push(server.close)
    const session = relayAt(server.port).session()
    const third = copyFor('ada@readers.example')
    expect(await session.send(letter, second)).toMatchObject({ kind: 'accepted' })
    expect(await session.send(second, third)).toEqual({ kind: 'refused', reply: '550 5.1.1 no such user' })
    expect(await session.send(third)).toMatchObject({ kind: 'accepted' })
    session.release()
  })
})

test('a message that is cut off while it is still being written is not out: the final dot never left', async () => {
  const { port } = await scripted({ MAIL: ['250 ok\r\n250 ok\r\n354 go\r\n'], begun: ['-'] })
  const raw = Buffer.alloc(30_000_000, 'more than any kernel takes at once\r\n')
  expect(await relayAt(port).send({ envelope: letter.envelope, raw })).toMatchObject({ kind: 'cut' })
})

describe.each(['none', 'starttls', 'tls'] as const)(
  'a relay that answers before it has read the message (security: %s)',
  (security) => {
    const large = { envelope: letter.envelope, raw: Buffer.alloc(30_000_000, 'more than any kernel takes at once\r\n') }

    test.each([
      ['250 2.0.0 taken', 'unknown'],
      ['552 5.3.4 too large', 'rejected'],
    ])('and says %s: it is %s, and nothing more goes over that connection', async (answer, kind) => {
      const server = await hasty(security, answer)
      const relay = relayAt(server.port, { ...trustLocalhost, security, timeout: 10 })
      const result = await relay.send(large)
      expect(result).toMatchObject({ kind, reply: expect.stringContaining(answer) })
      await relay.send(letter)
      expect(server.connections()).toBe(2)
    })
  },
)

test('where it is not, each command waits for the answer to the one before', async () => {
  const { port, chunks } = await scripted({
    EHLO: ['250 plain\r\n'],
    MAIL: ['250 ok\r\n'],
    RCPT: ['250 ok\r\n'],
    DATA: ['354 go\r\n'],
    message: ['250 taken\r\n'],
  })
  expect(await relayAt(port).send(letter)).toMatchObject({ kind: 'accepted' })
  expect(chunks.slice(1, 4).map((chunk) => chunk.slice(0, 4))).toEqual(['MAIL', 'RCPT', 'DATA'])
})

test('replies in several lines and in any pieces are put together, each to its command', async () => {
  const { port } = await scripted({
    MAIL: ['250-o', 'k\r\n25', '0 ok\r', '\n250 ok\r\n35', '4 go\r\n'],
    message: ['250-2.0.0 first\r\n', '250 2.0.0 größer\n'],
  })
  expect(await relayAt(port).send(letter)).toEqual({ kind: 'accepted', reply: '250-2.0.0 first 250 2.0.0 größer' })
})

describe('judged exactly:', () => {
  const cases: [string, Record<string, string[]>, string][] = [
    ['refused at RCPT', { MAIL: ['250 ok\r\n550 5.1.1 unknown\r\n503 no\r\n'] }, 'refused'],
    [
      'refused at RCPT, 354 all the same',
      { MAIL: ['250 ok\r\n550 no\r\n354 go\r\n'], '.': ['554 none\r\n'] },
      'refused',
    ],
    ['refused at MAIL, RCPT and DATA taken', { MAIL: ['550 no\r\n250 ok\r\n354 go\r\n'] }, 'rejected'],
    ['refused at RCPT, and cut before the answer to DATA', { MAIL: ['250 ok\r\n550 no\r\n', '-'] }, 'refused'],
    ['cut after MAIL', { MAIL: ['250 ok\r\n', '-'] }, 'cut'],
    ['cut at 354', { MAIL: ['250 ok\r\n250 ok\r\n', '-'] }, 'cut'],
    ['cut in the middle of a reply', { MAIL: ['250 ok\r\n250 ok\r\n35', '-'] }, 'cut'],
    ['not SMTP at all', { MAIL: ['<html>hello</html>\r\n'] }, 'cut'],
    ['a reply of two codes', { MAIL: ['250-ok\r\n550 no\r\n'] }, 'cut'],
    ['421 at MAIL', { MAIL: ['421 closing\r\n', '-'] }, 'cut'],
    ['250 instead of 354', { MAIL: ['250 ok\r\n250 ok\r\n250 ok\r\n'] }, 'cut'],
    ['503 at RCPT: out of step', { MAIL: ['250 ok\r\n503 what?\r\n503 what?\r\n'] }, 'cut'],
    ['cut after the dot', { message: ['-'] }, 'unknown'],
    ['cut in the middle of the last reply', { message: ['250 2.0', '-'] }, 'unknown'],
    ['silent after the dot', { message: [] }, 'unknown'],
    ['deferred after the dot', { message: ['451 later\r\n'] }, 'deferred'],
    ['refused after the dot', { message: ['554 5.6.0 no\r\n'] }, 'refused'],
    ['421 after the dot', { message: ['421 closing\r\n', '-'] }, 'cut'],
    ['not SMTP after the dot', { message: ['thanks\r\n'] }, 'unknown'],
    ['accepted, and closed at once', { message: ['250 taken\r\n', '-'] }, 'accepted'],
  ]
  test.each(cases)('%s', async (_, script, kind) => {
    const { port } = await scripted({ MAIL: ['250 ok\r\n250 ok\r\n354 go\r\n'], ...script })
    expect(await relayAt(port, { timeout: 0.5 }).send(letter)).toMatchObject({ kind })
  })

  test('421 after the dot, and not closed: the next message goes over a new connection', async () => {
    const { port, chunks } = await scripted({
      MAIL: ['250 ok\r\n250 ok\r\n354 go\r\n'],
      message: ['421 closing\r\n'],
    })
    const relay = relayAt(port)
    expect(await relay.send(letter)).toMatchObject({ kind: 'cut' })
    expect(await relay.send(letter)).toMatchObject({ kind: 'cut' })
    expect(chunks.map((chunk) => chunk.slice(0, 4))).toEqual(['EHLO', 'MAIL', 'EHLO', 'MAIL'])
  })

  test('what comes after a refusal begins with a clean transaction', async () => {
    const server = await startRelay((stage, { to }) =>
      stage === 'RCPT' && to === 'tom@x.example' ? '550 no' : undefined,
    )
    closing.push(server.close)
    const relay = relayAt(server.port)
    expect(await relay.send(copyFor('tom@x.example'))).toMatchObject({ kind: 'refused' })
    expect(await relay.send(letter)).toMatchObject({ kind: 'accepted' })
    expect(server.commands.map((line) => line.slice(0, 4))).toEqual(
      ['EHLO', 'MAIL', 'RCPT', 'DATA', 'RSET', 'MAIL', 'RCPT', 'DATA'], // biome-ignore format: as spoken
    )
  })
})

describe('nothing from outside can speak SMTP:', () => {
  test.each(['\r\n', '\n', '\r', '\0', '<', '>', ' '])(
    'an address with %j in it is refused and never said',
    async (sign) => {
      const server = await startRelay()
      closing.push(server.close)
      const evil = `mira@x.example${sign}RCPT TO:tom@y.example`
      const relay = relayAt(server.port)
      expect(await relay.send(copyFor(evil))).toMatchObject({ kind: 'refused' })
      expect(await relay.send({ ...letter, envelope: { from: evil, to: 'a@b.example' } })).toMatchObject({
        kind: 'refused',
      })
      expect(server.commands.filter((line) => !line.startsWith('EHLO'))).toEqual([])
    },
  )

  const ends = ['\n.\r\n', '\r\n.\r\n', '\r.\r', '\n.\n', '\r.\r\n', '\r\n.\n', '\0.\r\n']
  test.each(ends)('%j in any field ends no message: the wire holds no bare CR or LF and one final dot', (end) => {
    const evil = `x${end}MAIL FROM:<a@b.example>${end}`
    const sealed = compileMessage({
      editionId: evil,
      senderId: 'lwmagazine234',
      number: 31,
      digest: { name: 'weekly', title: evil },
      publication: { name: evil, site: 'https://magazine.example' },
      webUrl: 'https://letters.magazine.example',
      from: { name: evil, address: 'weekly@magazine.example' },
      replyTo: `letters@magazine.example${evil}`,
      returnPath: 'bounces@magazine.example',
      subject: evil,
      html: `${evil}${slot}${evil}`,
      text: `${evil}${slot}${evil}`,
      slot,
    })
    const { pieces } = sealed({
      email: `a@b.example${evil}`,
      name: evil,
      keys: sameKeys('a2'.repeat(24)),
      date: '2026-11-27T07:00:00.000Z',
    })
    const text = Buffer.concat(pieces).toString('latin1')
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    expect(text.indexOf('\r\n.')).toBe(text.length - '\r\n.\r\n'.length)
  })
})

test('an address in another script is not sent to a relay that does not take it', async () => {
  const { port, chunks } = await scripted({})
  const result = await relayAt(port).send(copyFor('мира@x.example'))
  expect(result).toEqual({
    kind: 'unfit',
    lacks: 'SMTPUTF8',
    reply: '',
    reason: { code: 'no-smtputf8', address: 'мира@x.example' },
  })
  expect(chunks.slice(1).join('')).not.toContain('MAIL')
})

describe('over STARTTLS', () => {
  const pem = 'fixtures/tls/localhost.pem'
  async function secureServer() {
    const taken: string[] = []
    const server = new SMTPServer({
      key: readFileSync('fixtures/tls/localhost.key'),
      cert: readFileSync(pem),
      authOptional: true,
      onData(stream, { secure }, done) {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          taken.push(`${secure ? 'secure' : 'plain'}\n${Buffer.concat(chunks)}`)
          done()
        })
      },
    })
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
    server.on('error', () => {})
    closing.push(() => new Promise((resolve) => server.close(() => resolve(undefined))))
    return { port: (server.server.address() as { port: number }).port, taken }
  }

  test('with a certificate that is trusted, messages go encrypted, one after another', async () => {
    const { port, taken } = await secureServer()
    const settings = settingsOf(port, { host: 'localhost', security: 'starttls' })
    const source = `
      import { Relay } from './src/deliveries/relays/relay.ts'
      const relay = new Relay(${JSON.stringify(settings)})
      const raw = Buffer.from('Subject: one\\r\\n\\r\\n' + 'wide '.repeat(20000) + '\\r\\n')
      const kinds = []
      for (const to of ['a@x.example', 'b@x.example']) kinds.push((await relay.send({ envelope: { from: 'c@x.example', to }, raw })).kind)
      relay.close()
      console.log(kinds.join())`
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e', source],
      { env: { ...process.env, NODE_EXTRA_CA_CERTS: pem } },
    )
    expect(stdout.trim()).toBe('accepted,accepted')
    expect(taken.map((one) => one.split('\n')[0])).toEqual(['secure', 'secure'])
  })

  test('with a certificate that nobody vouches for, nothing goes', async () => {
    const { port, taken } = await secureServer()
    const result = await relayAt(port, { host: 'localhost', security: 'starttls' }).send(letter)
    expect(result).toMatchObject({ kind: 'unsent', reply: '' })
    expect(answerText(result)).toContain('self-signed')
    expect(taken).toEqual([])
  })

  const offers = { pipelining: true, utf8: false, size: false }

  test('a relay that answers at once is believed: each answer came after its message', async () => {
    const sink = await startTlsSink()
    closing.push(sink.close)
    const session = new SmtpSession(await greeted(sink.port), offers)
    const kinds: Record<string, number> = {}
    for (let sent = 0; sent < 400; sent++) {
      await nextTurn() // as after a commit: what is written now is reported after the network was read once more
      const { kind } = await session.send(letter, sent < 399 ? letter : undefined)
      kinds[kind] = (kinds[kind] ?? 0) + 1
    }
    expect(kinds).toEqual({ accepted: 400 })
    await session.quit()
  })

  test('a relay that has a message whole and resets the connection leaves it unknown, each time', async () => {
    const sink = await startTlsSink({ dropAt: 2 })
    closing.push(sink.close)
    const kinds: Record<string, number> = {}
    for (let sent = 0; sent < 40; sent++) {
      const session = new SmtpSession(await greeted(sink.port), offers)
      await session.send(letter, letter)
      await nextTurn()
      const { kind } = await session.send(letter)
      kinds[kind] = (kinds[kind] ?? 0) + 1
    }
    expect(kinds).toEqual({ unknown: 40 })
  })

  test('that is offered and then broken, nothing goes', async () => {
    const { port, chunks } = await scripted({
      EHLO: ['250-here\r\n250 STARTTLS\r\n'],
      STAR: ['220 go\r\n', 'this is no TLS\r\n', '-'],
    })
    expect(await relayAt(port, { security: 'starttls' }).send(letter)).toMatchObject({ kind: 'unsent' })
    expect(chunks.join('')).not.toContain('MAIL')
  })
})

/** A server that says, to what begins with four letters (or to the whole message), the pieces written down; `-` cuts. */
async function scripted(script: Record<string, string[]>) {
  const chunks: string[] = []
  const say = async (socket: Socket, pieces: string[]) => {
    for (const piece of pieces) {
      if (piece === '-') return socket.destroy()
      await new Promise((resolve) => socket.write(piece, resolve))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const usual: Record<string, string[]> = { EHLO: ['250-here\r\n250 PIPELINING\r\n'], RSET: ['250 ok\r\n'] }
  const server = createServer((socket) => {
    let message = ''
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1')
      if (/^([A-Z]{4}|\.\r)/.test(text) && message === '') {
        chunks.push(text)
        const verb = text.startsWith('.') ? '.' : text.slice(0, 4)
        void say(socket, script[verb] ?? usual[verb] ?? [])
        return
      }
      message += text
      if (script.begun) return void say(socket, script.begun)
      if (!message.endsWith('\r\n.\r\n')) return
      message = ''
      void say(socket, script.message ?? [])
    })
    socket.write('220 here\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  return { port: (server.address() as { port: number }).port, chunks }
}

/** A server that gives that answer to the first bytes of a message, and reads no more of it. */
async function hasty(security: Security, answer: string) {
  let connections = 0
  const replies: Record<string, string> = {
    EHLO: '250-here\r\n250-PIPELINING\r\n250 8BITMIME\r\n',
    MAIL: '250 ok\r\n250 ok\r\n354 go\r\n',
  }
  const converse = (socket: Socket, isSecured: boolean) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      const verb = chunk.toString('latin1', 0, 4)
      if (verb === 'EHLO' && security === 'starttls' && !isSecured) socket.write('250-here\r\n250 STARTTLS\r\n')
      else if (verb === 'STAR') {
        socket.write('220 go\r\n')
        socket.removeAllListeners('data')
        converse(secureServerSocket(socket, localhostContext()), true)
      } else if (replies[verb]) socket.write(replies[verb])
      else socket.pause().write(`${answer}\r\n`)
    })
  }
  const server = createServer((raw) => {
    connections += 1
    const socket = security === 'tls' ? secureServerSocket(raw, localhostContext()) : raw
    closing.push(() => raw.destroy())
    converse(socket, security === 'tls')
    socket.write('220 here\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  return { port: (server.address() as { port: number }).port, connections: () => connections }
}
