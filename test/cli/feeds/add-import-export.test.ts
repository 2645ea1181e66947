import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readOpml } from '../../../src/feeds/opml.ts'
import { openStore } from '../../../src/store/open.ts'
import type { Db } from '../../../src/store/schema.ts'
import { type JobProblem, saveJobReader } from '../../../src/store/system/job-readers.ts'
import { systemClock } from '../../../src/time/clock.ts'
import { type FeedHost, rss, startFeedHost } from '../../support/feeds.ts'
import { type Home, makeHome } from '../../support/home.ts'

let host: FeedHost
let it: Home

beforeEach(async () => {
  host = await startFeedHost()
  it = makeHome({ feeds: host.url, allow: [`127.0.0.1:${host.port}`] })
})
afterEach(async () => {
  it.remove()
  await host.close()
})

async function withStore(home: Home, work: (db: Db) => Promise<void>): Promise<void> {
  const store = await openStore(`file:${join(home.folder, 'data/lastword.db')}`, systemClock)
  await work(store.db).finally(() => store.close())
}

const job = () => readFileSync(join(it.folder, 'jobs/weekly.yml'), 'utf8')

test('feeds add finds the feed of a page, shows its articles, and adds it to the section that is named', async () => {
  host.answer('/', '<html><head><link rel="alternate" type="application/rss+xml" href="/harbour.xml"></head></html>')
  host.answer('/harbour.xml', rss(['The ferry is back', 'A new quay']))
  const shown = await it.lastword('feeds', 'add', host.url)
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('The ferry is back') })
  expect(shown.stdout).toContain(`      - ${host.url}/harbour.xml`)
  const before = job()
  const added = await it.lastword('feeds', 'add', host.url, '--digest', 'weekly', '--section', 'latest')
  expect(added).toMatchObject({ code: 0, stdout: expect.stringContaining('Added to the section latest') })
  expect(job()).toBe(before.replace('/latest.xml]', `/latest.xml, ${host.url}/harbour.xml]`))
  const again = await it.lastword('feeds', 'add', host.url, '--digest', 'weekly', '--section', 'latest')
  expect(again.stdout).toContain('Nothing to do')
  expect(await it.lastword('timetable')).toMatchObject({ code: 0 })
})

test('feeds add, feeds import and timetable say whether a start that is running takes the file over', async () => {
  host.answer('*', rss(['One']))
  const add = (path: string) =>
    it.lastword('feeds', 'add', `${host.url}${path}`, '--digest', 'weekly', '--section', 'latest')
  const file = join('jobs', 'weekly.yml')
  const added = (await add('/a.xml')).stdout
  expect(added).toContain(`Added to the section latest of ${file}. lastword start is not running`)
  await it.lastword('feeds', 'refresh')
  await withStore(it, async (db) => {
    const reader = { id: 'one', folder: join(it.folder, 'jobs'), rejected: [] as JobProblem[] }
    await saveJobReader(db, reader, systemClock.now())
    expect((await add('/b.xml')).stdout).toContain('loads the change within a minute')
    const opml =
      '<opml version="2.0"><body><outline text="C" type="rss" xmlUrl="https://magazine.example/c.xml"/></body></opml>'
    const imported = await it.lastword('feeds', 'import', it.write('list.opml', opml), '--digest', 'weekly')
    expect(imported.stderr).toContain('loads the change within a minute')
    expect((await it.lastword('timetable')).stderr).toBe('')
    const rejected = [
      {
        file,
        message: `${file}:2: schedule: expected`,
        since: '2026-11-27T07:00:00.000Z',
        runsBy: '2026-11-26T07:00:00.000Z',
      },
    ]
    await saveJobReader(db, { ...reader, rejected }, systemClock.now())
    expect((await it.lastword('timetable')).stderr).toBe(
      `lastword start rejects ${file} since 2026-11-27T07:00:00.000Z: its digest uses the version loaded at 2026-11-26T07:00:00.000Z\n  ${file}:2: schedule: expected\n`,
    )
    await saveJobReader(db, { ...reader, folder: '/elsewhere' }, systemClock.now())
    expect((await add('/d.xml')).stdout).toContain('reads the job files in /elsewhere')
  })
})

