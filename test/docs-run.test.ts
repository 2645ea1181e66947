import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { type FeedServer, startFeedServer } from '../src/demo/feed-server.ts'
import { systemClock } from '../src/time/clock.ts'
import { commandLines } from './support/command-lines.ts'
import { type Home, makeHome } from './support/home.ts'
import { type Page, readPage } from './support/markdown.ts'
import { startRelay } from './support/smtp/relay.ts'

/** Commands that do not end, or that have tests of their own because they take long; by their first words. */
const notRunHere = ['start', 'drill']

const readme = readPage('README.md', readFileSync('README.md', 'utf8'))
const others = readdirSync('docs').map((file) => readPage(file, readFileSync(join('docs', file), 'utf8')))

let magazine: FeedServer
const closing: (() => unknown)[] = []

beforeAll(async () => {
  magazine = await startFeedServer({ clock: systemClock })
  return () => magazine.close()
})

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

test('whoever follows the README gets what it prints, and a sent edition', async () => {
  const { home, relay } = await emptyHome()
  for (const line of linesOf(readme)) {
    const { code, stdout, stderr } = await run(home, line)
    expect(code, `${line.join(' ')}\n${stdout}${stderr}`).toBe(0)
    if (line[0] === 'init') fillIn(home, relay.port)
    if (line[1] === 'import') expect(`${stderr}${stdout}`.trimEnd()).toBe(printedAfter('people.csv'))
    if (line.includes('--dry-run')) expect(relay.accepted).toEqual([])
    if (line[1] === 'preview')
      expect(readdirSync(join(home.folder, 'preview')).sort()).toEqual(['index.html', 'index.txt', 'message.eml'])
  }
  expect(relay.accepted.map(({ to }) => to).sort()).toEqual(['jo@readers.example', 'mira@readers.example'])
})

test('the demo prints what the README says', async () => {
  const { home } = await emptyHome()
  const { stdout } = await home.begin('demo', '--once', '--json').ended
  const [json] = readme.blocks.filter(({ language }) => language === 'json')
  const withoutSize = (line = '{}') => ({ ...JSON.parse(line), bytesHtml: 0 })
  expect(withoutSize(stdout.trim().split('\n').at(-1))).toEqual(withoutSize(json?.text))
  const [printed = ''] = readme.blocks
    .filter(({ text }) => text.includes('200 subscribers got'))
    .map(({ text }) => text)
  expect(stdout).toContain(printed.split('\n')[0])
})

test('every command of the other pages succeeds where an edition was sent', async () => {
  const { home, relay } = await homeWithEdition()
  const lines = others.flatMap((page) => linesOf(page).map((line) => ({ file: page.file, line })))
  for (const { file, line } of lines) {
    const { code, stdout, stderr } = await run(home, line)
    expect(code, `${file}: ${line.join(' ')}\n${stdout}${stderr}`).toBe(0)
  }
  expect(lines.length).toBeGreaterThan(10)
  expect(relay.accepted.length).toBe(2)
})

test('the question who got what has an answer for each person', async () => {
  const { home } = await homeWithEdition()
  const [sql = ''] = others
    .flatMap(({ blocks }) => blocks.filter(({ language }) => language === 'sql'))
    .map((b) => b.text)
  const db = new DatabaseSync(join(home.folder, 'data/lastword.db'))
  closing.push(() => db.close())
  expect(db.prepare(sql).all()).toMatchObject([
    { email: expect.any(String), status: 'accepted', attempts: 1, reply: expect.stringContaining('250') },
    { email: expect.any(String), status: 'accepted' },
  ])
})

function linesOf(page: Page): string[][] {
  const lines = page.blocks.filter(({ language }) => language === 'sh').flatMap(commandLines)
  return lines.filter(([first = '']) => !notRunHere.includes(first))
}

/** The addresses of the pages are those of nobody: the magazine's take their place. */
function run(home: Home, line: string[]) {
  const words = line.map((word) => word.replace('https://www.example.org', magazine.url))
  return home.lastword(...words)
}

/** What the README shows below the command that names `word`. */
function printedAfter(word: string): string {
  const at = readme.blocks.findIndex(({ language, text }) => language === 'sh' && text.includes(word))
  return readme.blocks[at + 1]?.text ?? ''
}

async function emptyHome() {
  const relay = await startRelay()
  const home = makeHome({ relayPort: relay.port })
  closing.push(relay.close, home.remove)
  for (const file of ['lastword.yml', 'jobs/weekly.yml']) home.discard(file)
  return { home, relay }
}

/** What a person writes into the files that `lastword init` made, and the list of the README. */
function fillIn(home: Home, relayPort: number): void {
  const [job = ''] = readme.blocks.filter(({ language }) => language === 'yaml').map(({ text }) => text)
  const [people = ''] = readme.blocks.filter(({ language }) => language === 'csv').map(({ text }) => text)
  home.write('jobs/my-weekly.yml', `${job.replace('https://www.example.org', magazine.url)}\n`)
  home.write('people.csv', `${people}\n`)
  const config = readFileSync(join(home.folder, 'lastword.yml'), 'utf8')
  const allowed = JSON.stringify([new URL(magazine.url).host])
  const filled = config
    .replace(
      /^ {2}host: localhost\n {2}port: 587\n {2}security: starttls/m,
      `  host: 127.0.0.1\n  port: ${relayPort}\n  security: none\n  catcher: true`,
    )
    .replace(/^ {2}alertAfter: 24h/m, `  alertAfter: 24h\n  allow: ${allowed}`)
  writeFileSync(join(home.folder, 'lastword.yml'), filled)
}

async function homeWithEdition() {
  const made = await emptyHome()
  const setUp = ['init --digest my-weekly', 'subscribers import people.csv', 'run my-weekly']
  for (const line of setUp) {
    const { code, stderr } = await made.home.lastword(...line.split(' '))
    expect(code, stderr).toBe(0)
    if (line.startsWith('init')) fillIn(made.home, made.relay.port)
  }
  return made
}
