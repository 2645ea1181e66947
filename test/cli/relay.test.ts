import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { makeHome } from '../support/home.ts'
import { startRelay } from '../support/relay.ts'

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
  expect(stdout).toContain(`127.0.0.1:${relay.port} is ready to take messages, over a connection that is not encrypted`)
  expect(relay.commands.some((line) => line.startsWith('MAIL'))).toBe(false)
})

test('relay judge says what a refusal means, what follows, and which setting answers it', async () => {
  const home = makeHome({ relayPort: 1 })
  closing.push(home.remove)
  const judged = async (reply: string) => (await home.lastword('relay', 'judge', reply)).stdout.split('\n')
  expect(await judged('550 5.1.1 User unknown')).toEqual([
    'no-such-mailbox: there is no such mailbox',
    'refused, and not tried again for this edition; the person is suppressed at once',
    '',
  ])
  expect(await judged('553 5.7.1 Sender address rejected: not owned by user ann')).toEqual([
    'sender-refused: our sender address is refused',
    'deferred; many of them pause the edition',
    expect.stringContaining('relay.personalReturnPath: false'),
    '',
  ])
})

test('relay test asks each of several, or one by its name, and says which will not have us', async () => {
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
  expect((await home.lastword('relay', 'test', 'third')).stderr).toContain('There are: 127.0.0.1, second.')
  home.write('lastword.yml', config + other(1))
  const bad = await home.lastword('relay', 'test')
  expect(bad.code).toBe(1)
  expect(bad.stdout).toContain(`127.0.0.1:${first.port} is ready`)
  expect(bad.stderr).toContain('127.0.0.1:1 will not have us')
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
  expect(stderr).toContain(`127.0.0.1:${port} will not have us: `)
  const secret = Buffer.from('\0mira\0open sesame').toString('base64')
  for (const said of [stdout, stderr]) expect(said).not.toMatch(new RegExp(`open sesame|${secret}`))
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
