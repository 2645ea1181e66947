import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { type Dirent, readdirSync, readFileSync } from 'node:fs'
import { join, matchesGlob } from 'node:path'
import { expect, test } from 'vitest'

/** The folders of src from low to high: a folder imports from those before it in this list, never from those after it. */
const folders = [
  'text',
  'time',
  'runtime',
  'config',
  'http',
  'store',
  'mail',
  'queue',
  'describe',
  'subscribers',
  'feeds',
  'articles',
  'pictures',
  'editions',
  'messages',
  'deliveries',
  'outcomes',
  'app.ts',
  'pipeline',
  'web',
  'cli',
  'demo',
  'main.ts',
]

/** Files at the root of src that every folder may import. */
const foundations = ['errors.ts', 'log.ts']

/** Each outside package has one owner, or the few that are named here. */
const owners: Record<string, string[]> = {
  '@hono/node-server': ['web/', 'demo/'],
  '@mozilla/readability': ['feeds/parse/'],
  chardet: ['feeds/parse/encoding/'],
  commander: ['cli/'],
  croner: ['editions/'],
  'csv-parse': ['subscribers/import/'],
  entities: ['feeds/', 'messages/', 'mail/smtp/auth/masking.ts'],
  handlebars: ['messages/', 'web/page.ts'],
  hono: ['web/', 'demo/'],
  'ipaddr.js': ['http/'],
  kysely: ['store/'],
  libmime: ['mail/'],
  linkedom: ['feeds/parse/'],
  mailparser: ['demo/'],
  mjml: ['messages/'],
  'node-cron': ['pipeline/schedule.ts'],
  nodemailer: ['mail/smtp/'],
  pg: ['store/postgres.ts'],
  pino: ['log.ts'],
  'rss-parser': ['feeds/parse/'],
  'sanitize-html': ['feeds/markup/'],
  sharp: ['pictures/'],
  'smtp-server': ['demo/'],
  undici: ['http/'],
  uuid: ['store/'],
  yaml: ['config/', 'cli/', 'describe/'],
  zod: ['config/', 'editions/digest.ts', 'editions/jobs/'],
}

