import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type Config, configSchema, envelopeSender, readConfig } from '../../src/config/config.ts'
import { defaultHelo } from '../../src/config/default-helo.ts'
import { maskSecrets } from '../../src/config/secrets.ts'
import type { AppError } from '../../src/errors.ts'
import { inProcess } from '../support/processes.ts'

const folder = mkdtempSync(join(tmpdir(), 'lastword-config-'))
const file = join(folder, 'lastword.yml')
afterAll(() => rmSync(folder, { recursive: true }))

const least = `publication:
  name: Harbour Notes
  site: https://harbour.example/
  contact: letters@harbour.example
  address: 1 Quay
`

function read(text: string, environment: Record<string, string | undefined> = {}): Config {
  writeFileSync(file, text)
  return readConfig(file, environment)
}

/** The problems, one a line, without the name of the folder. */
function problems(text: string, environment: Record<string, string | undefined> = {}): string[] {
  try {
    read(text, environment)
  } catch (error) {
    expect(error).toMatchObject({ name: 'AppError', code: 'invalid' })
    return (error as AppError).message.replaceAll(file, 'lastword.yml').split('\n')
  }
  throw new Error('it was accepted')
}

function secretFile(content: string): string {
  const path = join(folder, 'secret')
  writeFileSync(path, content)
  return path
}

test('the sample that we ship is accepted as it is', () => {
  expect(readConfig('lastword.example.yml', {}).publication.name).toBe('Public Sector Weekly')
})

test('web.url has no slash at its end, however it is written', () => {
  for (const url of ['https://news.harbour.example', 'https://news.harbour.example//'])
    expect(read(`${least}web: { url: "${url}" }\n`).web.url).toBe('https://news.harbour.example')
  const { web } = read(least, { LASTWORD_WEB__URL: 'https://harbour.example/news/' })
  expect(web.url).toBe('https://harbour.example/news')
})

test('a PEM file with a certificate that cannot be read is refused, and which one it is', () => {
  const good = readFileSync('fixtures/tls/ca.pem', 'utf8')
  const damaged = good.replace(/\nM/, '\nX')
  const path = secretFile(`a comment\n${good}${damaged}`)
  expect(problems(`${least}relay:\n  ca: ${path}\n`)).toEqual([
    `lastword.yml:7: relay.ca: certificate 2 of 2 in ${path} is damaged`,
  ])
})

test('ca is a path, or the text of the file that LASTWORD_RELAY__CA_FILE names', () => {
  expect(read(`${least}relay: { ca: fixtures/tls/ca.pem }\n`).relay.ca).toBe('fixtures/tls/ca.pem')
  const { relay } = read(least, { LASTWORD_RELAY__CA_FILE: 'fixtures/tls/ca.pem' })
  expect(relay.ca).toContain('-----BEGIN CERTIFICATE-----')
})

test('every relay has a name for EHLO: its own, or one that the host or the contact address gives', () => {
  const { relay, relays } = read(`${least}relay: { host: a }\nrelays: [{ host: b, helo: news.harbour.example }]\n`)
  expect(relay.helo).toBe(defaultHelo(hostname(), 'letters@harbour.example'))
  expect(relays[0]?.helo).toBe('news.harbour.example')
})

test.each([
  ['mail.harbour.example', 'mail.harbour.example'],
  ['localhost', 'harbour.example'],
  ['3f2a9c', 'harbour.example'],
  ['', 'harbour.example'],
  ['192.0.2.1', 'harbour.example'],
  ['laptop.local', 'harbour.example'],
  ['localhost.localdomain', 'harbour.example'],
  ['ip-10-0-0-1.eu-west-1.compute.internal', 'harbour.example'],
  ['under_score.harbour.example', 'harbour.example'],
])('a host that is called %j is %s in EHLO', (name, helo) => {
  expect(defaultHelo(name, 'letters@harbour.example')).toBe(helo)
})

test('what nobody wrote has its default', () => {
  expect(read(least)).toMatchObject({
    publication: { language: 'en-GB', tagline: '', colours: { brand: '#0b4f6c' } },
    relay: { host: 'localhost', port: 587, security: 'starttls', connections: 5, messagesPerConnection: 100 },
    web: { url: 'http://localhost:3000', host: '127.0.0.1', port: 3000 },
    store: { url: 'file:data/lastword.db' },
    feeds: { allow: [], timeout: 20, maximumBytes: 10_485_760 },
    jobs: 'jobs',
    templates: 'templates',
  })
})

