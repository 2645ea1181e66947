import { createReadStream, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { confirmSending, sendingQuestion } from '../../src/cli/terminal/confirm-sending.ts'
import { exitCodeOf, terminalLog } from '../../src/cli/with-app.ts'
import { startWorker, stopWorker } from '../../src/deliveries/worker.ts'
import { knownArticlesReason } from '../../src/editions/stories/flood.ts'
import { toJson } from '../../src/store/json.ts'
import { openStore } from '../../src/store/open.ts'
import type { EditionRow } from '../../src/store/schema.ts'
import { systemClock } from '../../src/time/clock.ts'
import { type FeedHost, rss, startFeedHost } from '../support/feeds.ts'
import { type Home, makeHome } from '../support/home.ts'
import { startRelay, type TestRelay } from '../support/smtp/relay.ts'

let host: FeedHost
let relay: TestRelay
let it: Home
const closing: (() => unknown)[] = []

beforeEach(async () => {
  host = await startFeedHost()
  host.answer('/latest.xml', rss(['Council', 'Trams', 'Harbour']))
  host.answer('/last-word.xml', rss([]))
  relay = await startRelay()
  it = makeHome({ relayPort: relay.port, feeds: host.url, allow: [new URL(host.url).host] })
  it.write('people.csv', 'email\nmira@readers.example\njo@readers.example\n')
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  it.remove()
  await relay.close()
  await host.close()
})

const importPeople = () => it.lastword('subscribers', 'import', 'people.csv')
const statuses = async () =>
  (await it.lastword('edition', 'list', '--json')).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .map(({ number, status }) => ({ number, status }))
const store = async () => {
  const opened = await openStore(`file:${join(it.folder, 'data/lastword.db')}`, systemClock)
  closing.push(opened.close)
  return opened.db
}
const configure = (change: (text: string) => string) => {
  const file = join(it.folder, 'lastword.yml')
  writeFileSync(file, change(readFileSync(file, 'utf8')))
}

test('a run before the first import uses nothing up, fails, and says what to do', async () => {
  const empty = await it.lastword('run', 'weekly')
  expect(empty.code).toBe(1)
  expect(empty.stdout).toMatch(/^weekly of \S+: skipped: nobody is subscribed to weekly/)
  expect(empty.stderr).toContain('lastword subscribers import FILE --digest weekly')
  await importPeople()
  const run = await it.lastword('run', 'weekly')
  expect(run).toMatchObject({ code: 0, stdout: 'weekly 1 is sent: 2 accepted\n' })
  expect(relay.accepted[0]?.raw.toString()).toContain('Council')
})

test('a run says that leave links need start, unless one is running on this store', async () => {
  await importPeople()
  expect((await it.lastword('run', 'weekly')).stderr).toContain('only while lastword start is running')
  const db = await store()
  const worker = await startWorker({ db, clock: systemClock }, 'start')
  await db.updateTable('workers').set({ pid: process.ppid }).execute() // of another process than the command's
  host.answer('/latest.xml', rss(['Fire', 'Flood', 'Frost']))
  const second = await it.lastword('run', 'weekly')
  expect(second.stdout).toContain('2 accepted')
  expect(second.stderr).not.toContain('lastword start')
  await stopWorker({ db, clock: systemClock }, worker)
})

test.each([
  ['on this machine', 'feeds:\n'],
  ['elsewhere', 'relays: [{ host: smtp.harbour.net, standby: true }]\nfeeds:\n'],
])('a relay %s that delivers, and settings that readers should not see: nothing is made or sent', async (_, feeds) => {
  await importPeople()
  configure((text) =>
    text
      .replace('letters@magazine.example', 'editor@example.org')
      .replace('catcher: true', 'catcher: false')
      .replace('feeds:\n', feeds),
  )
  expect((await it.lastword('config')).stderr).toMatch(/lastword\.yml(:\d+)?: web\.url is http:\/\/localhost:3000/)
  const refused = await it.lastword('run', 'weekly')
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toMatch(/lastword\.yml(:\d+)?: web\.url is http:\/\/localhost:3000/)
  expect(refused.stderr).toMatch(/lastword\.yml:4: publication\.contact is still that of the sample/)
  expect(refused.stderr).toContain('--anyway')
  expect((await it.lastword('edition', 'list')).stdout.trim()).toBe('')
  expect((await it.lastword('run', 'weekly', '--dry-run')).stderr).toContain('warning: lastword.yml')
  expect(relay.accepted).toEqual([])
  expect(await it.lastword('run', 'weekly', '--anyway')).toMatchObject({
    code: 0,
    stdout: 'weekly 1 is sent: 2 accepted\n',
  })
})

test('start says what keeps the digests from being sent, and serves its pages all the same', async () => {
  configure((text) =>
    `${text.replace('port: ', 'port: 1 # ')}web: { port: 0 }\n`.replace('catcher: true', 'catcher: false'),
  )
  const { child, ended } = it.begin('start')
  let said = ''
  for await (const piece of child.stdout ?? []) {
    said += piece
    if (said.includes('Editors: ')) break
  }
  child.kill('SIGTERM')
  const { code, stderr } = await ended
  expect(code).toBe(0)
  expect(stderr).toMatch(/^weekly is not sent yet: lastword\.yml:\d+: web\.url is http:\/\/localhost:3000/m)
  expect(stderr).toContain('"event":"edition.settings_unready"')
}, 30_000)

test('editions that wait are named, and one of them is sent by its number, or a new one takes over', async () => {
  await importPeople()
  const db = await store()
  await relay.close()
  const made = await it.lastword('run', 'weekly')
  expect(made.code).toBe(1) // the relay is away: the edition stands
  relay = await startRelay()
  configure((text) => text.replace(/port: \d+/, `port: ${relay.port}`))
  const old = { status: 'sealed', approvedAt: null, audienceAt: null, dueAt: '2026-01-02T07:00:00.000Z' } as const
  await db.deleteFrom('deliveries').execute()
  await db.deleteFrom('deliveryCounts').execute()
  await db.updateTable('editions').set(old).execute()
  const asked = await it.lastword('run', 'weekly')
  expect(asked.code).toBe(1)
  expect(asked.stderr).toContain('weekly 1: sealed, due 2026-01-02T07:00:00.000Z, “Council”')
  expect(asked.stderr).toContain('lastword run weekly --edition 1')
  expect(relay.accepted).toEqual([])
  for (const number of ['2', 'two', '1.5', '99999999999'])
    expect(await it.lastword('run', 'weekly', '--edition', number)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no edition weekly'),
    })
  expect((await it.lastword('run', 'weekly', '--new')).stdout).toBe('weekly 2 is sent: 2 accepted\n')
  expect(await statuses()).toEqual([
    { number: 2, status: 'sent' },
    { number: 1, status: 'cancelled' },
  ])
}, 30_000)