/** A migration that has landed never changes: its SHA-256 is kept here. */
const frozen: Record<string, string> = {
  '0001-first.ts': '49ae7722aa36dec40ea4d622c35fb2d8ef47f5fc0f8c8b0b0f28535fa9fac822',
  '0002-feeds.ts': '4201845c36030221b3b9dae01fd6dabf880f6703795965bd8399f38b0d10f870',
  '0003-choice.ts': '08c32deb0a8f93f4771469d29fb3d32a5541a718d1fa82a61ef2262f019199cb',
  '0004-corrections.ts': '27fd4d5dbb08f7df0b93f0ab9b842790ebf1523686f0e3b3d11fb0634435a3ec',
  '0005-letters.ts': 'ccbb1598033144012c434798c58ffe722c0d9fb3d697e7696b61d7139833e342',
  '0006-addresses.ts': 'ec16a79354e80cbf2fa552d1f9efdd0bc2ee6a6a1811642aafdf74bf7ddecfb2',
  '0007-bodies.ts': '2b0a430dde6624c8df26113201b4a377427939b684fff900010cada9d74d9026',
  '0010-answers.ts': '54926822e717262a6e41d793c9406fa013f465b5d941594347cdcc94f62bc6eb',
  '0011-copies.ts': '2add490f4c0b0e74aa5bd04f55bb4f7583d559308b5db84c56b1a1d67dfbb171',
  '0012-feeds-record.ts': 'd0c491b8ed84cb70acd0cd8a8f5cbb6e54615ae3cb1440cb77115d7284f2f868',
  '0013-pace.ts': 'c4a86d192bbf5d3aff1dc924af86702dba34d031f21db709ba26b5dee0724399',
  '0014-delivery-counts.ts': '126d541ff93f25e8dbc5e7f9acc8b9fda93e6d5c393d98f2c5c77918e98f49c3',
  '0015-local-time.ts': '394b3c7d716ed66da6d134abde19b379d9cf572998a50a64b1fcf23b0a54616a',
  '0016-relays.ts': '96e842584e65e26259134524dac5ee7b477a9c6d108f147100505402dd84f9fc',
  '0017-confirmations.ts': '53e52b6968467c6ca5748b7ba947ee1f7202b0be42a396432e8d9f2799599ebe',
  '0018-long-addresses.ts': '841436929e8d0b51baf66efea17252baf24e368c47924dc1075d6165567d3abf',
  '0019-notices.ts': '6cdc3ac29abdab12ff57ea36d5d2a507f4f9142e9950baa509629bafde40173e',
  '0020-sessions.ts': 'e6be2c64484fff97c5984a54155a688327ea965ccd4bb98eebb2c673741a785c',
  '0021-letter-versions.ts': 'a5613071958c6393e68425d5509c29397f98a6aac9e066364cb10f3b109a5741',
  '0022-approval.ts': '7b740a70d61c0520f476fb7255e640fee8537b77e425e679e4e345fb93629d31',
  '0023-job-files-and-corrections.ts': 'dc87a7d89186ee47172c0848d290b9bbba253a175089fcee58094e674a31b17b',
  '0024-forgotten-articles.ts': 'd66da228af3991fdc54eee889322375717d0b77a6d931ba2179e1565ae18a0e7',
  '0029-kept-form-names-and-schedule-changes.ts': '3eda292cf18569009d88df7e61dee7fd5900ae804b9b94f1c7e2dc485f8b555e',
  '0031-sending-slices.ts': '44a6feb5bd81abbb18c8dea232c60db6fe70d12d1899248d3aad9667e9a961bc',
  '0032-events.ts': '424fd4f80c179b7a1f1885bd5f2b683fc6ff055151e691f715fe221fcbee7204',
  '0030-paused-and-quarantined.ts': '04e66a07c39a5a24a5a820493ed65d93785d45843fd61f992479957ae114ff88',
  '0033-outbox.ts': '2c17adb5c333d88766bff3cf22d714ce85803def6e2c8affb62012409ee3b350',
  '0034-letters.ts': '65221a461c47f792a53a64990ed683905bc481a089acb6e297764c06de7e565c',
  '0035-edits.ts': 'efd1f820983852e49c658ee46c5b3a51925f1afecb9032a6188ab8aeacc99d3a',
  '0036-reasons.ts': '33e63665d1276295de5a2024e792823d6ddc69ae3b7961bd3cbe3061c017d899',
  '0037-staff.ts': '042e6535fd906981209823d540b4fabc45c475a087db634c2159d7aa77dd5c94',
  '0039-pictures.ts': '016409f031e6a6b3a2e4fca3e0c8bb69de967a79dc2518deb83f0731be102f4e',
  '0042-correction-classes.ts': '0d05a709825b6acc87319d64df769e1fec5fead156b2ddcd682634798ace9376',
  '0044-replies.ts': '0708cfa47f63a8f47df6fb907be288f27da7af67cc06ad51207af09746618a19',
  '0043-text-fingerprints.ts': 'ba15bc24d7f28f51ce8cc74368bc98b8c11e8fb91e57a73c88c36a5c2beec9df',
  '0038-publishers.ts': '4299dab2c7a6277cc17fcdc5c2dfcf431e472e6320e0c9aee99b0a2a0b17a4f8',
}

/** Phrases that no comment, sentence or template has, and what to write instead. */
const plainWords: Record<string, string> = {
  'on record': 'stored, or recorded',
  'so many': 'the number, or "this many"',
  'so much': 'the amount, or "this much"',
  'so often': 'the frequency, or "this often"',
  'for good': 'permanently',
  'for ever': 'always',
  'no longer so': 'what has changed',
  'in truth': 'really, or nothing',
  'in vain': 'without success',
  'all the same': 'anyway',
  'as it stands': 'unchanged, or current',
  'as they stand': 'unchanged, or current',
  'of its own accord': 'by itself, or automatically',
  'sees to it': 'makes sure, or the action itself',
  'gives way': 'is replaced, or is deleted',
  'puts down': 'records',
  'put down': 'recorded',
  'tells of': 'names, or describes',
  'goes out': 'is sent',
  'go out': 'are sent',
  'went out': 'was sent',
  'on its way': 'in flight, or being sent',
  'on their way': 'in flight, or being sent',
  'a feed showed': 'a feed contained',
  'a feed shows': 'a feed contains',
  meanwhile: 'since then, or while something else happens',
  whom: 'an active sentence that says who does it',
  whoever: 'the person who',
}

const sources = (readdirSync('src', { recursive: true }) as string[]).filter((file) => file.endsWith('.ts')).sort()

type Import = { file: string; from: string; onlyType: boolean }

const imports: Import[] = sources.flatMap((file) => importsIn(read(file)).map((one) => ({ file, ...one })))

