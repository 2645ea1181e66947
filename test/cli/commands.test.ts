import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { simpleParser } from 'mailparser'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { type FeedServer, startFeedServer } from '../../src/demo/feed-server.ts'
import { openStore } from '../../src/store/open.ts'
import { systemClock } from '../../src/time/clock.ts'
import { redirect, rss, startFeedHost } from '../support/feeds.ts'
import { type Home, makeHome } from '../support/home.ts'
import { startRelay } from '../support/smtp/relay.ts'

let magazine: FeedServer
const closing: (() => unknown)[] = []

beforeAll(async () => {
  magazine = await startFeedServer({ clock: systemClock })
  return () => magazine.close()
})

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function home(settings: Parameters<typeof makeHome>[0] = {}): Home {
  const made = makeHome({ feeds: `${magazine.url}/feeds`, allow: [new URL(magazine.url).host], ...settings })
  closing.push(made.remove)
  return made
}

test('a stranger goes from nothing to a sent edition with the commands of the README', async () => {
  const relay = await startRelay()
  closing.push(relay.close)
  const it = home({ relayPort: relay.port })
  const people = it.write(
    'people.csv',
    'email,name,town\nmira@readers.example,Mira Öz,Leeds\nJo@Readers.example,Jo,York\n',
  )
  expect(await it.lastword('subscribers', 'import', people)).toMatchObject({
    code: 0,
    stdout: '2 rows: 2 added to weekly, 0 already subscribed, 0 invalid\n',
  })
  expect((await it.lastword('subscribers', 'list')).stdout.split('\n').sort()).toEqual([
    '',
    'Jo@readers.example\tJo\tweekly\tactive',
    'mira@readers.example\tMira Öz\tweekly\tactive',
  ])

  const dry = await it.lastword('run', 'weekly', '--dry-run', '--json')
  expect(JSON.parse(dry.stdout)).toMatchObject({ edition: 1, articles: 16, recipients: 2, thin: null })
  expect((await it.lastword('edition', 'list')).stdout.trim()).toBe('')
  expect(relay.accepted).toEqual([])

  const run = await it.lastword('run', 'weekly', '--json')
  expect(run.code).toBe(0)
  expect(JSON.parse(run.stdout)).toMatchObject({ edition: 1, status: 'sent', accepted: 2, unknown: 0 })
  expect(relay.accepted.map((message) => message.to).sort()).toEqual(['Jo@readers.example', 'mira@readers.example'])

  const shown = JSON.parse((await it.lastword('edition', 'show', 'weekly:1', '--json')).stdout)
  expect(shown).toMatchObject({
    status: 'sent',
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    deliveries: { accepted: 2 },
  })
  const chosen = shown.choices.find((choice: { position: number | null }) => choice.position !== null)
  const explained = await it.lastword('edition', 'explain', chosen.url)
  expect(explained.stdout).toBe(`weekly: in edition 1 (sent), section ${chosen.section}\n`)
  expect(
    (await it.lastword('feeds', 'list', '--json')).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).error),
  ).toEqual([null, null])
  expect((await it.lastword('feeds', 'refresh')).stdout).toMatch(
    /^unchanged {2}.*last-word\.xml\nunchanged {2}.*latest\.xml\n$/,
  )
})

test('a preview is the very bytes that are sent afterwards, but for the reader', async () => {
  const relay = await startRelay()
  closing.push(relay.close)
  const it = home({ relayPort: relay.port })
  it.write('people.csv', 'email,name\nmira@readers.example,Mira\n')
  await it.lastword('subscribers', 'import', 'people.csv')
  expect(await it.lastword('edition', 'preview', 'weekly', '--out', 'before')).toMatchObject({ code: 0 })
  expect(readdirSync(join(it.folder, 'before')).sort()).toEqual(['index.html', 'index.txt', 'message.eml'])
  await it.lastword('run', 'weekly')
  expect(await it.lastword('edition', 'preview', 'weekly:1', '--out', 'lastword.yml')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Name a folder that this user may write to'),
  })
  await it.lastword('edition', 'preview', 'weekly:1', '--out', 'after')
  const read = (file: string) => readFileSync(join(it.folder, 'after', file), 'utf8')
  const sent = await simpleParser(relay.accepted[0]?.raw ?? '')
  const anonymous = (text: string) => text.replace(/[a-z2-7]{48}/g, '').trimEnd()
  const withoutPictures = (html: string) => html.replace(/src="(?:data:|http[^"]*\/pictures\/)[^"]*"/g, 'src=""')
  expect(anonymous(withoutPictures(String(sent.html)))).toBe(withoutPictures(read('index.html')).trimEnd())
  expect(anonymous(String(sent.text))).toBe(read('index.txt').trimEnd())
  const body = (raw: string) => raw.slice(raw.indexOf('\r\n\r\n')).replace(/[a-z2-7]{48}/g, '')
  expect(body(read('message.eml'))).toBe(body(relay.accepted[0]?.raw.toString('utf8') ?? ''))
})