test('an edition that is paused before its audience is frozen is continued by resume, and run says so', async () => {
  await importPeople()
  await relay.close()
  await it.lastword('run', 'weekly') // the relay is away: the edition stands
  const db = await store()
  await db.deleteFrom('deliveries').execute()
  await db.updateTable('editions').set({ status: 'sending', audienceAt: null }).execute()
  expect(await it.lastword('edition', 'pause', 'weekly')).toMatchObject({ code: 0, stdout: 'weekly 1 is paused\n' })
  expect(await statuses()).toEqual([{ number: 1, status: 'paused' }])
  for (const args of [
    ['run', 'weekly'],
    ['run', 'weekly', '--edition', '1'],
  ]) {
    const { code, stderr } = await it.lastword(...args)
    expect(code).toBe(1)
    expect(stderr).toContain('Sending is paused. Continue it with lastword edition resume ')
    expect(stderr).not.toContain('edition approve')
  }
  expect((await it.lastword('edition', 'resume', 'weekly')).code).toBe(0)
  expect(await statuses()).toEqual([{ number: 1, status: 'sending' }])
})

test('an article is retracted and restored by its address, with what became of its edition', async () => {
  await importPeople()
  await it.lastword('run', 'weekly')
  const show = async () => JSON.parse((await it.lastword('edition', 'show', 'weekly', '--json')).stdout)
  const { url, title } = (await show()).choices[0]
  const retracted = await it.lastword('article', 'retract', url, '--reason', 'it is wrong', '--who', 'Ada')
  expect(retracted).toMatchObject({ code: 0, stdout: `${url} is retracted\nweekly 1 was sent with it already\n` })
  expect((await show()).choices[0]).toMatchObject({ url, retracted: 'it is wrong' })
  const shown = (await it.lastword('edition', 'show', 'weekly')).stdout
  expect(shown).toContain('  retracted by Ada: it is wrong')
  expect(shown).toContain(`Ada: Removed “${title}”: it is wrong; this edition was sent already`)
  expect((await it.lastword('edition', 'explain', url)).stdout).toMatch(/; retracted on 2.* by Ada: it is wrong/)
  expect((await it.lastword('article', 'list')).stdout).toMatch(/\n {2}retracted on 2\S+ by Ada: it is wrong\n$/)
  expect((await it.lastword('article', 'restore', url)).stdout).toBe(`${url} is restored\n`)
  expect((await it.lastword('article', 'list')).stdout).toMatch(/; restored on 2\S+ by operator\n$/)
  expect((await it.lastword('article', 'retract', 'https://a.example/no', '--reason', 'x')).stderr).toContain(
    'no article has the address https://a.example/no',
  )
})