test('feeds import keeps the names of feeds that were never read, and names an outline without an address', async () => {
  const opml = `<opml version="2.0"><body><outline text="Latest news"><outline text="Harbour &amp; Co" type="rss" xmlUrl="${host.url}/h.xml"/>
<outline text="Nowhere" type="rss"/></outline></body></opml>`
  const { stderr } = await it.lastword('feeds', 'import', it.write('list.opml', opml), '--digest', 'weekly')
  expect(stderr).toContain('skipped: Nowhere: it has no address (xmlUrl)')
  const exported = readOpml((await it.lastword('feeds', 'export')).stdout)
  expect(exported).toMatchObject({
    feeds: expect.arrayContaining([expect.objectContaining({ url: `${host.url}/h.xml`, title: 'Harbour & Co' })]),
  })
  host.answer('*', rss(['One']))
  await it.lastword('feeds', 'refresh')
  expect((await it.lastword('feeds', 'export')).stdout).not.toContain('Harbour') // it says its own name
})

test('feeds test names a missing file once, and says how a private address is let in', async () => {
  expect((await it.lastword('feeds', 'test', 'missing.xml')).stdout).toBe('missing.xml: there is no such file\n')
  const refused = await it.lastword('feeds', 'test', 'http://127.0.0.9:8081/feed.xml')
  expect(refused.stderr).toContain('feeds.allow')
  expect((await it.lastword('feeds', 'add', 'http://127.0.0.9:8081/feed.xml')).stderr).toContain('feeds.allow')
})

test('feeds add names the examples that the section still lists', async () => {
  host.answer('*', rss(['One']))
  it.write('jobs/weekly.yml', job().replace('/latest.xml]', '/latest.xml, https://www.example.org/feeds/latest.xml]'))
  const { stderr } = await it.lastword('feeds', 'add', `${host.url}/a.xml`, '--digest', 'weekly', '--section', 'latest')
  expect(stderr).toContain('still lists the example https://www.example.org/feeds/latest.xml')
  expect(stderr.split('\n')).toHaveLength(2)
})

test('what a page or a server says in control characters does not command the terminal', async () => {
  const bell = '\u001b]0;pwn\u0007\u001b[31m'
  host.answer('/', `<html><head><link rel="alternate" type="application/rss+xml" href="/f?${bell}"></head></html>`)
  host.answer('*', rss(['One']))
  host.answer('/latest.xml', (_, { socket }) => {
    socket?.end(
      Buffer.from('HTTP/1.1 302 Found\r\nLocation: http://[\u009b31mbad\r\nContent-Length: 0\r\n\r\n', 'latin1'),
    )
  })
  const said: string[] = []
  for (const args of [
    ['feeds', 'add', host.url],
    ['feeds', 'add', host.url, '--digest', 'weekly', '--section', 'latest'],
    ['feeds', 'refresh'],
    ['run', 'weekly', '--dry-run'],
  ]) {
    const { stdout, stderr } = await it.lastword(...args)
    said.push(stdout + stderr)
  }
  for (const text of said) expect(text.replace(/[\n\t]/g, '')).not.toMatch(/\p{Cc}/u)
  expect(said[0]).toContain('/f?%1B]0;pwn%07%1B[31m: The Magazine, 1 articles')
  expect(said[2]).toMatch(/failed .*redirects to "http:\/\/\[ 31mbad", no address/)
  expect(said[3]).toMatch(/feed failed: .*redirects to "http:\/\/\[ 31mbad"/)
  expect(job()).toContain('/f?%1B]0;pwn%07%1B[31m')
})

test('feeds add says what is missing: the feed, the digest, the section', async () => {
  host.answer('/', '<html></html>')
  const add = (...args: string[]) => it.lastword('feeds', 'add', host.url, ...args)
  expect(await add()).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no feed at') })
  expect(await add('--digest', 'daily')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no digest "daily"'),
  })
  expect(await add('--digest', 'weekly')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('several sections: name one\nChoose one: --section latest, --section last-word.'),
  })
  expect(await add('--digest', 'weekly', '--section', 'x')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('it has no section "x"'),
  })
})