test('a relay that refuses the connection is a clear error, and the next run finishes the edition', async () => {
  const it = home({ relayPort: 1 })
  it.write('people.csv', 'email,name\nmira@readers.example,Mira\n')
  await it.lastword('subscribers', 'import', 'people.csv')
  const down = await it.lastword('run', 'weekly')
  expect(down.code).toBe(1)
  expect(down.stderr).toMatch(/127\.0\.0\.1:1: .*ECONNREFUSED.*1 deliveries stay queued/)
  expect(down.stderr).toContain('Nothing is lost: lastword run weekly continues')
  const relay = await startRelay()
  closing.push(relay.close)
  const config = join(it.folder, 'lastword.yml')
  writeFileSync(config, readFileSync(config, 'utf8').replace('port: 1\n', `port: ${relay.port}\n`))
  const up = await it.lastword('run', 'weekly')
  expect(up).toMatchObject({ code: 0, stdout: 'weekly 1 is sent: 1 accepted\n' })
  expect(up.stderr).toContain('continuing weekly 1, which is sending')
  expect(relay.accepted).toHaveLength(1)
})

test('SIGTERM while sending finishes what is in flight, and the next run reaches the rest, each once', async () => {
  const relay = await startRelay()
  closing.push(relay.close)
  const it = home({ relayPort: relay.port })
  const people = Array.from({ length: 300 }, (_, index) => `reader${index}@readers.example,Reader ${index}`)
  it.write('people.csv', `email,name\n${people.join('\n')}\n`)
  await it.lastword('subscribers', 'import', 'people.csv')
  const { child, ended } = it.begin('run', 'weekly', '--json')
  await relay.untilReceived(20)
  child.kill('SIGTERM')
  const { code, stdout, stderr } = await ended
  expect(code).toBe(143)
  expect(stderr).toContain('asked to stop')
  const counts = JSON.parse(stdout)
  expect(counts).toMatchObject({ accepted: relay.accepted.length, sending: 0, unknown: 0 })
  expect(counts.accepted + counts.queued).toBe(300)
  expect((await it.lastword('run', 'weekly')).stdout).toBe('weekly 1 is sent: 300 accepted\n')
  expect(new Set(relay.received.map((message) => message.to)).size).toBe(300)
  expect(relay.received).toHaveLength(300)
})

test('a job file with a typo stops its digest with file, line and the key', async () => {
  const it = home()
  it.write(
    'jobs/weekly.yml',
    readFileSync(join(it.folder, 'jobs/weekly.yml'), 'utf8')
      .replace('schedule:', 'shedule:')
      .replace('Europe/London', 'Europe/Londn'),
  )
  const run = await it.lastword('run', 'weekly')
  expect(run.code).toBe(1)
  expect(run.stderr).toContain('jobs/weekly.yml:2: unknown key "shedule"')
  expect(run.stderr).toContain('jobs/weekly.yml:3: zone: expected an IANA time zone such as "Europe/London"')
  const timetable = await it.lastword('timetable')
  expect(timetable).toMatchObject({ code: 0, stdout: '' })
  expect(timetable.stderr).toMatch(
    /^warning: jobs\/weekly\.yml .*weekly\.yml:1: schedule: is missing.* \(and 2 more\)$/m,
  )
})

test('a feed that is a login page is named, and the other feeds are read all the same', async () => {
  const it = home()
  const page = it.write(
    'login.html',
    '<!doctype html><html><head><title>Sign in</title></head><body><form>…</form></body></html>',
  )
  const { code, stdout } = await it.lastword(
    'feeds',
    'test',
    page,
    `${magazine.url}/feeds/latest.xml`,
    `${magazine.url}/nothing-here`,
    '--json',
  )
  const [login, latest, missing] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(code).toBe(1)
  expect(login).toMatchObject({
    ok: false,
    count: 0,
    items: [],
    error: expect.stringContaining('a web page, not a feed'),
  })
  expect(latest).toMatchObject({ ok: true, count: 12, error: null, rejected: [] })
  const fields = ['id', 'title', 'link', 'published', 'author', 'summary', 'image', 'imageAlt']
  expect(Object.keys(latest.items[0])).toEqual(fields)
  expect(latest.items[0].published).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  expect(missing).toMatchObject({ ok: false, error: expect.stringContaining('404') })
})

