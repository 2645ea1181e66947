import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { sqliteUrl } from '../support/databases/engines.ts'
import { approvedEdition } from '../support/edition.ts'
import { makeHome } from '../support/home.ts'
import { startRelay } from '../support/smtp/relay.ts'
import { startPlainRelay, startTlsRelay } from '../support/smtp/tls-relay.ts'
import { openWorld } from '../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

test('relay test shows the dialogue, sends nothing, and says that the relay is ready', async () => {
  const relay = await startRelay()
  closing.push(relay.close)
  const home = makeHome({ relayPort: relay.port })
  closing.push(home.remove)
  const { code, stdout } = await home.lastword('relay', 'test')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^< 220 relay\.test ESMTP\n> EHLO .*\n< 250-relay\.test\n/)
  expect(stdout).toContain(
    `127.0.0.1:${relay.port} is ready to accept messages, over a connection that is not encrypted`,
  )
  expect(relay.commands.some((line) => line.startsWith('DATA'))).toBe(false)
  expect(relay.received).toEqual([])
})

/** A home whose relay is a real server that answers as it is told to; `connections` is set to five. */
async function homeWith(options: Parameters<typeof startPlainRelay>[0], environment: Record<string, string> = {}) {
  const relay = await startPlainRelay({ tls: null, ...options })
  closing.push(relay.close)
  const home = makeHome({ relayPort: relay.port, environment })
  closing.push(home.remove)
  return { relay, home }
}

test('relay test says the envelope that sending would say, on as many connections, and takes it back', async () => {
  const { relay, home } = await homeWith({ ehlo: ['SIZE 50000', 'SMTPUTF8'] })
  const { code, stdout } = await home.lastword('relay', 'test')
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /\n> MAIL FROM:<letters\+[a-z2-7]{48}@magazine\.example>\n< 250 .*\n> RCPT TO:<letters@magazine\.example>\n< 250 .*\n> RSET\n< 250 .*\n/,
  )
  expect(stdout).toContain('it takes messages of at most 50 kB')
  expect(stdout).toContain('it takes 5 connections at a time')
  expect(stdout).not.toContain('Settings to write')
  expect(relay.connections).toBe(5)
  expect(relay.commands.filter((line) => line.startsWith('RCPT')).length).toBe(5)
})

test.each([
  ['in the greeting', (line: string, connection: number) => line === '' && connection > 2],
  ['at MAIL', (line: string, connection: number) => line.startsWith('MAIL') && connection > 2],
  ['at RCPT', (line: string, connection: number) => line.startsWith('RCPT') && connection > 2],
])('relay test finds out how many connections the relay takes, where it refuses one more %s', async (_, isRefused) => {
  const answer = (line: string, connection: number) =>
    isRefused(line, connection) ? '421 4.7.0 too many connections' : undefined
  const { relay, home } = await homeWith({ answer })
  const { code, stdout } = await home.lastword('relay', 'test')
  expect(code).toBe(0)
  expect(stdout).toContain('it takes 2 connections at a time: set relay.connections: 2')
  expect(stdout).toContain('421 4.7.0 too many connections')
  expect(stdout).toMatch(/Settings to write in lastword\.yml:\nrelay:\n {2}connections: 2\n$/)
  expect(relay.connections).toBe(3)
})

test.each(['MAIL', 'RCPT'])(
  'a relay that takes only senders that it knows is found out (it refuses %s)',
  async (verb) => {
    let sender = ''
    const answer = (line: string) => {
      if (line.startsWith('MAIL')) sender = line
      const isOwn = sender.startsWith('MAIL FROM:<letters@magazine.example>')
      return line.startsWith(verb) && !isOwn ? '553 5.7.1 Sender address rejected: not owned by user' : undefined
    }
    const { home } = await homeWith({ answer })
    const { code, stdout, stderr } = await home.lastword('relay', 'test')
    expect(code).toBe(1)
    expect(stderr).toContain('takes letters@magazine.example: set relay.personalReturnPath: false (it said: 553 5.7.1')
    expect(stdout).toMatch(/Settings to write in lastword\.yml:\nrelay:\n {2}personalReturnPath: false\n$/)
  },
)