test.each([
  ["import { a } from 'b'", 'b'],
  ["import { a, type B } from 'b'", 'b'],
  ["import {\n  a,\n  b,\n} from 'b'", 'b'],
  ["import a from 'b'", 'b'],
  ["import a, { b } from 'b'", 'b'],
  ["import * as a from 'b'", 'b'],
  ["import a, * as b from 'b'", 'b'],
  ["import 'b'", 'b'],
  ["import './b.ts'", './b.ts'],
  ["import a from './a.json' with { type: 'json' }", './a.json'],
  ["export { a } from 'b'", 'b'],
  ["export * from 'b'", 'b'],
  ["export * as a from 'b'", 'b'],
  ["  const a = await import('b')", 'b'],
  ["const a = () => import(\n  'b',\n)", 'b'],
  ["import type { A } from 'b'", 'b (type)'],
  ["import type A from 'b'", 'b (type)'],
  ["export type { A } from 'b'", 'b (type)'],
  ["type A = import('b').A", 'b'],
  ["export const a = 'b'", undefined],
  ["export type A = 'b'", undefined],
  ["// where the imports from 'b' are", undefined],
])('%j imports %s', (source, expected) => {
  const found = importsIn(source).map(({ from, onlyType }) => `${from}${onlyType ? ' (type)' : ''}`)
  expect(found).toEqual(expected === undefined ? [] : [expected])
})

test('a folder imports from those above it, never from below', () => {
  const wrong = imports.filter(({ from }) => from.startsWith('.')).filter((one) => !mayImport(one, targetOf(one)))
  expect(wrong).toEqual([])
})

test('every outside package is imported by its owner alone', () => {
  const outside = imports.filter(({ from }) => !from.startsWith('.') && !from.startsWith('node:'))
  const wrong = outside.filter(({ file, from }) => !owners[packageOf(from)]?.some((owner) => file.startsWith(owner)))
  expect(wrong).toEqual([])
})

test('every package that is depended on is imported, and every one that is imported is depended on', () => {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> }
  const used = new Set(imports.filter(({ from }) => !/^(\.|node:)/.test(from)).map(({ from }) => packageOf(from)))
  expect([...used].sort()).toEqual(Object.keys(dependencies).sort())
})

test('what strangers send is decoded and parsed in a worker: nothing else imports what reads it', () => {
  const reading = [
    'decode.ts',
    'page/page-facts.ts',
    'page/page-state.ts',
    'page/page-text.ts',
    'read-task.ts',
    'xml/xml-feed.ts',
    'xml/tree.ts',
    'xml/tree-builder.ts',
    'json-feed.ts',
  ]
  const workerSide = [...reading, 'reader-worker.ts', 'parse-feed.ts'].map((file) => `feeds/parse/${file}`)
  const wrong = imports
    .filter(({ file, from, onlyType }) => !onlyType && !workerSide.includes(file) && from.startsWith('.'))
    .filter((one) => reading.some((name) => targetOf(one) === `feeds/parse/${name}`))
  expect(wrong).toEqual([])
  const here = sources.filter((file) => !workerSide.includes(file) && /\bparseInThisThread\b/.test(read(file)))
  expect(here).toEqual([])
})

test('editions are rendered in a worker: nothing else imports what does that', () => {
  const rendering = ['render.ts', 'edition-view.ts', 'template-faults.ts', 'visible-text.ts', 'body.ts', 'template.ts']
  const workerSide = [...rendering, 'render-task.ts'].map((file) => `messages/${file}`)
  const wrong = imports
    .filter(({ file, from, onlyType }) => !onlyType && !workerSide.includes(file) && from.startsWith('.'))
    .filter((one) => rendering.some((name) => targetOf(one) === `messages/${name}`))
  expect(wrong).toEqual([])
})

test('no files import each other in circles', () => {
  const targets = Map.groupBy(
    imports.filter(({ from }) => from.startsWith('.')),
    ({ file }) => file,
  )
  const done = new Set<string>()
  const circles: string[] = []
  const follow = (file: string, path: string[]): void => {
    const start = path.indexOf(file)
    if (start >= 0) return void circles.push([...path.slice(start), file].join(' → '))
    if (done.has(file)) return
    for (const one of targets.get(file) ?? []) follow(targetOf(one), [...path, file])
    done.add(file)
  }
  for (const file of sources) follow(file, [])
  expect(circles).toEqual([])
})

test('no folder holds more than twenty files', () => {
  const counts = Map.groupBy(
    sources.filter((file) => !file.startsWith('store/migrations/')), // one file for each change ever made
    (file) => file.split('/').slice(0, -1).join('/'),
  )
  expect([...counts].filter(([, files]) => files.length > 20).map(([folder]) => folder)).toEqual([])
})