test('a feed in a file that does not tell where it is from has articles without links', async () => {
  const it = home()
  const item = (link: string) => `<item><title>A</title><link>${link}</link></item>`
  const items = [item('/a'), item('https://harbour.example/b')]
  const file = (name: string, inside: string) => it.write(name, `<rss version="2.0"><channel>${inside}</channel></rss>`)
  const { code, stdout } = await it.lastword('feeds', 'test', file('1.xml', items[0] ?? ''), '--json')
  expect(code).toBe(0)
  expect(JSON.parse(stdout).items[0]).toMatchObject({ title: 'A', link: null })
  expect((await it.lastword('feeds', 'test', file('2.xml', items[0] ?? ''))).stdout).toContain('no link')
  expect((await it.lastword('feeds', 'test', file('3.xml', items.join('')))).stdout).toContain(
    'https://harbour.example/a',
  )
})

test('the count of a feed is of all that it holds, also beyond what is read at once', async () => {
  const it = home()
  const items = Array.from({ length: 5003 }, (_, index) => `<item><link>https://harbour.example/${index}</link></item>`)
  const file = it.write('long.xml', `<rss version="2.0"><channel>${items.join('')}</channel></rss>`)
  const tested = JSON.parse((await it.lastword('feeds', 'test', file, '--json')).stdout)
  expect(tested).toMatchObject({
    count: 5003,
    rejected: [{ reason: expect.objectContaining({ code: 'entries-not-read', count: 3 }) }],
  })
})

test('a feed on a private address is not asked unless the configuration allows its host', async () => {
  const it = home({ allow: [] })
  const { code, stdout } = await it.lastword('feeds', 'test', `${magazine.url}/feeds/latest.xml`)
  expect(code).toBe(1)
  expect(stdout).toContain('127.0.0.1')
})

test('a CSV in Latin-1 with a broken row is imported but for that row, and both are said', async () => {
  const it = home()
  const file = it.write(
    'people.csv',
    Buffer.from(
      'email;name\njose@readers.example;José Muñoz\nnot an address;Nobody\nzoe@readers.example;Zoë\n',
      'latin1',
    ),
  )
  const { code, stdout, stderr } = await it.lastword('subscribers', 'import', file)
  expect(code).toBe(0)
  expect(stdout).toBe('3 rows: 2 added to weekly, 0 already subscribed, 1 invalid\n')
  expect(stderr).toContain(`${file}:3: "not an address" is not an email address`)
  expect(stderr).toContain('windows-1252')
  expect((await it.lastword('subscribers', 'list')).stdout).toContain('José Muñoz')
})

test('a port that is taken is a clear error', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  closing.push(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const it = home({ environment: { LASTWORD_WEB__PORT: String(port) } })
  const { code, stderr } = await it.lastword('start')
  expect(code).toBe(1)
  expect(stderr).toContain(`port ${port}`)
  expect(stderr).toContain('is taken')
})

test('a data folder that cannot be written is a clear error, with what to do', async () => {
  const it = home()
  it.write('data', 'a file where the folder should be')
  const { code, stderr } = await it.lastword('feeds', 'refresh')
  expect(code).toBe(1)
  expect(stderr).toMatch(/the store file:data\/lastword\.db cannot be opened/)
  expect(stderr).toMatch(/needs to write to/)
})

test.each([
  ['is not there', '/nope/secret', 'relay.passwordFile: /nope/secret cannot be read: there is no such file'],
  ['is empty', '/dev/null', 'relay.passwordFile: /dev/null is empty'],
  ['is a folder', '/', 'relay.passwordFile: / cannot be read: '],
])('a password file that %s is named by config and start, before anything is due', async (_, file, problem) => {
  const it = home()
  const config = readFileSync(join(it.folder, 'lastword.yml'), 'utf8')
  it.write('lastword.yml', config.replace('relay:\n', `relay:\n  user: mira\n  passwordFile: ${file}\n`))
  for (const command of ['config', 'start']) {
    const { code, stderr } = await it.lastword(command)
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(problem) })
  }
  expect(existsSync(join(it.folder, 'data'))).toBe(false)
})

