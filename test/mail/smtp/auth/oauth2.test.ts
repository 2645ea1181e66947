import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { configSchema } from '../../../../src/config/config.ts'
import { Relay } from '../../../../src/deliveries/relays/relay.ts'
import { RelayPool } from '../../../../src/deliveries/relays/relay-pool.ts'
import { openTokens } from '../../../../src/mail/smtp/auth/oauth2.ts'
import { RefreshToken, type TokenStore } from '../../../../src/mail/smtp/auth/refresh-token.ts'
import { connect } from '../../../../src/mail/smtp/connect.ts'
import { openStore } from '../../../../src/store/open.ts'
import { systemClock } from '../../../../src/time/clock.ts'
import { answerText } from '../../../support/answer-text.ts'
import { onBothEngines } from '../../../support/databases/engines.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const letter = {
  envelope: { from: 'bounces@magazine.example', to: 'mira@readers.example' },
  raw: Buffer.from('Subject: one\r\n\r\none\r\n'),
}
const user = 'weekly@magazine.example'

/** A token endpoint (RFC 6749 §5) that notes what it was asked, and gives a new token each time. */
async function tokenServer(
  answer: (asked: number, form: Record<string, string>) => { status?: number; body: unknown } = (n) =>
    given(`token-${n}`),
) {
  const forms: Record<string, string>[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      const form = Object.fromEntries(new URLSearchParams(body))
      forms.push(form)
      const { status = 200, body: said } = answer(forms.length, form)
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(typeof said === 'string' ? said : JSON.stringify(said))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}/token`, forms }
}

const given = (token: string, expires = 3600) => ({
  body: { access_token: token, expires_in: expires, token_type: 'Bearer' },
})

/** An SMTP server that takes XOAUTH2 from whoever has a token that it likes; others hear why in a challenge, or at once. */
async function mailServer(likes: (token: string) => boolean, challenges = false) {
  const tokens: string[] = []
  let connections = 0
  const server = createTcpServer((socket) => {
    connections += 1
    let inData = false
    socket.on('error', () => {})
    socket.write('220 mail.test\r\n')
    socket.on('data', (chunk) => {
      if (chunk.toString() === '\r\n') socket.write('535 5.7.3 unsuccessful\r\n')
      for (const line of chunk.toString().split('\r\n').filter(Boolean)) {
        if (inData) {
          if (line === '.') inData = socket.write('250 2.0.0 taken\r\n') && false
        } else if (line.startsWith('EHLO')) socket.write('250-mail.test\r\n250 AUTH XOAUTH2\r\n')
        else if (line.startsWith('AUTH XOAUTH2 ')) {
          const said = Buffer.from(line.slice(13), 'base64').toString()
          const [who, bearer = ''] = said.split('\u0001')
          const token = bearer.replace('auth=Bearer ', '')
          tokens.push(token)
          if (who === `user=${user}` && likes(token)) socket.write('235 2.7.0 accepted\r\n')
          else if (challenges) socket.write(`334 ${Buffer.from('{"status":"401"}').toString('base64')}\r\n`)
          else socket.write('535 5.7.3 unsuccessful\r\n')
        } else if (line === 'DATA') inData = socket.write('354 go\r\n') || true
        else socket.write('250 ok\r\n')
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  return { port: (server.address() as { port: number }).port, tokens, connections: () => connections }
}

function settings(port: number, oauth2: Record<string, unknown>, more: Record<string, unknown> = {}) {
  const { relay } = configSchema.parse({
    publication: { name: 'M', site: 'https://m.example', contact: 'a@m.example', address: 'M' },
    relay: {
      host: '127.0.0.1',
      port,
      security: 'none',
      timeout: 2,
      user,
      oauth2: { clientId: 'lastword', clientSecret: 'the client secret', ...oauth2 },
      ...more,
    },
  })
  return relay
}

function relayAt(...given: Parameters<typeof settings>) {
  return relayWith(undefined, ...given)
}

function relayWith(store: TokenStore | undefined, ...given: Parameters<typeof settings>) {
  const relay = new Relay(settings(...given), store)
  closing.push(() => relay.close())
  return relay
}

test('a relay is signed in to with an access token, which serves for all connections', async () => {
  const { url, forms } = await tokenServer()
  const mail = await mailServer(() => true)
  const relay = relayAt(mail.port, { tokenUrl: url, refreshToken: 'the refresh token' }, { messagesPerConnection: 1 })
  for (let count = 0; count < 3; count++) expect(await relay.send(letter)).toMatchObject({ kind: 'accepted' })
  expect(mail.tokens).toEqual(['token-1', 'token-1', 'token-1'])
  expect(forms).toEqual([
    {
      grant_type: 'refresh_token',
      refresh_token: 'the refresh token',
      client_id: 'lastword',
      client_secret: 'the client secret',
    },
  ])
})

test('without a refresh token the client asks in its own name', async () => {
  const { url, forms } = await tokenServer()
  const mail = await mailServer(() => true)
  const scope = 'https://outlook.office365.com/.default'
  expect(await relayAt(mail.port, { tokenUrl: url, scope }).send(letter)).toMatchObject({ kind: 'accepted' })
  expect(forms).toEqual([
    { grant_type: 'client_credentials', client_id: 'lastword', client_secret: 'the client secret', scope },
  ])
})

test('several connections that need a token at once ask for one', async () => {
  const { url, forms } = await tokenServer()
  const mail = await mailServer(() => true)
  const relay = relayAt(mail.port, { tokenUrl: url })
  await Promise.all(Array.from({ length: 5 }, () => relay.send(letter)))
  expect(forms).toHaveLength(1)
})

test('a token that has run out, or that the relay refuses, is replaced', async () => {
  const { url, forms } = await tokenServer((asked) => given(`token-${asked}`, asked === 1 ? 30 : 3600))
  let refused = ''
  const mail = await mailServer((token) => token !== refused)
  const relay = relayAt(mail.port, { tokenUrl: url }, { messagesPerConnection: 1 })
  expect(await relay.send(letter)).toMatchObject({ kind: 'accepted' })
  refused = 'token-1'
  expect(await relay.send(letter)).toMatchObject({ kind: 'unsent' })
  expect(await relay.send(letter)).toMatchObject({ kind: 'accepted' })
  expect(forms.length).toBe(2)
})

test.each([
  [
    'a refusal',
    { status: 400, body: { error: 'invalid_grant', error_description: 'the token was revoked' } },
    /answered 400, invalid_grant: the token was revoked/,
  ],
  ['an answer without a token', { body: { token_type: 'Bearer' } }, /answered 200 with no access_token in it$/],
  [
    'a page in place of an answer',
    { body: '<!DOCTYPE html><html>sign in</html>' },
    /answered 200 with no access_token in it \(an HTML page\)$/,
  ],
  [
    'an answer that repeats what it was sent',
    { status: 400, body: { error: 'invalid_grant', error_description: 'no: the refresh token, the client secret' } },
    /answered 400, invalid_grant: no: \*{8}, \*{8}$/,
  ],
])('%s is said in words, with the address, and without a secret', async (_name, answer, words) => {
  const { url } = await tokenServer(() => answer)
  const mail = await mailServer(() => true)
  const result = await relayAt(mail.port, { tokenUrl: url, refreshToken: 'the refresh token' }).send(letter)
  expect(result).toMatchObject({ kind: 'unsent', reply: '' })
  expect(answerText(result)).toMatch(words)
  expect(answerText(result)).toContain(`no access token: the token endpoint ${new URL(url).host} `)
  expect(answerText(result)).not.toContain('the refresh token')
  expect(answerText(result)).not.toContain('the client secret')
})

test('an endpoint that does not answer is named, and no relay waits meanwhile', async () => {
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    silent.closeAllConnections()
    silent.close()
  })
  const place = `127.0.0.1:${(silent.address() as { port: number }).port}`
  const mail = await mailServer(() => true)
  const result = await relayAt(mail.port, { tokenUrl: `http://${place}/token` }, { timeout: 0.3 }).send(letter)
  expect(result).toMatchObject({ kind: 'unsent', reply: '' })
  expect(answerText(result)).toContain(`no access token: the token endpoint ${place} did not answer in 0.3 s`)
  expect(mail.connections()).toBe(0)
})

