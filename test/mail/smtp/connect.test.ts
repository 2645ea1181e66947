import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { configSchema } from '../../../src/config/config.ts'
import { connect } from '../../../src/mail/smtp/connect.ts'
import { certificates, startPlainRelay, startTlsRelay } from '../../support/smtp/tls-relay.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function settingsOf(port: number, settings: object = {}, relays: object[] = []) {
  return configSchema.parse({
    publication: { name: 'M', site: 'https://m.example', contact: 'a@m.example', address: 'M' },
    relay: { host: '127.0.0.1', port, timeout: 2, ...settings },
    relays,
  })
}

async function opened<T extends { close(): void }>(starting: Promise<T>): Promise<T> {
  const server = await starting
  closing.push(server.close)
  return server
}

/** A server of bare bytes. */
async function rawServer(serve: (socket: Socket) => void) {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as { port: number }).port, sockets }
}

/** Connects, and returns `connected` or the words of the error. */
async function outcome(port: number, settings: object = {}): Promise<string> {
  try {
    const session = await connect(settingsOf(port, settings).relay)
    void session.quit()
    return 'connected'
  } catch (error) {
    const { name, message } = error as Error
    expect(message).not.toMatch(/SSL routines|[0-9A-F]{8}:error|NODE_|node\.js|use-system-ca|^\s|\n|\.ts/i)
    return `${name}: ${message}`
  }
}

const ca = 'fixtures/tls/ca.pem'
const tlsServerName = 'mail.relay.example'
const trusted = { ca, tlsServerName }

describe('with the settings that fit', () => {
  test.each([
    ['tls', startTlsRelay],
    ['starttls', startPlainRelay],
  ] as const)('%s: an own CA and the name in the certificate are trusted', async (security, start) => {
    const { port, commands } = await opened(start())
    expect(await outcome(port, { security, ...trusted })).toBe('connected')
    expect(commands.filter((line) => line.startsWith('EHLO')).length).toBe(security === 'tls' ? 1 : 2)
  })

  test.each([
    'fixtures/tls/relay.pem',
    readFileSync(ca, 'utf8'),
    `${readFileSync('fixtures/tls/localhost.pem', 'utf8')}\n${readFileSync(ca, 'utf8')}`,
  ])('the certificate itself, PEM text, and one of several certificates are trusted', async (text) => {
    const { port } = await opened(startTlsRelay())
    expect(await outcome(port, { security: 'tls', ca: text, tlsServerName })).toBe('connected')
  })

  test('the name of tlsServerName goes to the relay as SNI', async () => {
    const names: string[] = []
    const SNICallback = (name: string, done: (error: null) => void) => {
      names.push(name)
      done(null)
    }
    const { port } = await opened(startTlsRelay({ tls: { ...certificates.relay, SNICallback } }))
    await outcome(port, { security: 'tls', ...trusted })
    expect(names).toEqual([tlsServerName])
  })

  test.each(['news.magazine.example', '[192.0.2.1]'])('EHLO says %s where helo does', async (helo) => {
    const { port, commands } = await opened(startPlainRelay({ tls: null }))
    await outcome(port, { security: 'none', helo })
    expect(commands[0]).toBe(`EHLO ${helo}`)
  })
})