test('a key for DKIM that is none is named by config', async () => {
  const it = home()
  const config = readFileSync(join(it.folder, 'lastword.yml'), 'utf8')
  const dkim = '  dkim: [{ domain: magazine.example, selector: s1, keyFile: lastword.yml }]\n'
  it.write('lastword.yml', config.replace('relay:\n', `relay:\n${dkim}`))
  expect(await it.lastword('config')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('s1._domainkey.magazine.example is not a private key'),
  })
})

test('the default database is made by the first command and announced; any other only with --create', async () => {
  const it = home()
  const made = 'made a new, empty database at '
  const empty = 'There are no editions yet.\n'
  expect((await it.lastword('edition', 'list')).stderr).toBe(`${made}${join(it.folder, 'data/lastword.db')}\n${empty}`)
  expect((await it.lastword('edition', 'list')).stderr).toBe(empty)

  const other = home({ environment: { LASTWORD_STORE__URL: 'file:dta/lastword.db' } })
  for (const command of [['edition', 'list'], ['migrate'], ['run', 'weekly', '--dry-run'], ['start']]) {
    const { code, stderr } = await other.lastword(...command)
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('there is no database at ') })
    expect(stderr).toContain('lastword migrate --create')
  }
  expect(existsSync(join(other.folder, 'dta'))).toBe(false)
  const created = await other.lastword('migrate', '--create')
  expect(created).toMatchObject({ code: 0, stderr: `${made}${join(other.folder, 'dta/lastword.db')}\n` })
  expect(await other.lastword('edition', 'list')).toMatchObject({ code: 0, stderr: empty })
})

test('the configuration is printed whole, with secrets masked and the environment laid over it', async () => {
  const it = home({
    environment: { LASTWORD_RELAY__PASSWORD: 'hunter2', LASTWORD_store__url: 'postgres://me:pass@db/lastword' },
  })
  const { code, stdout } = await it.lastword('config')
  expect(code).toBe(0)
  expect(stdout).toContain('security: none')
  expect(stdout).toContain('postgres://me:********@db/lastword')
  expect(stdout).not.toContain('hunter2')
})

test('config names the settings to change before sending, with file and line, and a broken job file', async () => {
  const it = home({ environment: { LASTWORD_RELAY__HOST: 'smtp.harbour.net' } })
  const { code, stderr } = await it.lastword('config')
  expect(code).toBe(0)
  expect(stderr).toMatch(/lastword\.yml:\d+: web\.url is http:.*every unsubscribe link would be dead/)
  expect((await home().lastword('config')).stderr).toBe('') // its relay is this machine
  it.write('jobs/weekly.yml', 'title: [')
  expect((await it.lastword('config')).stderr).toContain('weekly.yml')
})

test('migrate says what it did, and the second time that there is nothing to do', async () => {
  const it = home()
  expect(await it.lastword('migrate')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^done: 0001-first, /) })
  expect(await it.lastword('migrate')).toMatchObject({ code: 0, stdout: 'nothing to do: the database is up to date\n' })
  expect(existsSync(join(it.folder, 'data/lastword.db'))).toBe(true)
})

test('feeds list says how each feed is and what became of it, and retry asks one again that was gone', async () => {
  const feeds = await startFeedHost()
  closing.push(feeds.close)
  const it = home({ feeds: feeds.url, allow: [`127.0.0.1:${feeds.port}`] })
  feeds.answer('/latest.xml', redirect(301, '/news.xml'))
  feeds.answer('/news.xml', rss(['One', 'Two']))
  feeds.answer('/last-word.xml', (_, response) => void response.writeHead(410).end())
  expect(await it.lastword('feeds', 'refresh')).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('2 articles, 2 new'),
  })
  const { stdout } = await it.lastword('feeds', 'list')
  expect(stdout).toMatch(
    /last-word\.xml +gone +never fetched +: is gone permanently since .*\n.*Gone permanently \(410\): we no longer fetch it/,
  )
  expect(stdout).toMatch(
    /latest\.xml +ok .*The Magazine: works; .* a week\n.*Moved permanently from .*latest.xml to .*news.xml/,
  )
  feeds.answer('/last-word.xml', rss(['Three']))
  expect(await it.lastword('feeds', 'refresh')).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('gone permanently since'),
  })
  const retried = await it.lastword('feeds', 'retry', `${feeds.url}/last-word.xml`)
  expect(retried).toMatchObject({ code: 0, stdout: expect.stringContaining('1 articles, 1 new') })
  const [lastWord] = (await it.lastword('feeds', 'list', '--json')).stdout
    .split('\n')
    .map((line) => line && JSON.parse(line))
  expect(lastWord).toMatchObject({
    state: 'ok',
    error: null,
    history: [{ kind: 'feed.gone', text: expect.stringContaining('Gone permanently') }],
  })
  expect(await it.lastword('feeds', 'retry', 'https://nobody.example/')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no feed has the address https://nobody.example/'),
  })
})