test('a relay that takes no sender but the mailbox that signs in is found out', async () => {
  const answer = (line: string) => {
    if (line.startsWith('AUTH')) return '235 2.7.0 ok'
    const isOwn = line.startsWith('MAIL FROM:<news@magazine.example>')
    return line.startsWith('MAIL') && !isOwn ? '550 5.7.60 SMTP; Client does not have permissions' : undefined
  }
  const environment = { LASTWORD_RELAY__USER: 'news@magazine.example', LASTWORD_RELAY__PASSWORD: 'open sesame' }
  const { home } = await homeWith({ answer, ehlo: ['AUTH PLAIN'] }, environment)
  const { code, stdout } = await home.lastword('relay', 'test')
  expect(code).toBe(1)
  expect(stdout).toContain('relay:\n  returnPath: news@magazine.example\n  personalReturnPath: false\n')
})

test.each([
  ['554 5.7.1 Relay access denied', 1],
  ['550 5.1.1 User unknown', 0],
  ['450 4.2.0 Greylisted', 0],
])('relay test with the contact address refused (%s) ends with %i', async (reply, wanted) => {
  const answer = (line: string) => (line.startsWith('RCPT') ? reply : undefined)
  const { home } = await homeWith({ answer })
  const { code, stdout, stderr } = await home.lastword('relay', 'test')
  expect([code, (wanted === 0 ? stdout : stderr).includes(reply)]).toEqual([wanted, true])
  if (wanted === 0) expect(stdout).toContain('it takes 5 connections at a time')
})

test('relay test names the setting where TLS does not fit, and prints it', async () => {
  const relay = await startTlsRelay()
  closing.push(relay.close)
  const home = makeHome({ relayPort: relay.port, environment: { LASTWORD_RELAY__TIMEOUT: '1' } })
  closing.push(home.remove)
  const { code, stdout, stderr } = await home.lastword('relay', 'test')
  expect(code).toBe(1)
  expect(stderr).toContain('this port speaks TLS from the first byte: set relay.security: tls')
  expect(stdout).toContain('Settings to write in lastword.yml:\nrelay:\n  security: tls\n')
})

test('relay test says SIZE as sending would, and that the last edition is larger than the relay allows', async () => {
  const world = await openWorld({ storeUrl: sqliteUrl().url })
  closing.push(world.close)
  await approvedEdition(world)
  const { home, relay } = await homeWith({ ehlo: ['SIZE 1000'] }, { LASTWORD_STORE__URL: world.app.config.store.url })
  const { code, stderr } = await home.lastword('relay', 'test')
  expect(code).toBe(1)
  expect(stderr).toMatch(/it takes messages of at most 1000 bytes, and the last edition has \d+ bytes/)
  const size = Number(/has (\d+) bytes/.exec(stderr)?.[1])
  expect(relay.commands.find((line) => line.startsWith('MAIL'))).toMatch(new RegExp(`> SIZE=${size}$`))
})

test('relay test goes on without a store that cannot be opened', async () => {
  const { home } = await homeWith({}, { LASTWORD_STORE__URL: 'file:lastword.yml/lastword.db' })
  const { code, stderr } = await home.lastword('relay', 'test')
  expect(code).toBe(0)
  expect(stderr).toContain('the database cannot be opened, so the size of the last edition is not checked')
})

test('start tries the relay once, warns of what is wrong in the same words, and stays up', async () => {
  const { relay, home } = await homeWith(
    { answer: (line) => (line.startsWith('MAIL') ? '550 5.7.1 Sender address rejected' : undefined) },
    { LASTWORD_WEB__PORT: '0' },
  )
  const { child, ended } = home.begin('start')
  const { promise: warned, resolve } = Promise.withResolvers<void>()
  child.stderr?.on('data', (chunk) => `${chunk}`.includes('relay.check_failed') && resolve())
  await Promise.race([warned, ended])
  expect(child.exitCode).toBeNull()
  child.kill('SIGTERM')
  const { code, stderr } = await ended
  expect(code).toBe(0)
  const line = stderr.split('\n').find((one) => one.includes('relay.check_failed')) ?? '{}'
  expect(JSON.parse(line).msg).toMatch(/^127\.0\.0\.1:\d+: it refuses our sender letters\+.*550 5\.7\.1/)
  expect(relay.connections).toBe(1)
})