test('secrets in files are read when they are needed, and one that cannot be read is named', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lastword-oauth2-'))
  const file = join(folder, 'refresh-token')
  const { url, forms } = await tokenServer()
  const mail = await mailServer(() => true)
  const relay = relayAt(mail.port, { tokenUrl: url, refreshTokenFile: file })
  const result = await relay.send(letter)
  expect(result).toMatchObject({ kind: 'unsent', reply: '' })
  expect(answerText(result)).toContain(`oauth2.refreshTokenFile: ${file} cannot be read`)
  writeFileSync(file, 'from a file\n')
  expect(await relay.send(letter)).toMatchObject({ kind: 'accepted' })
  expect(forms[0]?.refresh_token).toBe('from a file')
})

test('the dialogue that is shown holds no token', async () => {
  const { url } = await tokenServer(() => given('a-very-secret-token'))
  const mail = await mailServer(() => true)
  const relay = settings(mail.port, { tokenUrl: url })
  const tokens = await openTokens(relay)
  closing.push(() => tokens?.close())
  const lines: string[] = []
  const session = await connect(relay, { tokens, listener: (who, line) => lines.push(`${who} ${line}`) })
  await session.quit()
  const said = lines.join('\n')
  expect(said).toContain('AUTH XOAUTH2')
  expect(said).not.toContain('a-very-secret-token')
  expect(said).not.toContain(
    Buffer.from(`user=${user}\u0001auth=Bearer a-very-secret-token\u0001\u0001`).toString('base64'),
  )
})