describe('a mistake in TLS is one sentence with the setting to change:', () => {
  test('starttls, or none, on a port that speaks TLS from the first byte, found out before the time limit', async () => {
    const { port } = await opened(startTlsRelay())
    const words = 'ConnectError: this port speaks TLS from the first byte: set relay.security: tls'
    for (const security of ['starttls', 'none']) expect(await outcome(port, { security })).toBe(words)
  })

  test('the same where the relay wants a newer version of TLS than the one that asks, and for one of several', async () => {
    const { port } = await opened(startTlsRelay({ tls: { ...certificates.relay, minVersion: 'TLSv1.3' } }))
    const { relays } = settingsOf(1, {}, [{ name: 'spare', host: '127.0.0.1', port, timeout: 2 }])
    await expect(connect(relays[0] as never)).rejects.toThrow('set security of the relay spare: tls')
  })

  test('tls on a port that does not speak it from the first byte', async () => {
    const { port } = await opened(startPlainRelay())
    expect(await outcome(port, { security: 'tls', ...trusted })).toBe(
      'ConnectError: this port does not speak TLS from the first byte: set relay.security: starttls',
    )
  })

  test('starttls where it is not offered: nothing but EHLO was said', async () => {
    const { port, commands } = await opened(startPlainRelay({ tls: null, ehlo: ['AUTH PLAIN'] }))
    const words = await outcome(port, { security: 'starttls', user: 'mira', password: 'open sesame' })
    expect(words).toContain('it offers no STARTTLS on this port, so nothing would be encrypted')
    expect(words).toContain('set relay.security: none')
    expect(commands.map((line) => line.split(' ')[0])).toEqual(['EHLO'])
  })

  test('starttls that is offered and cannot be had now', async () => {
    const answer = (line: string) => (line === 'STARTTLS' ? '454 4.7.0 TLS not available' : undefined)
    const { port } = await opened(startPlainRelay({ answer }))
    expect(await outcome(port)).toContain('it offers STARTTLS and cannot do it now: 454 4.7.0 TLS not available')
  })

  test('starttls that is no TLS', async () => {
    const { port } = await rawServer((socket) => {
      socket.write('220 here\r\n')
      socket.on('data', (chunk) => {
        if (/^EHLO/.test(`${chunk}`)) socket.write('250-here\r\n250 STARTTLS\r\n')
        else socket.write(/^STAR/.test(`${chunk}`) ? '220 go\r\n' : 'this is no TLS\r\n')
      })
    })
    expect(await outcome(port)).toContain('it offers STARTTLS, and then does not speak TLS')
  })

  test.each([
    ['tls', startTlsRelay],
    ['starttls', startPlainRelay],
  ] as const)(
    '%s with a CA that nobody knows, a self-signed certificate, and an expired one',
    async (security, start) => {
      const own = await opened(start())
      const unknown = await outcome(own.port, { security, tlsServerName })
      expect(unknown).toMatch(
        /its certificate is signed by a CA that this machine does not trust: set relay\.ca to a PEM file of that CA/,
      )
      const alone = await opened(start({ tls: certificates.localhost }))
      const selfSigned = await outcome(alone.port, { security, tlsServerName: 'localhost' })
      expect(selfSigned).toMatch(/its certificate is self-signed.*set relay\.ca to a PEM file of that certificate/)
      const late = await opened(start({ tls: certificates.expired }))
      expect(await outcome(late.port, { security, ...trusted })).toContain('its certificate has expired')
      for (const { commands } of [own, alone, late])
        expect(commands.some((line) => /^(MAIL|AUTH)/.test(line))).toBe(false)
    },
  )

  test.each([
    ['tls', startTlsRelay],
    ['starttls', startPlainRelay],
  ] as const)('%s with a certificate for other names, which are named', async (security, start) => {
    const { port } = await opened(start())
    const words = 'its certificate is for mail.relay.example, smtp.relay.example and not for'
    expect(await outcome(port, { security, ca })).toContain(
      `${words} 127.0.0.1: set relay.tlsServerName to one of these names, if that is your relay`,
    )
    expect(await outcome(port, { security, ca, tlsServerName: 'mail.other.example' })).toContain(
      `${words} mail.other.example`,
    )
  })

  test('a version of TLS that is too old', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    const { port } = await opened(startTlsRelay({ tls: { ...certificates.relay, ...old } }))
    expect(await outcome(port, { security: 'tls', ...trusted })).toContain('it speaks only versions of TLS before 1.2')
  })

  test('no cipher in common', async () => {
    const other = {
      maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0',
      ecdhCurve: 'secp521r1',
    } as const
    const { port } = await opened(
      startTlsRelay({
        tls: { key: certificates.relay.key, cert: certificates.relay.cert, ...other, sigalgs: 'RSA+SHA256' },
      }),
    )
    expect(await outcome(port, { security: 'tls', ...trusted })).toContain('its keys or ciphers for TLS are too weak')
  })

  test('tls where the connection is closed, or nobody answers', async () => {
    const closes = await rawServer((socket) => socket.destroy())
    expect(await outcome(closes.port, { security: 'tls' })).toMatch(
      /closed the connection in the TLS handshake.*relay\.security: starttls/,
    )
    const silent = await rawServer(() => {})
    expect(await outcome(silent.port, { security: 'tls', timeout: 0.3 })).toMatch(
      /no answer to the TLS handshake in 0\.3 s/,
    )
  })
})