test('feeds leave as OPML with their titles, a folder for every section, and come back into another digest', async () => {
  host.answer('/latest.xml', rss(['One']))
  host.answer('/last-word.xml', rss(['Two']))
  await it.lastword('feeds', 'refresh')
  expect(await it.lastword('feeds', 'export', 'feeds.opml')).toMatchObject({ code: 0 })
  const refused = await it.lastword('feeds', 'export', 'feeds.opml')
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('feeds.opml exists, and was not replaced') })
  expect(await it.lastword('feeds', 'export', 'feeds.opml', '--force')).toMatchObject({ code: 0 })
  const opml = readFileSync(join(it.folder, 'feeds.opml'), 'utf8')
  expect(opml).toContain('<outline text="Latest news">')
  expect(opml).toContain(
    `<outline text="The Magazine" type="rss" xmlUrl="${host.url}/latest.xml" htmlUrl="https://magazine.example/"/>`,
  )
  const other = job()
    .replace(/ {2}- \{ name: last-word.*\n/, '')
    .replace('/latest.xml', '/other.xml')
  it.write('jobs/other.yml', other)
  const imported = await it.lastword('feeds', 'import', 'feeds.opml', '--digest', 'other')
  expect(imported.stdout).toContain('2 feeds added to other, 0 already there, 0 skipped')
  const text = readFileSync(join(it.folder, 'jobs/other.yml'), 'utf8')
  expect(text).toContain(`feeds: [${host.url}/other.xml, ${host.url}/latest.xml]`)
  expect(text).toContain('  - name: last-word\n    title: Last word\n')
  expect((await it.lastword('feeds', 'import', 'feeds.opml', '--digest', 'other')).stdout).toContain('0 feeds added')
  expect((await it.lastword('feeds', 'export', '--digest', 'other')).stdout).toContain('/other.xml')
})

test('folders whose names have the same letters left are sections of their own, and equal titles are one', async () => {
  const folders = ['日本', '世界', 'C++', 'C#', 'c++', 'Última hora', 'latest']
  const outlines = folders.map(
    (name, at) => `<outline text="${name}"><outline text="x" xmlUrl="https://e.example/${at}"/></outline>`,
  )
  const file = it.write('world.opml', `<opml version="2.0"><body>${outlines.join('')}</body></opml>`)
  const imported = await it.lastword('feeds', 'import', file, '--digest', 'weekly')
  expect(imported.stdout).toContain('7 feeds added to weekly, 0 already there, 0 skipped')
  const exported = readOpml((await it.lastword('feeds', 'export', '--digest', 'weekly')).stdout)
  const listed = 'feeds' in exported ? exported.feeds.filter(({ url }) => url.startsWith('https://e.example/')) : []
  expect(listed.map(({ folder, url }) => [folder, folders[Number(url.at(-1))]])).toEqual([
    ['Latest news', 'latest'],
    ['日本', '日本'],
    ['世界', '世界'],
    ['C++', 'C++'],
    ['C++', 'c++'],
    ['C#', 'C#'],
    ['Última hora', 'Última hora'],
  ])
  expect([...job().matchAll(/ {2}- name: (\S+)/g)].map(([, name]) => name)).toEqual([
    'section',
    'section-2',
    'c',
    'c-2',
    'ultima-hora',
  ])
  expect((await it.lastword('feeds', 'import', file, '--digest', 'weekly')).stdout).toContain('0 feeds added')
})

test('an OPML file is read in the encoding that it declares', async () => {
  const text = `<?xml version="1.0" encoding="ISO-8859-1"?><opml version="2.0"><body><outline text="Économie"><outline text="x" xmlUrl="https://e.example/"/></outline></body></opml>`
  it.write('latin.opml', Buffer.from(text, 'latin1'))
  await it.lastword('feeds', 'import', 'latin.opml', '--digest', 'weekly')
  expect(job()).toContain('  - name: economie\n    title: Économie\n')
})

test('feeds import refuses what is no OPML, no file and no digest, and leaves the job file as it is', async () => {
  const before = job()
  it.write('no.opml', '<html></html>')
  const read = (file: string, digest: string) => it.lastword('feeds', 'import', file, '--digest', digest)
  expect(await read('no.opml', 'weekly')).toMatchObject({ code: 1, stderr: expect.stringContaining('it is not OPML') })
  expect(await read('none.opml', 'weekly')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('cannot be read'),
  })
  expect(await read('no.opml', 'daily')).toMatchObject({ code: 1, stderr: expect.stringContaining('no digest') })
  expect(job()).toBe(before)
})
