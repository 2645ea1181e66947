import { chmodSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Home, makeHome } from '../../support/home.ts'

let home: Home
let umask: number

beforeEach(() => {
  umask = process.umask(0o022) // as Debian has it
  home = makeHome({ environment: { LASTWORD_WEB__PORT: '0' } })
})
afterEach(() => {
  process.umask(umask)
  home.remove()
})

const modeOf = (file: string) => (statSync(join(home.folder, file)).mode & 0o777).toString(8)

test('what a command writes is for its owner alone', async () => {
  const before = new Set(readdirSync(home.folder, { recursive: true }) as string[])
  for (const command of [
    ['migrate'],
    ['init', '--digest', 'second'],
    ['feeds', 'export', 'feeds.opml'],
    ['feeds', 'import', 'feeds.opml', '--digest', 'second'],
    ['demo', '--once', '--mail-dir', 'mails'],
  ]) {
    const { code, stderr } = await home.begin(...command).ended
    expect(code, stderr).toBe(0)
  }
  const made = (readdirSync(home.folder, { recursive: true }) as string[]).filter((name) => !before.has(name))
  expect(made).toEqual(expect.arrayContaining(['data/lastword.db', 'jobs/second.yml', 'feeds.opml', 'mails']))
  expect(made.filter((name) => !/^(600|700)$/.test(modeOf(name)))).toEqual([])
  expect(made.filter((name) => name.endsWith('.eml'))).toHaveLength(200)
})

test('start warns of a database that others can read, and says what to type', async () => {
  await home.begin('migrate').ended
  chmodSync(home.folder, 0o755)
  chmodSync(join(home.folder, 'data'), 0o755)
  chmodSync(join(home.folder, 'data/lastword.db'), 0o644)
  const { child, ended } = home.begin('start')
  child.stdout?.on('data', (chunk) => `${chunk}`.includes('Pages:') && child.kill('SIGTERM'))
  const { stderr } = await ended
  const warnings = stderr.split('\n').filter((line) => line.includes('"event":"file.exposed"'))
  expect(warnings.map((line) => JSON.parse(line).msg)).toEqual([
    expect.stringMatching(/can read data\/lastword\.db.* Fix it with: chmod 600 data\/lastword\.db/),
    expect.stringMatching(/Fix it with: chmod 700 data$/),
  ])
})