describe('a relay that cannot be reached is said in words:', () => {
  test('nothing listens', async () => {
    expect(await outcome(1)).toMatch(
      /the connection is refused \(ECONNREFUSED\), nothing listens on port 1 there: check relay\.host and relay\.port/,
    )
  })

  test('no such host', async () => {
    expect(await outcome(25, { host: 'mail.relay.invalid' })).toMatch(
      /(there is no host|DNS gives no answer about) mail\.relay\.invalid.*relay\.host/,
    )
  })

  test('no greeting, and no TLS either', async () => {
    const { port, sockets } = await rawServer(() => {})
    expect(await outcome(port, { timeout: 0.4 })).toMatch(
      /gives no SMTP greeting in 0\.4 s: check relay\.host and relay\.port/,
    )
    expect(sockets.length).toBe(2) // the connection and one probe
  })

  test('several connections that wait for a greeting share one probe', async () => {
    const { port, sockets } = await rawServer(() => {})
    const { relay } = settingsOf(port, { timeout: 0.6 })
    await Promise.allSettled(Array.from({ length: 3 }, () => connect(relay)))
    expect(sockets.length).toBe(4)
  })

  test.each(['HTTP/1.1 400 Bad Request\r\n\r\n', 'J\u0000\u0000\u00005.7.44-log', 'SSH-2.0-OpenSSH_9.2p1\r\n'])(
    'something else than SMTP answers: %j',
    async (greeting) => {
      const { port, sockets } = await rawServer((socket) => socket.write(greeting))
      expect(await outcome(port)).toContain(`no SMTP server, it says "${greeting.slice(0, 1)}`)
      expect(sockets.length).toBe(1)
    },
  )

  test('a relay that is slow to greet is waited for', async () => {
    const { port, sockets } = await rawServer((socket) => {
      socket.on('data', () => socket.write('250 here\r\n'))
      if (sockets.length === 2) socket.on('close', () => sockets[0]?.write('220 here\r\n')) // the probe has ended
    })
    expect(await outcome(port, { security: 'none' })).toBe('connected')
  })

  test('a refusal in the greeting is told as it was said', async () => {
    const { port } = await opened(
      startPlainRelay({ answer: (line) => (line === '' ? '421 4.7.0 too many connections' : undefined) }),
    )
    expect(await outcome(port)).toBe('ConnectError: it greets us with 421 4.7.0 too many connections')
  })

  test('a connection that is closed at once', async () => {
    const { port } = await rawServer((socket) => socket.destroy())
    expect(await outcome(port)).toMatch(/it closed the connection/)
  })
})