test('feeds list and explain show what was turned down, and explain knows an article by an earlier address', async () => {
  const feeds = await startFeedHost()
  closing.push(feeds.close)
  const it = home({ feeds: feeds.url, allow: [`127.0.0.1:${feeds.port}`] })
  const bad = '<item><title>Evil day</title><link>javascript:alert(1)</link><guid>evil-1</guid></item>'
  feeds.answer('/latest.xml', rss(['One'], { channel: bad }))
  feeds.answer('/last-word.xml', rss(['Two']))
  await it.lastword('feeds', 'refresh')
  const moved = rss(['One'], { channel: bad }).replace(
    '<link>https://magazine.example/One',
    '<link>https://magazine.example/1',
  )
  feeds.answer('/latest.xml', moved)
  await it.lastword('feeds', 'refresh')
  const words = 'rejected: “Evil day” (javascript:alert(1)): its link is not an address of the web\n'
  expect((await it.lastword('feeds', 'list')).stdout).toContain(words)
  const [, latest] = (await it.lastword('feeds', 'list', '--json')).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(latest).toMatchObject({ rejected: 1, rejections: [{ title: 'Evil day', guid: 'evil-1' }] })
  const explained = await it.lastword('edition', 'explain', 'evil-1')
  expect(explained).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`${words}  in ${feeds.url}/latest.xml, first`),
  })
  const asJson = JSON.parse((await it.lastword('edition', 'explain', 'Evil day', '--json')).stdout)
  expect(asJson).toMatchObject({
    feedUrl: `${feeds.url}/latest.xml`,
    reason: expect.objectContaining({ code: 'link-not-web' }),
  })
  for (const what of ['https://magazine.example/One', 'https://magazine.example/1', 'one'])
    expect((await it.lastword('edition', 'explain', what)).stdout).toContain('weekly: ')
})

test('an unknown digest, edition, article or option is an error that says what there is', async () => {
  const it = home()
  mkdirSync(join(it.folder, 'empty'))
  expect(await it.lastword('run', 'daily')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('There are: weekly.'),
  })
  expect(await it.lastword('edition', 'show', 'weekly:9')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no edition weekly:9'),
  })
  expect(await it.lastword('edition', 'explain', 'https://a.example/b')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no article matches “https://a.example/b”'),
  })
  expect(await it.lastword('timetable', '--runs', 'many')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('whole number'),
  })
  expect(await it.lastword('--config', 'empty/none.yml', 'config')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('empty/none.yml does not exist'),
  })
})

test('an edition is approved, held and cancelled by hand, and the record says by whom', async () => {
  const it = home({ relayPort: 1 })
  it.write('people.csv', 'email,name\nmira@readers.example,Mira\n')
  await it.lastword('subscribers', 'import', 'people.csv')
  await it.lastword('run', 'weekly')
  expect(await it.lastword('edition', 'cancel', 'weekly', '--who', 'Ada', '--reason', 'wrong week')).toMatchObject({
    code: 0,
    stdout: 'weekly 1 is cancelled\n',
  })
  expect(await it.lastword('edition', 'approve', 'weekly')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('weekly 1 is cancelled'),
  })
  expect((await it.lastword('edition', 'show', 'weekly')).stdout).toContain('Ada: Cancelled: wrong week')
})

test.each([
  ['pull', 'feeds refresh'],
  ['pull --json', 'feeds refresh'],
  ['article pull https://a.example/b --reason wrong', 'article retract'],
  ['brake on --reason wrong', 'sending stop'],
  ['brake off', 'sending resume'],
  ['brake show --json', 'sending status'],
  ['brake', 'sending'],
])('the former spelling lastword %s names lastword %s, and does nothing', async (former, now) => {
  const { code, stdout, stderr } = await home().lastword(...former.split(' '))
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(new RegExp(`^lastword: lastword [a-z ]+ is now called lastword ${now}\n$`))
})