/** An endpoint whose refresh tokens are worth one access token each; using one twice revokes them all (RFC 9700 §4.14.2). */
async function rotatingServer(first = 'R0') {
  let newest = first
  let revoked = false
  const spent = new Set<string>()
  const server = await tokenServer((asked, { refresh_token = '' }) => {
    if (spent.has(refresh_token)) revoked = true
    if (revoked || refresh_token !== newest)
      return { status: 400, body: { error: 'invalid_grant', error_description: 'refresh token was used already' } }
    spent.add(newest)
    newest = `${first}-${asked}`
    return { body: { access_token: `token-${asked}`, expires_in: 61, refresh_token: newest } }
  })
  return { ...server, newest: () => newest }
}

onBothEngines('a refresh token that the endpoint replaces', (freshUrl) => {
  const secret = 'a secret of at least 32 characters, for tests'

  async function store(): Promise<TokenStore> {
    const opened = await openStore(await freshUrl(), systemClock)
    closing.push(() => opened.close())
    return { db: opened.db, secret }
  }

  /** A mail server that takes each token so many times. */
  const takesEach = (times: number) => {
    const used = new Map<string, number>()
    return (token: string) => {
      used.set(token, (used.get(token) ?? 0) + 1)
      return (used.get(token) ?? 0) <= times
    }
  }

  test('is kept: 900 people get theirs over connections of 20 messages, with tokens that are soon refused', async () => {
    const { url, forms } = await rotatingServer()
    const mail = await mailServer(takesEach(3), true)
    const given = { tokenUrl: url, refreshToken: 'R0' }
    const relay = relayWith(await store(), mail.port, given, { messagesPerConnection: 20, timeout: 20 })
    const people = Array.from({ length: 900 }, (_, index) => `reader${index}@readers.example`)
    let accepted = 0
    const work = async () => {
      for (let to = people.pop(); to; to = people.pop()) {
        const result = await relay.send({ ...letter, envelope: { ...letter.envelope, to } })
        if (result.kind === 'accepted') accepted += 1
        else {
          expect(answerText(result)).toContain('it refused the sign-in') // others have used the token up meanwhile
          people.push(to)
        }
      }
    }
    await Promise.all(Array.from({ length: 5 }, work))
    expect(accepted).toBe(900)
    expect(forms.length).toBeGreaterThan(10)
    expect(new Set(forms.map(({ refresh_token }) => refresh_token)).size).toBe(forms.length)
  })

  test('is used by the next process, and by several that need a token at the same time', async () => {
    const { url, forms, newest } = await rotatingServer()
    const mail = await mailServer(() => true)
    const kept = await store()
    const send = () => {
      const given = settings(mail.port, { tokenUrl: url, refreshToken: 'R0' }, { timeout: 20 })
      const relays = new RelayPool({ ...kept, clock: systemClock }, [given])
      closing.push(() => relays.close())
      return relays.send(letter)
    }
    expect(await send()).toMatchObject({ kind: 'accepted' })
    const results = await Promise.all(Array.from({ length: 4 }, send))
    expect(results.map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'accepted', 'accepted'])
    expect(forms.length).toBe(5)
    expect(newest()).toBe('R0-5')
  })

  test('is not lost when the store is away in the moment in which it comes', async () => {
    const kept = await store()
    const asked: string[] = []
    const server = createServer((request, response) => {
      request.on('data', async (chunk) => {
        asked.push(new URLSearchParams(`${chunk}`).get('refresh_token') ?? '')
        if (asked.length === 1) await kept.db.schema.alterTable('settings').renameTo('away').execute()
        const rotated = asked.length === 1 ? { refresh_token: 'R1' } : {}
        response.end(JSON.stringify({ access_token: `token-${asked.length}`, expires_in: 3600, ...rotated }))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => server.close())
    const mail = await mailServer((token) => mail.tokens.filter((one) => one === token).length === 1, true)
    const tokenUrl = `http://127.0.0.1:${(server.address() as { port: number }).port}/token`
    const relay = relayWith(kept, mail.port, { tokenUrl, refreshToken: 'R0' }, { messagesPerConnection: 1 })
    expect(await relay.send(letter)).toMatchObject({ kind: 'accepted' })
    await kept.db.schema
      .alterTable('away' as never)
      .renameTo('settings')
      .execute()
    expect(await relay.send(letter)).toMatchObject({ kind: 'accepted' })
    const another = relayWith(kept, mail.port, { tokenUrl, refreshToken: 'R0' })
    expect(await another.send(letter)).toMatchObject({ kind: 'accepted' })
    expect(asked).toEqual(['R0', 'R1', 'R1'])
  })

  test('gives way to one that is newly configured', async () => {
    const before = await rotatingServer()
    const mail = await mailServer(() => true)
    const kept = await store()
    await relayWith(kept, mail.port, { tokenUrl: before.url, refreshToken: 'R0' }).send(letter)
    const after = await rotatingServer('S0')
    const result = await relayWith(kept, mail.port, { tokenUrl: after.url, refreshToken: 'S0' }).send(letter)
    expect(result).toMatchObject({ kind: 'accepted' })
    expect(after.forms[0]?.refresh_token).toBe('S0')
  })

  test('is not in the store as it is, and is of no use with another secret', async () => {
    const { url, forms } = await rotatingServer('a-configured-token')
    const mail = await mailServer(() => true)
    const kept = await store()
    const given = { tokenUrl: url, refreshToken: 'a-configured-token' }
    await relayWith(kept, mail.port, given).send(letter)
    const rows = await kept.db.selectFrom('settings').selectAll().execute()
    expect(rows.length).toBe(1) // no lease is left behind
    expect(JSON.stringify(rows)).not.toContain('a-configured-token')
    await relayWith({ ...kept, secret: 'another secret of at least 32 characters' }, mail.port, given).send(letter)
    expect(forms[1]?.refresh_token).toBe('a-configured-token')
  })

  test('that was refused because another one is newer by now is asked for with the newer one, once', async () => {
    const kept = await store()
    let newer: (() => Promise<void>) | undefined
    const asked: string[] = []
    const server = createServer((request, response) => {
      request.on('data', async (chunk) => {
        asked.push(new URLSearchParams(`${chunk}`).get('refresh_token') ?? '')
        await newer?.()
        const isGood = asked.at(-1) === 'R2'
        response.writeHead(isGood ? 200 : 400)
        response.end(JSON.stringify(isGood ? { access_token: 'token' } : { error: 'invalid_grant' }))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => server.close())
    const mail = await mailServer(() => true)
    const tokenUrl = `http://127.0.0.1:${(server.address() as { port: number }).port}/token`
    const other = new RefreshToken(kept, { relay: '127.0.0.1', clientId: 'lastword', configured: 'R0' })
    newer = () => other.save('R2') // another process, whose lease had run out
    const result = await relayWith(kept, mail.port, { tokenUrl, refreshToken: 'R0' }).send(letter)
    expect([result.kind, asked]).toEqual(['accepted', ['R0', 'R2']])
  })

  test('is free again when whoever refreshed it has died, or had a clock that was wrong', async () => {
    const { url } = await rotatingServer()
    const mail = await mailServer(() => true)
    const kept = await store()
    const given = { tokenUrl: url, refreshToken: 'R0' }
    await relayWith(kept, mail.port, given).send(letter)
    const { name } = await kept.db.selectFrom('settings').select('name').executeTakeFirstOrThrow()
    for (const until of ['2020-01-01T00:00:00.000Z', '2100-01-01T00:00:00.000Z']) {
      await kept.db
        .insertInto('settings')
        .values({ name: `${name}: in use`, value: `${until} somebody` })
        .execute()
      expect(await relayWith(kept, mail.port, given).send(letter)).toMatchObject({ kind: 'accepted' })
    }
  })
})