test('two runs at once share one edition, and leave no other behind', async () => {
  await importPeople()
  const ended = await Promise.all([it.begin('run', 'weekly').ended, it.begin('run', 'weekly').ended])
  expect(await statuses()).toEqual([{ number: 1, status: 'sent' }])
  expect(relay.accepted).toHaveLength(2)
  expect(ended.some(({ code }) => code === 0)).toBe(true)
}, 30_000)

test('an edition that a rule holds is approved only in spite of having no article, and says why it is thin', async () => {
  await importPeople()
  await it.lastword('run', 'weekly', '--dry-run') // its articles are pending before there is a rule against them
  it.write(
    'jobs/weekly.yml',
    `${readFileSync(join(it.folder, 'jobs/weekly.yml'), 'utf8')}thin: { minimum: 5, rule: hold }\n`,
  )
  const job = readFileSync(join(it.folder, 'jobs/weekly.yml'), 'utf8')
  it.write('jobs/weekly.yml', job.replace('maximum: 12', 'maximum: 12, exclude: { words: [trams, harbour, council] }'))
  const held = await it.lastword('run', 'weekly')
  expect(held.stdout).toMatch(
    /no new articles \(this digest needs 5\); \d pending articles were left out \(1: the section/,
  )
  expect(held.stderr).toMatch(/It has no articles\. .*--anyway/)
  expect(held.stderr).toContain('lastword edition show')
  const refused = await it.lastword('edition', 'approve', 'weekly:1')
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toContain('There is no article in it.')
  expect(refused.stderr).toMatch(/Fix that first with lastword edition edit \S+ pin ARTICLE; or .*--anyway/)
  expect(await it.lastword('edition', 'approve', 'weekly:1', '--anyway')).toMatchObject({
    code: 0,
    stdout: 'weekly 1 approved\n',
  })
  expect((await it.lastword('edition', 'show', 'weekly:1')).stdout).toContain('not sent yet: 2 people are subscribed')
})

test('run --hold makes an edition that nobody gets before a person approves it, even where the rule is auto', async () => {
  const job = readFileSync(join(it.folder, 'jobs/weekly.yml'), 'utf8')
  it.write('jobs/weekly.yml', job.replace('approval: required', 'approval: auto'))
  const made = await it.lastword('run', 'weekly', '--hold')
  expect(made).toMatchObject({
    code: 0,
    stdout: 'weekly 1 is held for review: nobody gets it until someone approves it\n',
    stderr: expect.stringContaining('lastword edition approve'),
  })
  expect((await it.lastword('edition', 'show', 'weekly')).stdout).toContain('made for review')
  await importPeople()
  expect(await it.lastword('run', 'weekly', '--hold')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('an edition of weekly is open already'),
  })
  expect(await it.lastword('run', 'weekly')).toMatchObject({ code: 1, stdout: '' })
  expect(await statuses()).toEqual([{ number: 1, status: 'held' }])
  expect(relay.accepted).toEqual([])
  await it.lastword('edition', 'approve', 'weekly:1')
  expect((await it.lastword('run', 'weekly')).stdout).toBe('weekly 1 is sent: 2 accepted\n')
})