test('all sending is stopped, shown as stopped, and resumed', async () => {
  const it = home()
  const status = async () => JSON.parse((await it.lastword('sending', 'status', '--json')).stdout)
  expect((await it.lastword('sending', 'status')).stdout).toBe('Sending is not stopped.\n')
  expect(await status()).toEqual({ stopped: false })
  const stopped = await it.lastword('sending', 'stop', '--reason', 'the wrong list', '--who', 'Ada')
  expect(stopped).toMatchObject({ code: 0, stdout: 'All sending is stopped. lastword sending resume continues it.\n' })
  expect((await it.lastword('sending', 'stop', '--reason', 'again')).stderr).toContain('by Ada: the wrong list')
  expect((await it.lastword('sending', 'status')).stdout).toMatch(
    /^All sending has been stopped since 2.*Z by Ada: the wrong list\n$/,
  )
  expect(await status()).toEqual({ stopped: true, at: expect.any(String), who: 'Ada', reason: 'the wrong list' })
  const resumed = await it.lastword('sending', 'resume')
  expect(resumed.stdout).toMatch(/^Sending is resumed\. It was stopped at 2.*Z: the wrong list\n$/)
  expect(await it.lastword('sending', 'resume')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('sending is not stopped'),
  })
})

test('every command has a help text', async () => {
  const it = home()
  const commands = [
    'demo',
    'start',
    'run',
    'timetable',
    'forecast',
    'feeds refresh',
    'feeds list',
    'feeds test',
    'edition list',
    'edition show',
    'edition explain',
    'edition preview',
    'edition approve',
    'edition hold',
    'edition pause',
    'edition resume',
    'edition cancel',
    'edition send',
    'article retract',
    'article restore',
    'sending stop',
    'sending resume',
    'sending status',
    'corrections list',
    'corrections accept',
    'letters add',
    'letters list',
    'letters withdraw',
    'subscribers import',
    'subscribers list',
    'staff end',
    'staff link',
    'staff list',
    'drill',
    'relay test',
    'config',
    'migrate',
    'schema',
  ]
  for (const command of commands) {
    const { code, stdout } = await it.lastword(...command.split(' '), '--help')
    expect(code).toBe(0)
    expect(stdout).toContain(`Usage: lastword ${command.split(' ')[0]}`)
  }
}, 90_000) // one process after another

test('the timetable shows when copies go out, where that is not at once', async () => {
  const it = home()
  const job = readFileSync(join(it.folder, 'jobs/weekly.yml'), 'utf8')
  const goes = async (lines: string) => {
    it.write('jobs/weekly.yml', `${job}${lines}\n`)
    const { stdout } = await it.lastword('timetable', '--runs', '1', '--json')
    return JSON.parse(stdout).goes
  }
  expect(await goes('')).toBe('')
  expect(await goes('window: { from: "08:00", to: "20:00" }')).toMatch(
    /^from .*T0[78]:00:00\.000Z, when the window opens$/,
  )
  expect(await goes('window: { from: "06:00", to: "20:00" }')).toMatch(/^until .*T(19|20):00:00\.000Z$/)
  expect(await goes('canary: { wait: 45m }')).toBe('a first part, the rest 45m later')
  expect(await goes('localTime: true')).toMatch(
    /^at the subscriber's local time: .*T17:00:00\.000Z to .*T18:00:00\.000Z$/,
  )
  const config = readFileSync(join(it.folder, 'lastword.yml'), 'utf8')
  it.write('lastword.yml', `${config}pace:\n  warmUp: { from: 2999-01-01, days: [200] }\n`)
  expect(await goes('')).toBe('at most 200 messages that day')
})