test('start does not wait for a relay that never answers', async () => {
  const server = createServer((socket) => socket.on('error', () => {}))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  const connected = new Promise<void>((resolve) => server.once('connection', () => resolve()))
  const { port } = server.address() as { port: number }
  const home = makeHome({ relayPort: port, environment: { LASTWORD_WEB__PORT: '0', LASTWORD_RELAY__TIMEOUT: '600' } })
  closing.push(home.remove)
  await home.lastword('sending', 'stop', '--reason', 'restored from the backup')
  const { child, ended } = home.begin('start')
  await Promise.race([connected, ended])
  child.kill('SIGTERM')
  const { code, stdout, stderr } = await ended
  expect([code, stderr.includes('relay.check_failed')]).toEqual([0, false])
  expect(stderr).toMatch(/all sending has been stopped .*restored from the backup\. .*lastword sending resume/)
  expect(stdout).toContain('Pages: ')
})

test('relay judge says what a refusal means, what follows, and which setting answers it', async () => {
  const home = makeHome({ relayPort: 1 })
  closing.push(home.remove)
  const judged = async (reply: string) => (await home.lastword('relay', 'judge', reply)).stdout.split('\n')
  expect(await judged('550 5.1.1 User unknown')).toEqual([
    'no-such-mailbox: there is no such mailbox',
    'refused, and not retried for this edition; the person is suppressed at once',
    '',
  ])
  expect(await judged('553 5.7.1 Sender address rejected: not owned by user ann')).toEqual([
    'sender-refused: our sender address is refused',
    'deferred; many such replies pause the edition',
    expect.stringContaining('relay.personalReturnPath: false'),
    '',
  ])
  for (const later of ['450 4.2.0 Greylisted, try again', '421 4.7.0 Try again later', '452 4.2.2 Mailbox full'])
    expect(await judged(later)).toEqual(['temporary: deferred, and retried later', ''])
  for (const text of ['hello', '', '5501 no', 'say 550'])
    expect(await home.lastword('relay', 'judge', text)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('is no SMTP reply'),
    })
})

test('with --json relay judge and relay test print nothing but JSON', async () => {
  const { home, relay } = await homeWith({ ehlo: ['SIZE 1000000'] }, {})
  const judged = await home.lastword('relay', 'judge', '553 5.7.1 Sender address rejected', '--json')
  expect(JSON.parse(judged.stdout)).toMatchObject({ cause: 'sender-refused', suppresses: 'never' })
  const tested = await home.lastword('relay', 'test', '--json')
  expect(tested.stderr).toContain('> MAIL FROM')
  expect(JSON.parse(tested.stdout)).toMatchObject({ port: relay.port, problem: null, change: {} })
  home.write('lastword.yml', readFileSync(join(home.folder, 'lastword.yml'), 'utf8').replace(/port: \d+/, 'port: 1'))
  const failed = await home.lastword('relay', 'test', '--json')
  expect(failed.code).toBe(1)
  expect(JSON.parse(failed.stdout)).toMatchObject({ problem: expect.stringContaining('ECONNREFUSED') })
})

test.each([
  ['552 5.3.4 Message size exceeds fixed limit', 'the last edition is too large for it'],
  ['530 5.7.0 Must issue a STARTTLS command first', 'it wants TLS first: set relay.security to starttls'],
])('relay test blames no sender for %s', async (reply, sentence) => {
  const relay = await startRelay((stage) => (stage === 'MAIL' ? reply : undefined))
  const home = makeHome({ relayPort: relay.port })
  closing.push(relay.close, home.remove)
  const { code, stderr } = await home.lastword('relay', 'test')
  expect([code, stderr]).toEqual([1, expect.stringContaining(sentence)])
  expect(stderr).not.toContain('our sender')
})

test('relay test asks each of several, or one by its name, and says which refuses us', async () => {
  const [first, second] = [await startRelay(), await startRelay()]
  closing.push(first.close, second.close)
  const home = makeHome({ relayPort: first.port })
  closing.push(home.remove)
  const other = (port: number) => `relays: [{ name: second, host: 127.0.0.1, port: ${port}, security: none }]\n`
  const config = readFileSync(join(home.folder, 'lastword.yml'), 'utf8')
  home.write('lastword.yml', config + other(second.port))
  const both = await home.lastword('relay', 'test')
  expect(both.code).toBe(0)
  expect(both.stdout).toContain(`127.0.0.1:${first.port} is ready`)
  expect(both.stdout).toContain(`second:\n< 220 relay.test`)
  const one = await home.lastword('relay', 'test', 'second')
  expect(one.stdout).not.toContain(`127.0.0.1:${first.port}`)
  expect((await home.lastword('relay', 'test', 'third')).stderr).toContain('Relays: 127.0.0.1, second.')
  home.write('lastword.yml', config + other(1))
  const bad = await home.lastword('relay', 'test')
  expect(bad.code).toBe(1)
  expect(bad.stdout).toContain(`127.0.0.1:${first.port} is ready`)
  expect(bad.stderr).toContain('127.0.0.1:1 refuses us')
})

