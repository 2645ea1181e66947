import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FeedHost, rss, startFeedHost } from '../support/feeds.ts'
import { type Home, jobText, makeHome } from '../support/home.ts'

let host: FeedHost
let it: Home

beforeEach(async () => {
  host = await startFeedHost()
  host.answer('/latest.xml', rss(['The ferry is back']))
  it = makeHome({ feeds: host.url, allow: [`127.0.0.1:${host.port}`] })
  it.write(
    'jobs/weekly.yml',
    jobText([
      `name: latest, title: Latest news, layout: latest, feeds: [${host.url}/latest.xml]`,
      'name: say, title: Have your say, layout: have-your-say, maximum: 1',
    ]),
  )
  await it.lastword('migrate') // the first command says that it made the database
})
afterEach(async () => {
  it.remove()
  await host.close()
})

const words = ['--headline', 'Trams at \u001b[2Jdawn', '--name', 'Ada Byron', '--place', 'Leeds'] as const

test('a letter is added, listed, printed, shown and explained by its id, and another withdrawn', async () => {
  it.write('letter.txt', 'One.\n\nTwo.\n')
  const added = await it.lastword('letters', 'add', 'letter.txt', ...words, '--received', '2026-01-02', '--json')
  expect(added).toMatchObject({ code: 0, stderr: '' })
  const { id, digest } = JSON.parse(added.stdout)
  expect(digest).toBe('weekly')
  const { child, ended } = it.begin('letters', 'add', '-', '--headline', 'Second', '--name', 'Bo', '--digest', 'weekly')
  child.stdin?.end('Typed in.')
  expect(await ended).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^[0-9a-f-]{36} waits for the next edition of weekly\n$/),
  })

  const listed = (await it.lastword('letters', 'list', '--digest', 'weekly')).stdout.trim().split('\n')
  expect(listed[0]).toBe(`${id}  weekly  2026-01-02  Trams at [2Jdawn  Ada Byron, Leeds`)
  const second = listed[1]?.split(' ')[0] ?? ''
  expect(await it.lastword('letters', 'withdraw', second)).toMatchObject({
    code: 0,
    stdout: 'weekly: “Second” is withdrawn, and its text erased\n',
  })

  await it.lastword('subscribers', 'import', it.write('people.csv', 'email\nmira@readers.example\n'))
  await it.lastword('run', 'weekly')
  const shown = await it.lastword('edition', 'show', 'weekly:1')
  expect(shown.stdout).toContain('say 1  Trams at [2Jdawn  (Letter from Ada Byron, Leeds; number 1 of 1 letter')
  expect((await it.lastword('edition', 'explain', id)).stdout).toMatch(/^weekly: in edition 1 \(\w+\), section say\n$/)
  expect((await it.lastword('letters', 'list', '--printed', '--json')).stdout).toContain('"number":1')
  expect((await it.lastword('letters', 'list')).stdout.trim()).toBe('')
}, 30_000)

test('what is wrong with a letter is said whole, and nothing of it is kept', async () => {
  it.write('long.txt', 'word '.repeat(1000))
  it.write('huge.txt', 'x'.repeat(1024 * 1024))
  it.write('latin.txt', Buffer.from([0x4d, 0xfc, 0x6c, 0x6c]))
  const add = (file: string, ...more: string[]) => it.lastword('letters', 'add', file, ...words, ...more)
  const long = await add('long.txt', '--received', 'soon')
  const huge = await add('huge.txt')
  const latin = await add('latin.txt')
  const none = await add('none.txt')
  const digest = await add('long.txt', '--digest', 'daily')
  expect(long.stderr).toBe(
    'lastword:\nlong.txt has 4,999 characters, and 4,000 are printed: shorten it by 999\n--received is not a day that has been: expected one such as 2026-11-20\n',
  )
  expect(huge.stderr).toContain('too large for a letter')
  expect(latin.stderr).toContain('expected UTF-8')
  expect(none.stderr).toContain('there is no such file')
  expect(digest.stderr).toContain('there is no digest "daily"')
  expect([long, huge, latin, none, digest].map(({ code }) => code)).toEqual([1, 1, 1, 1, 1])
  expect((await it.lastword('letters', 'list', '--json')).stdout).toBe('')
}, 30_000)

test('the same letter is refused with its name, and taken with --anyway', async () => {
  const add = (text: string, ...more: string[]) => {
    it.write('letter.txt', text)
    return it.lastword('letters', 'add', 'letter.txt', '--headline', 'Trams', '--name', 'Ada', '--who', 'mira', ...more)
  }
  expect((await add('The trams\n\nare late.')).code).toBe(0)
  const again = await add('the TRAMS are late.')
  expect(again).toMatchObject({ code: 1, stdout: '' })
  expect(again.stderr).toMatch(
    /the same letter is already waiting \(“Trams”, entered by mira on [\d-]+\)[\s\S]*--anyway/,
  )
  expect((await add('the TRAMS are late.', '--anyway')).code).toBe(0)
  expect((await it.lastword('letters', 'list')).stdout.trim().split('\n')).toHaveLength(2)
}, 30_000)
