import { chmodSync, chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { configSchema } from '../../src/config/config.ts'
import { type Exposed, exposedFiles } from '../../src/config/exposed-files.ts'

const publication = { name: 'M', site: 'https://m.example', contact: 'a@m.example', address: 'M' }

let folder: string
let here: string

beforeEach(() => {
  here = process.cwd()
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'lastword-exposed-')))
  chmodSync(folder, 0o755)
  process.chdir(folder)
  mkdirSync('data')
  for (const name of ['', '-wal', '-shm']) put(`data/lastword.db${name}`, 0o600)
  put('lastword.yml', 0o644, 'relay: { user: mira }\n')
  chmodSync('data', 0o755)
})
afterEach(() => {
  process.chdir(here)
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

function put(file: string, mode: number, text = 'x'): string {
  writeFileSync(file, text)
  chmodSync(file, mode)
  return file
}

function found(more: { relay?: object; store?: object } = {}): Exposed['command'][] {
  const config = configSchema.parse({ publication, ...more })
  return exposedFiles(config, 'lastword.yml').map(({ command }) => command)
}

test('a database that others can read is named with its log, its folder and what to type', () => {
  chmodSync('data', 0o700)
  expect(found()).toEqual([])
  chmodSync('data/lastword.db', 0o644)
  chmodSync('data/lastword.db-wal', 0o640)
  expect(found()).toEqual([]) // the closed folder protects it
  chmodSync('data', 0o755)
  expect(found()).toEqual(['chmod 600 data/lastword.db data/lastword.db-wal', 'chmod 700 data'])
  chmodSync(folder, 0o700)
  expect(found()).toEqual([])
})

test('the group counts for a file of ours; where the file is of another user, we read by the group ourselves', () => {
  chmodSync('data', 0o700)
  const file = put('relay password', 0o640)
  const relay = { user: 'mira', passwordFile: file }
  expect(found({ relay })).toEqual(["chmod 600 'relay password'"])
  if (process.getuid?.() !== 0) return
  chownSync(file, 65534, 65534)
  expect(found({ relay })).toEqual([])
  chmodSync(file, 0o644)
  expect(found({ relay })).toEqual(["chmod 600 'relay password'"])
})

test('every file for a secret counts, also one that the environment names, and each once', () => {
  chmodSync('data', 0o700)
  const [password, token, key] = ['password', 'token', 'dkim.pem'].map((name) => put(name, 0o644))
  vi.stubEnv('LASTWORD_WEB__SECRET_FILE', password)
  const oauth2 = { tokenUrl: 'https://x.example/t', clientId: 'a', clientSecretFile: token, refreshTokenFile: token }
  const dkim = [{ domain: 'm.example', selector: 's1', keyFile: key }]
  expect(found({ relay: { user: 'mira', oauth2, dkim } })).toEqual(
    ['token', 'dkim.pem', 'password'].map((name) => `chmod 600 ${name}`),
  )
})

test.each([
  ['relay: { user: mira, passwordFile: /etc/secret }', false],
  ['relay: { user: mira, password: hunter2 }', true],
  ['relays: [{ host: b, user: mira, password: hunter2 }]', true],
  ['relay: { dkim: [{ domain: a, selector: b, key: PEM }] }', true],
  ['web: { url: "https://news.m.example" }', false],
  ['store: { url: "postgres://mira:hunter2@db/x" }', true],
  ['store: { url: "postgres://mira@db/x" }', false],
])('lastword.yml with %s holds a secret: %s', (text, isSecret) => {
  chmodSync('data', 0o700)
  put('lastword.yml', 0o644, `${text}\n`)
  expect(found()).toEqual(isSecret ? ['chmod 600 lastword.yml'] : [])
})

test('nobody is told to close the folder of the installation, or one of the system', () => {
  put('lastword.db', 0o600)
  expect(found({ store: { url: 'file:lastword.db' } })).toEqual([])
  expect(found({ store: { url: 'file:/etc/hostname' } })).not.toContain('chmod 700 /etc')
})