test('relay test says what the relay has against us, and shows no password', async () => {
  const relay = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      socket.write(/^EHLO/.test(chunk.toString()) ? '250-here\r\n250 AUTH PLAIN\r\n' : '535 5.7.8 who are you?\r\n')
    })
    socket.write('220 here\r\n')
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  closing.push(() => relay.close())
  const { port } = relay.address() as { port: number }
  const environment = { LASTWORD_RELAY__USER: 'mira', LASTWORD_RELAY__PASSWORD: 'open sesame' }
  const home = makeHome({ relayPort: port, environment })
  closing.push(home.remove)
  const { code, stdout, stderr } = await home.lastword('relay', 'test')
  expect(code).toBe(1)
  expect(stdout).toContain('> AUTH PLAIN')
  expect(stderr).toContain(`127.0.0.1:${port} refuses us: `)
  const secret = Buffer.from('\0mira\0open sesame').toString('base64')
  for (const said of [stdout, stderr]) expect(said).not.toMatch(new RegExp(`open sesame|${secret}`))
})

test('a relay that repeats the sign-in gets none of it printed, by relay test or in the log of start', async () => {
  const relay = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      const line = chunk.toString().trim()
      const isHello = /^EHLO/.test(line)
      const encoded = line.split(' ').at(-1) ?? ''
      const words = Buffer.from(encoded, 'base64').toString().split('\0').join('|')
      const half = encoded.slice(0, 18)
      socket.write(isHello ? '250-here\r\n250 AUTH PLAIN\r\n' : `535-no: ${line}\r\n535-${half}\r\n535 ${words}\r\n`)
    })
    socket.write('220 here\r\n')
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  closing.push(() => relay.close())
  const { port } = relay.address() as { port: number }
  const environment = {
    LASTWORD_RELAY__USER: 'mira',
    LASTWORD_RELAY__PASSWORD: 'open sesame',
    LASTWORD_WEB__PORT: '0',
  }
  const home = makeHome({ relayPort: port, environment })
  closing.push(home.remove)
  const { stdout, stderr } = await home.lastword('relay', 'test')
  const { child, ended } = home.begin('start')
  child.stderr?.on('data', (chunk) => `${chunk}`.includes('relay.check_failed') && child.kill('SIGTERM'))
  const log = (await ended).stderr
  expect(log).toContain('535')
  const encoded = Buffer.from('\0mira\0open sesame').toString('base64')
  for (const said of [stdout, stderr, log]) {
    expect(said).not.toContain('open sesame')
    expect(said).not.toContain(encoded.slice(0, 18))
  }
})

test.each([
  [['--recipients', 'many'], '--recipients many: expected a whole number'],
  [['--kills', '-1'], '--kills -1: expected a whole number'],
  [['--unknown', 'guess'], '--unknown guess: expected repeat or hold'],
])('drill with %j is refused before anything begins', async (options, why) => {
  const home = makeHome()
  closing.push(home.remove)
  const { code, stdout, stderr } = await home.lastword('drill', ...options)
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toContain(why)
})

test.each([
  ['a password file that is not there', 'passwordFile: nope/secret', 'relay.passwordFile: nope/secret cannot be read'],
  ['no password', '', 'relay.user is set and there is no password'],
])('relay test does not blame a relay that was never asked: with %s', async (_, password, reason) => {
  const relay = await startRelay()
  const home = makeHome({ relayPort: relay.port })
  closing.push(relay.close, home.remove)
  const text = readFileSync(join(home.folder, 'lastword.yml'), 'utf8')
  home.write('lastword.yml', text.replace('relay:\n', `relay:\n  user: mira\n  ${password}\n`))
  const { code, stderr } = await home.lastword('relay', 'test')
  expect(code).toBe(1)
  expect(stderr).toContain(`cannot sign in to 127.0.0.1:${relay.port}: `)
  expect(stderr).toContain(reason)
  expect(stderr).not.toContain('refuses us')
})