test('names are words of the field: no moods and jokes for constants, and no former names', () => {
  const moods =
    /^(?:export )?const (?:most|again|memory|rest|patience|longest|tallest|atOnce|telling|often|politely)\b/m
  const former =
    /\b(?:heed\w*|letOthersWork|brokenPromise|(?:take|give)Cookie|blameless|nothingElse|openClerk|openTurns|inLanes|rehearse|stepBack|brake(?:Now|On|Off|Words)|objections?|mostAttempts|endForNobody|tellOfRelay|speakOver|unspeakable|standsElsewhere|whereTo|askAgain|keptSecret|giveBackOf|takeOf|tellersOf|holdOn|endHold|settleHeld|saidOf|recordSaid|letterAbout)\b/
  const wrong = sources
    .filter((file) => !file.startsWith('store/migrations/'))
    .filter((file) => moods.test(read(file)) || former.test(read(file)))
  expect(wrong).toEqual([])
})

test('comments and sentences are in plain English: no phrase that a reader has to translate', () => {
  const templates = (readdirSync('templates', { recursive: true, withFileTypes: true }) as Dirent[])
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  const ours = sources.filter((file) => !file.startsWith('store/migrations/')).map((file) => join('src', file))
  const found = [...ours, ...templates].flatMap((path) => {
    const text = readFileSync(path, 'utf8')
    return Object.entries(plainWords).flatMap(([phrase, instead]) =>
      [...text.matchAll(patternOf(phrase))].map(({ index }) => {
        const line = text.slice(0, index).split('\n').length
        return `${path}:${line} says "${phrase}": write ${instead}`
      }),
    )
  })
  expect(found, found.join('\n')).toEqual([])
})

