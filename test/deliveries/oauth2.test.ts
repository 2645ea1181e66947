import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { configSchema } from '../../src/config.ts'
import { connect } from '../../src/deliveries/connect.ts'
import { openTokens } from '../../src/deliveries/oauth2.ts'
import { openRelay } from '../../src/deliveries/relay.ts'

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
async function tokenServer(answer: (asked: number) => { status?: number; body: unknown } = (n) => given(`token-${n}`)) {
  const forms: Record<string, string>[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      forms.push(Object.fromEntries(new URLSearchParams(body)))
      const { status = 200, body: said } = answer(forms.length)
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

/** An SMTP server that takes XOAUTH2 from whoever has a token that it likes. */
async function mailServer(likes: (token: string) => boolean) {
  const tokens: string[] = []
  const server = createTcpServer((socket) => {
    let inData = false
    socket.on('error', () => {})
    socket.write('220 mail.test\r\n')
    socket.on('data', (chunk) => {
      for (const line of chunk.toString().split('\r\n').filter(Boolean)) {
        if (inData) {
          if (line === '.') inData = socket.write('250 2.0.0 taken\r\n') && false
        } else if (line.startsWith('EHLO')) socket.write('250-mail.test\r\n250 AUTH XOAUTH2\r\n')
        else if (line.startsWith('AUTH XOAUTH2 ')) {
          const said = Buffer.from(line.slice(13), 'base64').toString()
          const [who, bearer = ''] = said.split('\u0001')
          const token = bearer.replace('auth=Bearer ', '')
          tokens.push(token)
          socket.write(who === `user=${user}` && likes(token) ? '235 2.7.0 accepted\r\n' : '535 5.7.3 unsuccessful\r\n')
        } else if (line === 'DATA') inData = socket.write('354 go\r\n') || true
        else socket.write('250 ok\r\n')
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  return { port: (server.address() as { port: number }).port, tokens }
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
  const relay = openRelay(settings(...given))
  closing.push(relay.close)
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
  const tokens = await openTokens(user, settings(mail.port, { tokenUrl: url }).oauth2 as never)
  closing.push(tokens.close)
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
  ['an answer without a token', { body: { token_type: 'Bearer' } }, /answered 200$/],
  ['a page in place of an answer', { status: 502, body: '<html>bad gateway</html>' }, /answered 502$/],
])('%s is said in words, with the address, and without a secret', async (_name, answer, words) => {
  const { url } = await tokenServer(() => answer)
  const mail = await mailServer(() => true)
  const { kind, reply } = await relayAt(mail.port, { tokenUrl: url, refreshToken: 'the refresh token' }).send(letter)
  expect(kind).toBe('unsent')
  expect(reply).toMatch(words)
  expect(reply).toContain(url)
  expect(reply).not.toContain('the refresh token')
  expect(reply).not.toContain('the client secret')
})

test('secrets in files are read when they are needed, and one that cannot be read is named', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lastword-oauth2-'))
  const file = join(folder, 'refresh-token')
  const { url, forms } = await tokenServer()
  const mail = await mailServer(() => true)
  const relay = relayAt(mail.port, { tokenUrl: url, refreshTokenFile: file })
  const { kind, reply } = await relay.send(letter)
  expect(kind).toBe('unsent')
  expect(reply).toContain(`oauth2.refreshTokenFile: ${file} cannot be read`)
  writeFileSync(file, 'from a file\n')
  expect(await relay.send(letter)).toMatchObject({ kind: 'accepted' })
  expect(forms[0]?.refresh_token).toBe('from a file')
})

test('the dialogue that is shown holds no token', async () => {
  const { url } = await tokenServer(() => given('a-very-secret-token'))
  const mail = await mailServer(() => true)
  const relay = settings(mail.port, { tokenUrl: url })
  const tokens = await openTokens(user, relay.oauth2 as never)
  closing.push(tokens.close)
  const lines: string[] = []
  const wire = await connect(relay, { tokens, listener: (who, line) => lines.push(`${who} ${line}`) })
  await wire.quit()
  const said = lines.join('\n')
  expect(said).toContain('AUTH XOAUTH2')
  expect(said).not.toContain('a-very-secret-token')
  expect(said).not.toContain(
    Buffer.from(`user=${user}\u0001auth=Bearer a-very-secret-token\u0001\u0001`).toString('base64'),
  )
})