test('outside the window a run ends well, and says what it waits for', async () => {
  const relay = await startRelay()
  closing.push(relay.close)
  const it = home({ relayPort: relay.port })
  await it.lastword('subscribers', 'import', it.write('people.csv', 'email\nmira@readers.example\n'))
  const job = readFileSync(join(it.folder, 'jobs/weekly.yml'), 'utf8')
  const today = new Date(Date.now() + 3 * 86_400_000).toUTCString().slice(0, 3).toUpperCase() // never near the change of the day
  it.write('jobs/weekly.yml', `${job}window: { from: "00:00", to: "23:00", days: [${today}] }\n`)
  const { code, stdout, stderr } = await it.lastword('run', 'weekly')
  expect({ code, stderr }).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('waits: the send window opens on'),
  })
  expect(stdout).toContain('weekly 1 is approved')
  expect(relay.accepted).toEqual([])
  expect(stdout).toContain('not sent yet: 1 person is subscribed')
  const shown = await it.lastword('edition', 'show', 'weekly:1')
  expect(shown.stdout).toContain('not sent yet: 1 person is subscribed')
  const paused = await it.lastword('edition', 'pause', 'weekly:1')
  expect(paused).toMatchObject({ code: 1, stderr: expect.stringContaining('lastword edition hold') })
  expect(shown.stdout).toMatch(/^waits: the send window opens on .* at 00:00 in Europe\/London$/m)
  expect(JSON.parse((await it.lastword('edition', 'show', 'weekly:1', '--json')).stdout).waits).toHaveLength(1)
})

test('the timetable shows the next runs in the zone of the digest and in UTC', async () => {
  const it = home()
  const { stdout } = await it.lastword('timetable', '--runs', '30', '--json')
  const runs = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(runs).toHaveLength(30)
  for (const run of runs) {
    expect(run.local).toContain('07:00')
    expect(new Date(run.dueAt).getUTCDay()).toBe(5)
  }
  expect(new Set(runs.map((run) => run.dueAt.slice(11)))).toEqual(new Set(['06:00:00.000Z', '07:00:00.000Z']))
})

test('the timetable of one digest gives the reason for each gap, and counts the runs that are made', async () => {
  const it = home()
  const job = readFileSync(join(it.folder, 'jobs/weekly.yml'), 'utf8')
  const skip = '[{ on: 2999-12-25, name: Christmas }, { on: 3000-01-08, shift: after }]'
  const calendar = `{ every: 2 weeks, from: 2999-12-11, at: "07:00", skip: ${skip}, pauseUntil: 2999-12-12 }`
  it.write('jobs/weekly.yml', job.replace(/^schedule: .*$/m, `schedule: ${calendar}`))
  const { stdout } = await it.lastword('timetable', 'weekly')
  const lines = stdout.trim().split('\n')
  expect(lines).toHaveLength(14)
  expect(lines[0]).toContain('skipped: the digest is paused until 2999-12-12; its articles stay pending')
  expect(lines[1]).toContain('skipped: its date is skipped (Christmas); its articles stay pending')
  expect(lines[2]).toContain('shifted from 3000-01-08 to 3000-01-09')
  expect(await it.lastword('timetable', 'monthly')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no digest "monthly"'),
  })
})

test('the forecast of a digest is text or JSON', async () => {
  const it = home()
  const { code, stdout } = await it.lastword('forecast', 'weekly')
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/: due on Friday .* at 07:00 in /) })
  expect(stdout).toContain('To see it: lastword run weekly --dry-run')
  const json = JSON.parse((await it.lastword('forecast', 'weekly', '--json')).stdout)
  expect(json).toMatchObject({ digest: 'weekly', thin: expect.any(String), feeds: [] })
})

test('the timetable and start say that a clock was ahead once, and what becomes of the runs', async () => {
  const it = home({ environment: { LASTWORD_web__port: '0' } })
  expect(await it.lastword('timetable')).toMatchObject({ code: 0, stderr: '' })
  expect(existsSync(join(it.folder, 'data'))).toBe(false)
  await it.lastword('migrate')
  expect(await it.lastword('timetable')).toMatchObject({ code: 0, stderr: '' })
  const store = await openStore(`file:${join(it.folder, 'data/lastword.db')}`, systemClock)
  const [firstSeenAt, decidedUntil] = ['2026-01-01T00:00:00.000Z', '2999-01-01T07:00:00.000Z']
  await store.db.insertInto('digests').values({ name: 'weekly', firstSeenAt, decidedUntil }).execute()
  await store.close()
  const words =
    'weekly: a clock that was ahead recorded its runs until 2999-01-01T07:00:00.000Z as decided; they are open again'
  expect(await it.lastword('timetable')).toMatchObject({ code: 0, stderr: expect.stringContaining(words) })
  const { child, ended } = it.begin('start')
  child.stdout?.once('data', () => child.kill('SIGTERM'))
  expect(await ended).toMatchObject({ code: 0, stderr: expect.stringContaining(words) })
})