test('SQL is written in the store alone', () => {
  const wrong = sources.filter(
    (file) => !file.startsWith('store/') && /\b(selectFrom|insertInto|updateTable|deleteFrom)\(/.test(read(file)),
  )
  expect(wrong).toEqual([])
})

test('only config/config.ts reads the environment; main.ts sets the time zone of the process', () => {
  const reading = sources.filter((file) => /process\.env\b/.test(read(file).replace("process.env.TZ = 'UTC'", '')))
  expect(reading).toEqual(['config/config.ts'])
  expect(read('main.ts')).toMatch(/^process\.env\.TZ = 'UTC'$/m)
})

test('a migration that has landed has not changed, and imports nothing of ours', () => {
  const migrations = sources.filter((file) => file.startsWith('store/migrations/'))
  const hashes = migrations.map((file) => [
    file.split('/').at(-1),
    createHash('sha256').update(read(file)).digest('hex'),
  ])
  expect(Object.fromEntries(hashes)).toEqual(frozen)
  expect(imports.filter(({ file, from }) => file.startsWith('store/migrations/') && from.startsWith('.'))).toEqual([])
})

test('no function is longer than 60 lines or has more than 15 branches: the linter counts them', () => {
  const { overrides } = JSON.parse(readFileSync('biome.json', 'utf8'))
  const [{ includes, linter }] = overrides
  expect(includes).toEqual(['src/**', '!src/store/migrations/**'])
  expect(linter.rules.complexity).toEqual({
    noExcessiveCognitiveComplexity: { level: 'error', options: { maxAllowedComplexity: 15 } },
    noExcessiveLinesPerFunction: { level: 'error', options: { maxLines: 60 } },
  })
  const ignored = sources.filter((file) => /biome-ignore lint\/complexity\/noExcessive/.test(read(file)))
  expect(ignored).toEqual([])
})

test('the source is erasable: no enums, parameter properties, namespaces, decorators or JSX', () => {
  const { compilerOptions } = JSON.parse(readFileSync('tsconfig.json', 'utf8'))
  expect(compilerOptions).toMatchObject({
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    strict: true,
    noEmit: true,
  })
  expect(sources.filter((file) => file.endsWith('.tsx'))).toEqual([])
})

test('a compile cache has a folder that is named, and every file is made for its owner alone', () => {
  const inTests = (readdirSync('test', { recursive: true }) as string[]).filter((file) => file.endsWith('.ts'))
  const texts = [...sources.map((file) => join('src', file)), ...inTests.map((file) => join('test', file))].map(
    (path) => [path, readFileSync(path, 'utf8')] as const,
  )
  expect(texts.filter(([, text]) => /enableCompileCache\(\s*\)/.test(text)).map(([path]) => path)).toEqual([])
  expect(read('main.ts')).toMatch(/^process\.umask\(0o077\)/m)
})

test('no module does anything when it is imported but main.ts', () => {
  const acting = sources.filter(
    (file) => file !== 'main.ts' && !file.endsWith('-worker.ts') && /^(await |void |[a-z]\w*\()/m.test(read(file)),
  )
  expect(acting).toEqual([])
})

test('what an installation has of its own, and what the recipes leave behind, is never in the way of git pull', () => {
  const own = ['lastword.yml', 'jobs/harbour-weekly.yml', 'jobs/harbour.yaml', 'data/lastword.db', 'people.csv']
  const left = [
    'backup.db',
    'compact.db',
    'feeds.opml',
    'preview/index.html',
    'past/a/index.html',
    'damaged/lastword.db',
  ]
  const tracked = ['lastword.example.yml', 'jobs/public-sector-weekly.example.yml', 'jobs/digest.schema.json']
  const ignored = (paths: string[]) =>
    paths.filter((path) => spawnSync('git', ['check-ignore', '--no-index', '-q', path]).status === 0)
  expect(ignored([...own, ...left])).toEqual([...own, ...left])
  expect(ignored(tracked)).toEqual([])
})

test('a package holds what the program needs, and nothing of the tests or of an installation', () => {
  const { status, stdout, stderr } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'])
  expect(status, stderr.toString()).toBe(0)
  const files = Object.values(JSON.parse(stdout.toString()) as { files: { path: string; mode: number }[] }[]).flatMap(
    (one) => one.files,
  )
  const packed = files.map(({ path }) => path).sort()
  const parts = ['src', 'templates', 'docs', 'fixtures/demo']
  const needed = parts.flatMap((part) =>
    (readdirSync(part, { recursive: true, withFileTypes: true }) as Dirent[])
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  )
  const tls = ['fixtures/tls/localhost.key', 'fixtures/tls/localhost.pem']
  const single = ['CHANGELOG.md', 'LICENSE', 'README.md', 'lastword.example.yml', 'package.json']
  const jobs = ['jobs/digest.schema.json', 'jobs/public-sector-weekly.example.yml']
  expect(packed).toEqual([...needed, ...tls, ...single, ...jobs].sort())
  expect(files.find(({ path }) => path === 'src/lastword')?.mode).toBe(0o755)
})

test('the top level holds what the tree names and nothing else', () => {
  const ignored = readFileSync('.gitignore', 'utf8')
    .split('\n')
    .filter((line) => /^[^#!]/.test(line))
  const isIgnored = (name: string) => ignored.some((pattern) => matchesGlob(name, pattern.replace(/^\/|\/$/g, '')))
  const top = readdirSync('.').filter((name) => !name.startsWith('.') && !isIgnored(name))
  const known = [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'biome.json',
    'docs',
    'fixtures',
    'jobs',
    'lastword.example.yml',
    'package-lock.json',
    'package.json',
    'src',
    'templates',
    'test',
    'tsconfig.json',
    'vitest.config.ts',
  ]
  expect(top.filter((name) => !known.includes(name))).toEqual([])
})

/** Matches the phrase in any case, also across the lines of a comment. */
function patternOf(phrase: string): RegExp {
  return new RegExp(`\\b${phrase.replaceAll(' ', String.raw`\s+(?:\*\s+|//\s+|#\s+)?`)}\\b`, 'gi')
}

/** What a source file imports or exports from elsewhere, also by `import()`, and without names (ECMA-262 §16.2.2). */
function importsIn(source: string): Omit<Import, 'file'>[] {
  const names = String.raw`(?:[\w$*][^'"();]*?|\{[^}]*\}\s*)from\s*`
  const declared = new RegExp(
    String.raw`^(?:import|export)( type)?\s*(?:${names})?'([^']+)'|\bimport\(\s*'([^']+)'`,
    'gm',
  )
  return [...source.matchAll(declared)].map(([, type, declaredFrom, calledFrom]) => ({
    from: declaredFrom ?? calledFrom ?? '',
    onlyType: type !== undefined,
  }))
}

function read(file: string): string {
  return readFileSync(join('src', file), 'utf8')
}

function targetOf({ file, from }: Import): string {
  return join(file, '..', from)
}

function mayImport({ file }: Import, target: string): boolean {
  if (target === '../package.json' || foundations.includes(target)) return true
  if (foundations.includes(file)) return false
  if (file === 'cli/demo.ts' || file === 'cli/drill.ts') return true // the two commands that run the demo
  return levelOf(target) <= levelOf(file)
}

function levelOf(file: string): number {
  const level = folders.indexOf(file.split('/')[0] ?? '')
  expect(level, `${file} is in no known folder`).toBeGreaterThanOrEqual(0)
  return level
}

function packageOf(from: string): string {
  const [first = '', second = ''] = from.split('/')
  return first.startsWith('@') ? `${first}/${second}` : first
}
