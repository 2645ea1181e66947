import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { rss, startFeedHost } from '../../support/feeds.ts'
import { type Home, makeHome } from '../../support/home.ts'

let home: Home
const closing: (() => unknown)[] = []

beforeEach(async () => {
  const host = await startFeedHost()
  closing.push(host.close)
  home = makeHome({ feeds: `${host.url}/feeds`, allow: [new URL(host.url).host] })
  closing.push(home.remove)
  host.answer('/feeds/latest.xml', rss(['One', 'Two', 'Three']))
})

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const times = (text: string, word: string) => text.split(word).length - 1

test('a feed that fails is told once, in plain words', async () => {
  const pulled = await home.lastword('feeds', 'refresh')
  expect(times(pulled.stdout + pulled.stderr, '/feeds/last-word.xml')).toBe(1)
  home.write('people.csv', 'email\nmira@readers.example\n')
  await home.lastword('subscribers', 'import', join(home.folder, 'people.csv'))
  const run = await home.lastword('run', 'weekly', '--dry-run')
  expect(times(run.stdout + run.stderr, '/feeds/last-word.xml')).toBe(1)
})

test('an approval that is refused for a setting says so once, with file and line', async () => {
  home.write('people.csv', 'email\nmira@readers.example\n')
  await home.lastword('subscribers', 'import', join(home.folder, 'people.csv'))
  const job = readFileSync(join(home.folder, 'jobs/weekly.yml'), 'utf8')
  home.write('jobs/weekly.yml', `${job}thin: { minimum: 99, rule: hold }\n`)
  await home.lastword('run', 'weekly')
  const text = readFileSync(join(home.folder, 'lastword.yml'), 'utf8')
  home.write(
    'lastword.yml',
    `${text.replace('host: 127.0.0.1', 'host: smtp.harbour.net')}web: { url: "http://localhost:3000" }\n`,
  )
  const { code, stderr } = await home.lastword('edition', 'approve', 'weekly', '--yes')
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('was not approved.') })
  expect(times(stderr, 'web.url is http://localhost:3000')).toBe(1)
  expect(stderr).toMatch(/lastword\.yml:\d+.*web\.url is/)
})