test.each([
  ['', { address: 'letters@harbour.example', isPersonal: true }],
  ['relay: { returnPath: bounces@post.example }\n', { address: 'bounces@post.example', isPersonal: true }],
  [
    'relay: { returnPath: automatic-bounces@post.example, personalReturnPath: false }\n',
    { address: 'automatic-bounces@post.example', isPersonal: false },
  ],
  ['relay: { personalReturnPath: false }\n', { address: 'letters@harbour.example', isPersonal: false }],
])('with %j the envelope sender is as it says', (more, sender) => {
  expect(envelopeSender(read(least + more))).toEqual(sender)
})

test('a contact address with no room for a key is the envelope sender as it is', () => {
  const contact = 'letters-to-the-editor@harbour.example'
  const long = least.replace('letters@harbour.example', contact)
  expect(envelopeSender(read(long))).toEqual({ address: contact, isPersonal: false })
})

describe('a file with mistakes', () => {
  test('is refused once, with every problem, its line and what was expected, and those of the environment', () => {
    const text = `publication:
  name: ""
  site: ftp://harbour.example/
  contact: letters at harbour
  colours:
    brand: blue
    acent: "#000000"
relay:
  port: 99999
  security: maybe
webb: {}
web:
  secret: short
`
    expect(problems(text, { LASTWORD_NOPE: '1', LASTWORD_STORE__URL: 'mysql://x' })).toEqual([
      'LASTWORD_NOPE: there is no such setting',
      expect.stringMatching(/^lastword\.yml:2: publication\.name: Too small/),
      'lastword.yml:3: publication.site: expected an http or https address',
      'lastword.yml:4: publication.contact: expected an email address',
      'lastword.yml:1: publication.address: is missing: expected text',
      'lastword.yml:6: publication.colours.brand: expected a colour such as "#0b4f6c"',
      'lastword.yml:7: publication.colours: unknown key "acent"',
      expect.stringMatching(/^lastword\.yml:9: relay\.port: .*65535/),
      expect.stringMatching(/^lastword\.yml:10: relay\.security: .*"starttls"\|"tls"\|"none"/),
      'lastword.yml:13: web.secret: expected at least 32 characters',
      'LASTWORD_STORE__URL: store.url: expected file:path/to/lastword.db or postgres://user@host/database',
      'lastword.yml:11: unknown key "webb"',
    ])
  })

  test.each([
    ['articles:\n  keep: 59d\n', 'lastword.yml:7: articles.keep: expected at least "60d"'],
    ['articles:\n  keep: 48h\n', 'lastword.yml:7: articles.keep: expected a number of days such as "400d"'],
    ['web:\n  port:\n', 'lastword.yml:7: web.port: expected a number, found nothing'],
    ['web:\n  port: true\n', 'lastword.yml:7: web.port: expected a number, found true'],
    ['web:\n  port: [25]\n', 'lastword.yml:7: web.port: expected a number, found a list'],
    ['web:\n  port: " "\n', 'lastword.yml:7: web.port: expected a number, found empty text'],
    ['relay: here\n', 'lastword.yml:6: relay: expected keys and values, found text'],
    [
      'web:\n  url: "https://x.example/?a=b"\n',
      expect.stringMatching(/^lastword\.yml:7: web\.url: .*without \? and #/),
    ],
    ['web:\n  url: "https://x.example/\\nBcc: y"\n', 'lastword.yml:7: web.url: expected an http or https address'],
    ['web:\n  url: "https:x.example"\n', 'lastword.yml:7: web.url: expected an http or https address'],
    ['__proto__:\n  a: 1\n', 'lastword.yml:6: unknown key "__proto__"'],
    ['jobs:\n', 'lastword.yml:6: jobs: expected text, found nothing'],
    ['relays: [{ port: 25 }]\n', 'lastword.yml:6: relays[1].host: is missing: expected text'],
    [
      'relay: { host: a }\nrelays: [{ host: a }]\n',
      expect.stringMatching(/^lastword\.yml:7: relays\[1\]\.name: another relay is called a$/),
    ],
    [
      'relay: { standby: true }\nrelays: [{ host: b, standby: true }]\n',
      'lastword.yml:6: relay.standby: all relays are on standby: expected at least one that is not',
    ],
    ['relays: [{ host: b, dkim: [] }]\n', 'lastword.yml:6: relays[1]: unknown key "dkim"'],
    [
      'relays: [{ host: b, personalReturnPath: false }]\n',
      'lastword.yml:6: relays[1]: unknown key "personalReturnPath"',
    ],
    ['relay: { personalReturnPath: maybe }\n', 'lastword.yml:6: relay.personalReturnPath: expected true or false'],
    ['relay: { returnPath: bounces }\n', 'lastword.yml:6: relay.returnPath: expected an email address'],
    [
      'relay: { user: a, password: b, passwordFile: c }\n',
      'lastword.yml:6: relay.passwordFile: expected one way to sign in: password, passwordFile or oauth2',
    ],
    [
      'relay: { oauth2: { tokenUrl: "https://x.example/t", clientId: a } }\n',
      'lastword.yml:6: relay.user: is needed with oauth2: the mailbox',
    ],
    [
      'relay: { user: a, oauth2: { tokenUrl: "http://x.example/t", clientId: a } }\n',
      'lastword.yml:6: relay.oauth2.tokenUrl: expected an https address',
    ],
    [
      'relay: { user: a, oauth2: { tokenUrl: "https://x.example/t", clientId: a, refreshToken: b, refreshTokenFile: c } }\n',
      'lastword.yml:6: relay.oauth2: expected refreshToken or refreshTokenFile, not both',
    ],
    ['relay:\n  ca: /nope/ca.pem\n', 'lastword.yml:7: relay.ca: there is no file /nope/ca.pem'],
    [
      'relays: [{ host: b, ca: package.json }]\n',
      'lastword.yml:6: relays[1].ca: expected a PEM file with "BEGIN CERTIFICATE" in it, found none in package.json',
    ],
    [
      'relay: { tlsServerName: 192.0.2.1 }\n',
      'lastword.yml:6: relay.tlsServerName: expected a host name such as "mail.example.org"',
    ],
    [
      'relay: { helo: "two words" }\n',
      'lastword.yml:6: relay.helo: expected a host name such as "news.example.org", or an address such as "[192.0.2.1]"',
    ],
    ['relay: { perSecond: 0 }\n', expect.stringMatching(/^lastword\.yml:6: relay\.perSecond: Too small/)],
    ['relay: { perDay: 0.5 }\n', expect.stringMatching(/^lastword\.yml:6: relay\.perDay: /)],
    ['relay: { weight: 0 }\n', expect.stringMatching(/^lastword\.yml:6: relay\.weight: Too small/)],
  ])('such as %j is refused', (more, problem) => {
    expect(problems(least + more)).toEqual([problem])
  })

  test('such as a return path too long for a key is refused, and the error names both ways out', () => {
    const path = (local: string, more = '') => `${least}relay:\n  returnPath: ${local}@harbour.example\n${more}`
    const tooLong =
      'lastword.yml:7: relay.returnPath: expected at most 15 characters before the @, because a key of 48 follows them: shorten it, or set personalReturnPath: false'
    expect(read(path('b'.repeat(15))).relay.returnPath).toMatch(/^b{15}@/)
    expect(problems(path('b'.repeat(16)))).toEqual([tooLong])
    expect(problems(path('b'.repeat(64), '  personalReturnPath: true\n'))).toEqual([tooLong])
    expect(read(path('b'.repeat(64), '  personalReturnPath: false\n')).relay.returnPath).toMatch(/^b{64}@/)
    expect(problems(path('b'.repeat(65), '  personalReturnPath: false\n'))).toEqual([
      'lastword.yml:7: relay.returnPath: expected at most 64 characters before the @ (RFC 5321, section 4.5.3.1.1)',
    ])
    expect(read(path('b'.repeat(16)), { LASTWORD_RELAY__PERSONAL_RETURN_PATH: 'false' }).relay).toMatchObject({
      personalReturnPath: false,
    })
  })

  test.each([
    ['nothing in it', '', /publication: is missing/],
    ['one word in it', 'hello\n', /lastword\.yml:1: expected keys and values, found text/],
    ['a list in it', '- hello\n', /lastword\.yml:1: expected keys and values, found a list/],
    ['a bracket left open', `${least}feeds: {allow: [a\n`, /lastword\.yml:\d: /],
    ['a tab', 'publication:\n\tname: x\n', /lastword\.yml:2: Tabs are not allowed/],
    ['a section twice', `${least}web: {}\nweb: {}\n`, /lastword\.yml:7: Map keys must be unique/],
  ])('with %s is refused by an AppError, whatever the environment lays over it', (_, text, message) => {
    expect(problems(text, { LASTWORD_RELAY__HOST: 'mail.example' }).join('\n')).toMatch(message)
  })

  test('such as a word where a section should be does not vanish under the environment', () => {
    expect(problems(`${least}relay: here\n`, { LASTWORD_RELAY__HOST: 'mail.example' })).toEqual([
      'lastword.yml:6: relay: expected keys and values, found text',
    ])
  })
})

describe('without a file', () => {
  const none = join(folder, 'none.yml')

  test('the error says which, and what to do', () => {
    expect(() => readConfig(none, {})).toThrow(`${none} does not exist`)
    try {
      readConfig(none, { LASTWORD_RELAY__HOST: 'x' })
    } catch (error) {
      expect(error).toMatchObject({ code: 'missing', hint: expect.stringMatching(/^Run lastword init.*--config/) })
    }
  })

  test('the environment alone may say everything', () => {
    const config = readConfig(none, {
      LASTWORD_PUBLICATION__NAME: 'Harbour Notes',
      LASTWORD_PUBLICATION__SITE: 'https://harbour.example/',
      LASTWORD_PUBLICATION__CONTACT: 'letters@harbour.example',
      LASTWORD_PUBLICATION__ADDRESS: '1 Quay',
      LASTWORD_PUBLICATION__COLOURS__BRAND: '#123456',
    })
    expect(config.publication).toMatchObject({
      name: 'Harbour Notes',
      colours: { brand: '#123456', accent: '#b3261e' },
    })
  })

  test('and half of it in the environment, what is missing is named', () => {
    expect(() => readConfig(none, { LASTWORD_publication__name: 'x' })).toThrow('publication.address: is missing')
  })
})

test('a warm-up that cannot be followed is refused, each part of it', () => {
  const plan = 'pace:\n  warmUp: { from: Monday, days: [200, none, 0], zone: London }\n'
  const found = problems(`${least}${plan}`).map((problem) => problem.replace(/^\S+ /, ''))
  expect(found).toEqual([
    'pace.warmUp.from: expected a day such as "2026-11-23"',
    'pace.warmUp.days[2]: expected a number, found other text',
    'pace.warmUp.days[3]: Too small: expected number to be >=1',
    'pace.warmUp.zone: expected an IANA time zone such as "Europe/London"',
  ])
  expect(problems(`${least}pace: { warmUp: { from: 2026-11-23, days: [] } }\n`)).toHaveLength(1)
})

describe('the environment', () => {
  test.each([
    ['LASTWORD_STORE__URL', 'postgres://x@y/z', 'store', 'url', 'postgres://x@y/z'],
    ['LASTWORD_store__url', 'file:x.db', 'store', 'url', 'file:x.db'],
    ['lastword_Store__Url', 'file:x.db', 'store', 'url', 'file:x.db'],
    ['LASTWORD_relay__messagesPerConnection', '7', 'relay', 'messagesPerConnection', 7],
    ['LASTWORD_RELAY__MESSAGESPERCONNECTION', '7', 'relay', 'messagesPerConnection', 7],
    ['LASTWORD_RELAY__MESSAGES_PER_CONNECTION', '7', 'relay', 'messagesPerConnection', 7],
    ['LASTWORD_FEEDS__ALLOW', 'a.example, localhost:80,', 'feeds', 'allow', ['a.example', 'localhost:80']],
    ['LASTWORD_FEEDS__ALLOW', '', 'feeds', 'allow', []],
    ['LASTWORD_PACE__PROVIDERS', 'false', 'pace', 'providers', false],
  ])('%s=%s wins over the file', (name, value, section, key, expected) => {
    const config = read(`${least}store:\n  url: file:other.db\nrelay:\n  messagesPerConnection: 3\n`, { [name]: value })
    expect((config as unknown as Record<string, Record<string, unknown>>)[section]?.[key]).toEqual(expected)
  })

  test('leaves what it does not name as the file has it', () => {
    const config = read(`${least}relay:\n  host: mail.example\n  port: 25\n`, { LASTWORD_RELAY__PORT: '2525' })
    expect(config.relay).toMatchObject({ host: 'mail.example', port: 2525 })
  })

  test('may have the whole plan of a warm-up', () => {
    const plan = { LASTWORD_PACE__WARM_UP__FROM: '2026-11-23', LASTWORD_PACE__WARM_UP__DAYS: '200, 400,800' }
    expect(read(least, plan).pace.warmUp).toEqual({ from: '2026-11-23', days: [200, 400, 800], zone: 'UTC' })
  })

  test('fills a section that the file has left empty', () => {
    expect(read(`${least}relay:\n`, { LASTWORD_RELAY__HOST: 'mail.example' }).relay.host).toBe('mail.example')
  })

  test.each([
    'LASTWORD_RELAY__HOTS',
    'LASTWORD_RELAYS__HOST',
    'LASTWORD_RELAY',
    'LASTWORD_RELAY_HOST',
    'LASTWORD_RELAY__HOST__NAME',
    'LASTWORD_RELAY__',
    'LASTWORD___HOST',
    'LASTWORD_RELAY__CONSTRUCTOR',
    'LASTWORD_WHATEVER_FILE',
  ])('has no setting %s', (name) => {
    expect(problems(least, { [name]: 'x' })).toEqual([`${name}: there is no such setting`])
  })

  test('of other programs is none of our business', () => {
    expect(read(least, { PATH: '/bin', MY_LASTWORD_X: '1', LASTWORD: '1', LASTWORD_RELAY__HOST: undefined })).toEqual(
      read(least),
    )
  })

  test.each([
    ['LASTWORD_RELAY__PORT', 'smtp', 'relay.port: expected a number, found other text'],
    ['LASTWORD_RELAY__PORT', '', 'relay.port: expected a number, found empty text'],
    ['LASTWORD_relay__port', '-1', 'relay.port: Too small: expected number to be >=0'],
    ['LASTWORD_PACE__PROVIDERS', 'perhaps', 'pace.providers: expected true or false'],
    ['LASTWORD_PUBLICATION__CONTACT', 'x', 'publication.contact: expected an email address'],
  ])('names %s=%j as the place of its problem', (name, value, problem) => {
    expect(problems(least, { [name]: value })).toEqual([`${name}: ${problem}`])
  })

  test.each([
    ['password of the environment', 'passwordFile: /nope', { LASTWORD_RELAY__PASSWORD: 'a' }, { password: 'a' }],
    ['passwordFile of the environment', 'password: a', { LASTWORD_RELAY__PASSWORDFILE: '/b' }, { passwordFile: '/b' }],
    [
      'password of the environment',
      'oauth2: { tokenUrl: "https://x.example/t", clientId: a }',
      { LASTWORD_RELAY__PASSWORD: 'a' },
      { password: 'a' },
    ],
    [
      'OAuth 2 of the environment',
      'passwordFile: /nope',
      { LASTWORD_RELAY__OAUTH2__TOKEN_URL: 'https://x.example/t', LASTWORD_RELAY__OAUTH2__CLIENT_ID: 'a' },
      { oauth2: { tokenUrl: 'https://x.example/t', clientId: 'a' } },
    ],
    [
      'client secret of the environment',
      'oauth2: { tokenUrl: "https://x.example/t", clientId: a, clientSecretFile: /nope, scope: s }',
      { LASTWORD_RELAY__OAUTH2__CLIENT_SECRET: 'c' },
      { oauth2: { tokenUrl: 'https://x.example/t', clientId: 'a', clientSecret: 'c', scope: 's' } },
    ],
  ])('wins over the other ways to sign in that the file has: the %s over %s', (_, inFile, environment, signIn) => {
    const { user, password, passwordFile, oauth2 } = read(
      `${least}relay:\n  user: mira\n  ${inFile}\n`,
      environment,
    ).relay
    const found = Object.entries({ password, passwordFile, oauth2 }).filter(([, value]) => value !== undefined)
    expect({ user, ...Object.fromEntries(found) }).toEqual({ user: 'mira', ...signIn })
  })

  test('that says one setting twice is refused, since nobody knows which counts', () => {
    const twice = { LASTWORD_RELAY__HOST: 'a', LASTWORD_relay__host: 'b' }
    expect(problems(least, twice)).toEqual([
      'LASTWORD_relay__host: LASTWORD_RELAY__HOST sets the same: expected one of them',
    ])
    const secret = { LASTWORD_RELAY__PASSWORD: 'a', LASTWORD_RELAY__PASSWORD_FILE: secretFile('b') }
    expect(problems(least, secret)).toHaveLength(1)
  })
})

describe('a secret in a file', () => {
  test.each(['LASTWORD_RELAY__PASSWORD_FILE', 'LASTWORD_relay__password_file'])('is read by %s', (name) => {
    expect(read(least, { [name]: secretFile('s3cret\n') }).relay.password).toBe('s3cret')
  })

  test('loses its last line end and keeps its blanks', () => {
    expect(read(least, { LASTWORD_RELAY__PASSWORD_FILE: secretFile(' two words \r\n') }).relay.password).toBe(
      ' two words ',
    )
  })

  test('that cannot be read is a problem beside the others', () => {
    const none = join(folder, 'nothing')
    expect(problems(least, { LASTWORD_RELAY__PASSWORD_FILE: none, LASTWORD_RELAY__PORT: 'x' })).toEqual([
      expect.stringMatching(/^LASTWORD_RELAY__PASSWORD_FILE: .*nothing cannot be read: there is no such file/),
      expect.stringMatching(/^LASTWORD_RELAY__PORT: /),
    ])
  })

  test.each(['', '\n', '\r\n\n'])('with nothing in it but %j is named, with its variable', (content) => {
    const path = secretFile(content)
    expect(problems(least, { LASTWORD_RELAY__PASSWORD_FILE: path })).toEqual([
      `LASTWORD_RELAY__PASSWORD_FILE: ${path} is empty`,
    ])
  })

  test('with a bad value is named by its variable and does not stand in the message', () => {
    const [problem = ''] = problems(least, { LASTWORD_WEB__SECRET_FILE: secretFile('hunter2') })
    expect(problem).toBe('LASTWORD_WEB__SECRET_FILE: web.secret: expected at least 32 characters')
  })
})

test('the store of the environment is found in any letter case and in a file, without a configuration', async () => {
  const source = (environment: string) => `
    Object.assign(process.env, ${environment})
    const { environmentStoreUrl } = await import('./src/config/config.ts')
    console.log(environmentStoreUrl())`
  expect(await inProcess(source(`{ LASTWORD_store__url: 'postgres://a@b/c' }`))).toBe('postgres://a@b/c')
  const path = JSON.stringify(secretFile('postgres://d@e/f\n'))
  expect(await inProcess(source(`{ LASTWORD_STORE__URL_FILE: ${path} }`))).toBe('postgres://d@e/f')
  expect(await inProcess(source('{}'))).toBe('undefined')
})

describe('masked for a person', () => {
  const secret = 'hunter2-hunter2-hunter2-hunter2-hunter2'

  test('password and secret are gone, and the configuration itself keeps them', () => {
    const config = read(least, { LASTWORD_RELAY__PASSWORD: secret, LASTWORD_WEB__SECRET: secret })
    const masked = maskSecrets(config)
    expect(JSON.stringify(masked)).not.toContain('hunter2')
    expect(masked.relay.password).toBe('********')
    expect(masked.web.secret).toBe('********')
    expect(config.relay.password).toBe(secret)
  })

  test('what gives access in the address of an OAuth 2 server is gone too', () => {
    const oauth2 = '{ tokenUrl: "https://x.example/t?client_secret=s3cret", clientId: a, refreshToken: b }'
    const masked = maskSecrets(read(`${least}relay: { user: mira, oauth2: ${oauth2} }\n`))
    expect(masked.relay.oauth2?.tokenUrl).toContain('https://x.example/t')
    expect(JSON.stringify(masked)).not.toContain('s3cret')
  })

  test('a secret that is not set does not look as if it were', () => {
    expect(maskSecrets(read(least)).relay).not.toHaveProperty('password')
  })

  test.each([
    ['postgres://mira:hunter2@db.example:5432/lastword', 'postgres://mira:********@db.example:5432/lastword'],
    ['postgres://mira:hunt@er2@db.example/lastword', 'postgres://mira:********@db.example/lastword'],
    ['postgres://mira:hunt/er2@db.example/lastword', 'postgres://mira:********@db.example/lastword'],
    ['postgresql://:hunter2@db.example/lastword', 'postgresql://:********@db.example/lastword'],
    ['postgres://mira@corp:hunter2@db.example/x', 'postgres://mira@corp:********@db.example/x'],
    [
      'postgres://db.example/x?user=mira&password=hunter2&ssl=1',
      'postgres://db.example/x?user=mira&password=********&ssl=1',
    ],
    ['postgres://mira@db.example:5432/lastword', 'postgres://mira@db.example:5432/lastword'],
    ['postgres://mira:h%40unter2@db/x', 'postgres://mira:********@db/x'],
    ['postgres://mira:hunt#er2@db/x', 'postgres://mira:********@db/x'],
    ['postgres://mira:hunt?a=er2@db/x', 'postgres://mira:********'],
    ['postgres://mira:h@nt#er2', 'postgres://mira:********'],
    ['postgres://mira:h@nt?er2', 'postgres://mira:********'],
    ['postgres://mira:hunter2/x', 'postgres://mira:********'],
    ['postgres://mira:hunter2@[::1]:5432/x?sslmode=require', 'postgres://mira:********@[::1]:5432/x?sslmode=require'],
    [
      'postgres://db/x?sslmode=require&sslpassword=hunter2&SSLKEY=/a/hunter2&sslrootcert=/c.pem',
      'postgres://db/x?sslmode=require&sslpassword=********&SSLKEY=********&sslrootcert=/c.pem',
    ],
    ['postgres://db/x?pass%77ord=hunter2&passfile=hunter2', 'postgres://db/x?pass%77ord=********&passfile=********'],
    ['postgres://db/x?password=hunt@er2&user=mira', 'postgres://db/x?password=********&user=mira'],
    ['postgres:///x?host=/run/postgresql&user=mira', 'postgres:///x?host=/run/postgresql&user=mira'],
    ['file:data/lastword.db', 'file:data/lastword.db'],
    ['file:data/a:b@c#d?e.db', 'file:data/a:b@c#d?e.db'],
  ])('the store %s is %s', (url, masked) => {
    expect(maskSecrets(read(least, { LASTWORD_STORE__URL: url })).store.url).toBe(masked)
  })
})

test('a DKIM key comes from the file or beside it, not both and not neither, and two are the most', () => {
  const read = (dkim: object[]) => configSchema.safeParse({ publication, relay: { dkim } })
  const one = { domain: 'magazine.example', selector: 's1', key: 'PEM' }
  expect(read([one, { domain: 'magazine.example', selector: 's2', keyFile: 'a.pem' }]).success).toBe(true)
  expect(read([one, one, one]).error?.message).toContain('expected one key or two')
  expect(read([{ ...one, keyFile: 'a.pem' }]).error?.message).toContain('expected key or keyFile')
  expect(read([{ domain: 'magazine.example', selector: 's1' }]).error?.message).toContain('expected key or keyFile')
  expect(read([{ ...one, domain: 'magazine.example; b=' }]).error?.message).toContain('expected a domain')
  expect(read([{ ...one, selector: 's1\r\nX: y' }]).success).toBe(false)
})

test('of every relay what gives access is masked', () => {
  const oauth2 = { tokenUrl: 'https://x.example/t', clientId: 'a', clientSecret: 'hunter2', refreshToken: 'hunter3' }
  const relays = [
    { host: 'b', user: 'mira', password: 'hunter2' },
    { host: 'c', user: 'mira', oauth2 },
  ]
  const config = configSchema.parse({ publication, relay: { user: 'mira', oauth2 }, relays })
  expect(JSON.stringify(maskSecrets(config))).not.toContain('hunter')
  expect(JSON.stringify(config)).toContain('hunter3')
})

test('a secret of OAuth 2 comes from the environment, or from a file that it names', () => {
  const environment = {
    LASTWORD_RELAY__USER: 'mira',
    LASTWORD_RELAY__OAUTH2__TOKEN_URL: 'https://x.example/t',
    LASTWORD_RELAY__OAUTH2__CLIENT_ID: 'a',
    LASTWORD_RELAY__OAUTH2__CLIENT_SECRET: 'hunter2',
    LASTWORD_RELAY__STANDBY: 'false',
  }
  expect(read(least, environment).relay).toMatchObject({ oauth2: { clientSecret: 'hunter2' }, standby: false })
})

test('a DKIM key is masked', () => {
  const dkim = [{ domain: 'magazine.example', selector: 's1', key: 'PEM' }]
  const masked = maskSecrets(configSchema.parse({ publication, relay: { dkim } }))
  expect(masked.relay.dkim).toEqual([{ ...dkim[0], key: '********' }])
})

const publication = { name: 'M', site: 'https://m.example', contact: 'a@m.example', address: 'M' }