describe('signing in', () => {
  const signIn = { security: 'none', user: 'mira', password: 'open sesame' }
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const challenge = '<1896.697170952@relay.test>'

  /** Takes the right password by any mechanism that it offers. */
  const accepts = (line: string): string | undefined => {
    if (line === `AUTH PLAIN ${base64('\0mira\0open sesame')}`) return '235 2.7.0 ok'
    if (line === 'AUTH LOGIN') return `334 ${base64('Username:')}`
    if (line === base64('mira')) return `334 ${base64('Password:')}`
    if (line === base64('open sesame')) return '235 2.7.0 ok'
    if (line === 'AUTH CRAM-MD5') return `334 ${base64(challenge)}`
    if (line.startsWith(base64('mira ').slice(0, 6))) return '235 2.7.0 ok'
    return undefined
  }

  test.each([
    ['PLAIN', 'AUTH PLAIN'],
    ['LOGIN', 'AUTH LOGIN'],
    ['CRAM-MD5', 'AUTH CRAM-MD5'],
    ['GSSAPI NTLM LOGIN', 'AUTH LOGIN'],
    ['CRAM-MD5 LOGIN PLAIN', 'AUTH PLAIN'],
  ])('goes by a mechanism that is offered: of %s it is %s', async (offered, used) => {
    const { port, commands } = await opened(startPlainRelay({ tls: null, ehlo: [`AUTH ${offered}`], answer: accepts }))
    expect(await outcome(port, signIn)).toBe('connected')
    const tried = commands
      .filter((line) => line.startsWith('AUTH'))
      .map((line) => line.split(' ').slice(0, 2).join(' '))
    expect(tried).toEqual([used])
  })

  test.each([
    [[], /offers no sign-in on this connection: remove relay\.user if it wants none, or check relay\.port/],
    [['STARTTLS'], /offers no sign-in on this connection, which is not encrypted: set relay\.security: starttls/],
    [['AUTH GSSAPI NTLM'], /offers GSSAPI, NTLM for sign-in: none of them takes a password/],
    [['AUTH XOAUTH2'], /offers XOAUTH2 for sign-in: set relay\.oauth2 instead of a password/],
  ])('where EHLO offers %j, nothing is tried', async (ehlo, words) => {
    const { port, commands } = await opened(startPlainRelay({ tls: null, ehlo }))
    expect(await outcome(port, signIn)).toMatch(words)
    expect(commands.some((line) => line.startsWith('AUTH'))).toBe(false)
  })

  test('after HELO there is no sign-in', async () => {
    const answer = (line: string) => (line.startsWith('EHLO') ? '502 5.5.1 what?' : undefined)
    const { port, commands } = await opened(startPlainRelay({ tls: null, answer }))
    expect(await outcome(port, signIn)).toContain('offers no sign-in')
    expect(commands.map((line) => line.split(' ')[0])).toEqual(['EHLO', 'HELO'])
  })

  test('without a password nobody is connected to', async () => {
    const { port, sockets } = await rawServer(() => {})
    expect(await outcome(port, { ...signIn, password: undefined })).toContain(
      'relay.user is set and there is no password: set relay.passwordFile',
    )
    expect(await outcome(port, { ...signIn, password: undefined, passwordFile: '/dev/null' })).toContain(
      'relay.passwordFile: /dev/null is empty',
    )
    expect(await outcome(port, { ...signIn, password: undefined, passwordFile: '/nope/secret' })).toContain(
      'relay.passwordFile: /nope/secret cannot be read',
    )
    expect(sockets).toEqual([])
  })

  test.each([
    [
      '535 5.7.8 bad credentials',
      /it refused the sign-in: 535 5\.7\.8 bad credentials: check relay\.user and relay\.password/,
    ],
    ['454 4.7.0 try later', /it cannot sign us in now: 454 4\.7\.0 try later/],
  ])('a refusal is told: %s', async (reply, words) => {
    const answer = (line: string) => (line.startsWith('AUTH') ? reply : undefined)
    const { port } = await opened(startPlainRelay({ tls: null, ehlo: ['AUTH PLAIN'], answer }))
    expect(await outcome(port, signIn)).toMatch(words)
  })

  const password = 'open sesame'
  test.each([
    ['with invisible characters in it', [...password].join('\u200b')],
    ['over two lines', `open ses\r\n535 5.7.8 ame`],
    ['in hexadecimal', Buffer.from(password).toString('hex')],
    ['in base64, in pieces', base64(`\0mira\0${password}`).replace(/.{7}/g, '$& ')],
    ['backwards', [...password].reverse().join('')],
    ['and no SMTP', undefined],
  ])('of what the relay says to a sign-in nothing but known words is shown: the password %s', async (_, said) => {
    const answer = (line: string) => {
      if (!line.startsWith('AUTH')) return undefined
      return said === undefined
        ? `sorry, ${password}`
        : `535-5.7.8 authentication failed for mira: ${said}\r\n535 5.7.8 sorry`
    }
    const { port } = await opened(startPlainRelay({ tls: null, ehlo: ['AUTH PLAIN'], answer }))
    const lines: string[] = []
    const listener = (_: string, line: string) => lines.push(line)
    const failed = await connect(settingsOf(port, { ...signIn, timeout: 5 }).relay, { listener }).catch(
      (error: Error) => error,
    )
    if (said !== undefined) {
      expect((failed as Error).message).toContain('535-5.7.8 authentication failed for ********')
      expect(lines).toContain('535-5.7.8 authentication failed for ********')
    }
    const mira = base64('\0mira').slice(0, 7) // stands in our own line too
    const fragments = [password, ...String(said ?? password).split(/[\r\n]+(?:535 5.7.8 )?|(?<=\w{7}) /)].filter(
      (one) => one !== mira,
    )
    for (const text of [inspect(failed, { depth: 9 }), ...lines])
      for (const fragment of fragments) expect(text).not.toContain(fragment)
  })

  test.each(['PLAIN', 'LOGIN'])('a password that the relay repeats (%s) is shown nowhere', async (mechanism) => {
    const answer = (line: string) => {
      if (/^EHLO|^$/.test(line)) return undefined
      if (line === 'AUTH LOGIN' || line === base64('mira')) return accepts(line)
      return `535-5.7.8 what is ${line}\r\n535 5.7.8 or ${Buffer.from(line.split(' ').at(-1) ?? '', 'base64')}`
    }
    const { port } = await opened(startPlainRelay({ tls: null, ehlo: [`AUTH ${mechanism}`], answer }))
    const lines: string[] = []
    const connecting = connect(settingsOf(port, signIn).relay, { listener: (_, line) => lines.push(line) })
    const words = await connecting.catch((error: Error) => error.message)
    expect(words).toMatch(/refused the sign-in: 535-5\.7\.8 what is .*\*{8}/)
    for (const said of [String(words), ...lines])
      expect(said).not.toMatch(/open sesame|b3BlbiBzZXNhbWU|AG1pcmEAb3BlbiBzZXNhbWU/)
  })
})

test('the limit of SIZE is told with what the relay offers', async () => {
  const { openConnection } = await import('../../../src/mail/smtp/connect.ts')
  for (const [line, maximumSize] of [
    ['SIZE 10240000', 10_240_000],
    ['SIZE 0', undefined],
    ['SIZE', undefined],
  ] as const) {
    const { port } = await opened(startPlainRelay({ tls: null, ehlo: [line] }))
    const { offers, socket } = await openConnection(settingsOf(port, { security: 'none' }).relay)
    socket.destroy()
    expect([offers.size, offers.maximumSize]).toEqual([true, maximumSize])
  }
})