test('an edition that a flood left without articles: approve names the command that lets them in', async () => {
  await importPeople()
  await it.lastword('run', 'weekly', '--dry-run') // its articles are pending before the feed is in flood
  it.write(
    'jobs/weekly.yml',
    `${readFileSync(join(it.folder, 'jobs/weekly.yml'), 'utf8')}thin: { minimum: 2, rule: hold }\n`,
  )
  const reason = toJson(knownArticlesReason(3))
  await (await store())
    .updateTable('ledger')
    .set({ quarantinedAt: '2026-01-02T07:00:00.000Z', quarantineReason: reason })
    .execute()
  await it.lastword('run', 'weekly')
  const { stderr } = await it.lastword('edition', 'approve', 'weekly:1')
  expect(stderr).toContain(`with lastword feeds release ${host.url}/latest.xml, or lastword edition edit`)
  await it.lastword('feeds', 'release', `${host.url}/latest.xml`)
  expect(await it.lastword('edition', 'approve', 'weekly:1')).toMatchObject({ code: 0, stdout: 'weekly 1 approved\n' })
})

const edition = { digest: 'weekly', number: 3, dueAt: '', subject: 'Trams' } as EditionRow

test('the question names the edition, its subject and the number of people', () => {
  expect(sendingQuestion(edition, 1352)).toBe('Send weekly 3, “Trams”, to 1,352 people?')
  expect(sendingQuestion(edition, 1)).toBe('Send weekly 3, “Trams”, to 1 person?')
})

test.each([
  ['y\n', true],
  ['yes\n', true],
  ['n\n', false],
  ['\n', false],
  ['', false],
])('the answer %j to it is %s', async (typed, sends) => {
  await importPeople()
  const db = await store()
  const input = new PassThrough()
  const output = new PassThrough()
  input.end(typed)
  const terminal = { input: Object.assign(input, { isTTY: true }), output: Object.assign(output, { isTTY: true }) }
  expect(await confirmSending({ db }, edition, terminal as never)).toBe(sends)
  expect(String(output.read())).toContain('Send weekly 3, “Trams”, to 2 people? [y/N]')
})

test('nobody is asked where there is no terminal', async () => {
  const terminal = { input: createReadStream('package.json'), output: new PassThrough() }
  closing.push(() => terminal.input.destroy())
  expect(await confirmSending({ db: undefined as never }, edition, terminal as never)).toBe(true)
})

test('a signal has its own exit code', () => {
  expect(exitCodeOf(AbortSignal.abort('SIGINT'))).toBe(130)
  expect(exitCodeOf(AbortSignal.abort('SIGTERM'))).toBe(143)
  expect(exitCodeOf(new AbortController().signal)).toBe(1)
})

test('a warning of a command is a sentence, and no JSON', async () => {
  const written: string[] = []
  const write = process.stderr.write
  process.stderr.write = ((text: string) => written.push(text) > 0) as never
  try {
    const log = terminalLog('info')
    log.warn({ event: 'a.b', released: 3 }, 'deliveries cut off by a crash are unknown now')
    log.error({ err: new Error('no room') }, 'it failed')
    log.info({}, 'not said')
    terminalLog('silent').error({}, 'not said')
  } finally {
    process.stderr.write = write
  }
  expect(written).toEqual([
    'warning: deliveries cut off by a crash are unknown now (released 3)\n',
    'error: it failed (no room)\n',
  ])
})
