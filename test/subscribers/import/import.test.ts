import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { explainError } from '../../../src/cli/terminal/output.ts'
import { AppError } from '../../../src/errors.ts'
import { isStoreUnavailable } from '../../../src/store/drivers/failure.ts'
import type { Reason } from '../../../src/store/events/reason.ts'
import { toJson } from '../../../src/store/json.ts'
import { openStore, type Store } from '../../../src/store/open.ts'
import {
  activeSubscribers,
  countActive,
  listSubscribers,
  subscriberByEmail,
} from '../../../src/store/subscribers/subscribers.ts'
import { importSubscribers } from '../../../src/subscribers/import/import.ts'
import { leave } from '../../../src/subscribers/leave.ts'
import { fakeClock } from '../../support/clock.ts'
import { ownServer } from '../../support/databases/databases.ts'
import { onBothEngines, sqliteUrl } from '../../support/databases/engines.ts'
import { inProcess } from '../../support/processes.ts'
import { resubscribe } from '../../support/resubscribe.ts'

const fixtures = 'fixtures/subscribers'
const tables = (folder: string) => readdirSync(folder).filter((file) => file.endsWith('.csv'))
const pairOf = (file: string, ending: string) => readFileSync(file.replace(/\.csv$/, `.expected.${ending}`), 'utf8')

const folder = mkdtempSync(join(tmpdir(), 'lastword-import-'))
afterAll(() => rmSync(folder, { recursive: true }))

function csv(content: string | Buffer): string {
  const file = join(folder, 'list.csv')
  writeFileSync(file, content)
  return file
}

test('an import that a full disk stops says how many rows are stored; the same command adds the others', async () => {
  const clock = fakeClock()
  const { url, remove } = sqliteUrl()
  const { db, close } = await openStore(url, clock)
  const file = csv(
    `email,about\n${Array.from({ length: 2600 }, (_, row) => `reader${row}@a.example,${'x'.repeat(500)}`).join('\n')}\n`,
  )
  await sql`pragma max_page_count = 380`.execute(db)
  const failure = await importSubscribers({ db, clock }, file, 'weekly').catch((error: unknown) => error)
  expect(isStoreUnavailable(failure)).toBe(true)
  const stored = await countActive(db, 'weekly')
  expect(stored).toBeGreaterThanOrEqual(500)
  expect(stored % 500).toBe(0)
  const told = explainError(failure)
  expect(told).toMatch(/^lastword: the import was interrupted: the disk is full: /)
  expect(told).toContain('Free some space.')
  expect(told).toContain(
    `${stored.toLocaleString('en')} of the ${(stored + 500).toLocaleString('en')} rows read so far are stored.`,
  )
  expect(told).not.toMatch(/please report|\bat .*:\d+:\d+/)
  await sql`pragma max_page_count = 1000000`.execute(db)
  const { rows, added, known } = await importSubscribers({ db, clock }, file, 'weekly')
  expect({ rows, added, known }).toEqual({ rows: 2600, added: 2600 - stored, known: stored })
  await close()
  remove()
})

test('an import waits for a PostgreSQL server that is restarted, and goes on by itself', async () => {
  const server = await ownServer()
  const { db, close } = await openStore(`postgres://lastword:lastword@127.0.0.1:${server.port}/postgres`, fakeClock())
  await server.stop()
  let waits = 0
  const clock = { ...fakeClock(), wait: () => (++waits === 2 ? server.start() : Promise.resolve()) }
  const { added } = await importSubscribers({ db, clock }, csv('email\nmira@a.example\nada@a.example\n'), 'weekly')
  expect({ added, waits }).toEqual({ added: 2, waits: 2 })
  await close()
  await server.remove()
})

onBothEngines('an import', (freshUrl) => {
  const clock = fakeClock()
  let store: Store
  const opened = async () => {
    store = await openStore(await freshUrl(), clock)
    return { db: store.db, clock }
  }
  afterEach(() => store.close())

  test.each(tables(fixtures))('of %s is what its pair says', async (name) => {
    const needs = await opened()
    const file = join(fixtures, name)
    const { rows, added, known, problems, encoding } = await importSubscribers(needs, file, 'weekly')
    const listed = await listSubscribers(needs.db, { digest: 'weekly', limit: 500 })
    const people = listed.map(({ email, name, attributes }) => ({ email, name, attributes: JSON.parse(attributes) }))
    const expected = JSON.parse(pairOf(file, 'json'))
    const byEmail = (a: { email: string }, b: { email: string }) => (a.email < b.email ? -1 : 1)
    expect({ encoding, rows, added, known, problems, people: people.sort(byEmail) }).toEqual(expected)
    expect(added + known + problems.length).toBe(rows)
  })

  test.each(tables(`${fixtures}/not`))(
    'of not/%s is refused in the words of its pair, and adds nobody',
    async (name) => {
      const needs = await opened()
      const file = join(fixtures, 'not', name)
      const refused = await importSubscribers(needs, file, 'weekly').catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(AppError)
      expect(`${(refused as AppError).message}\n`).toBe(pairOf(file, 'txt'))
      expect((refused as AppError).hint).toContain('The first line names the columns')
      expect(await countActive(needs.db, 'weekly')).toBe(0)
    },
  )

  test('makes people active from now on, with the file and the line as proof', async () => {
    const needs = await opened()
    const file = csv('email\nann@example.org\n\nbob@example.org\n')
    await importSubscribers(needs, file, 'weekly')
    const rows = await activeSubscribers(needs.db, 'weekly').selectAll('subscriptions').orderBy('proof').execute()
    expect(rows.map((row) => row.proof)).toEqual([`import of ${file}, line 2`, `import of ${file}, line 4`])
    expect(rows[0]).toMatchObject({ digest: 'weekly', confirmedAt: clock.now(), leftAt: null })
  })

  test('knows zones by their column, tells of those that are none, and fills one that was not known', async () => {
    const needs = await opened()
    const file = csv(
      'email,TimeZone,town\nann@example.org,Asia/Kathmandu,Patan\nbob@example.org,Mars/Olympus,\neve@example.org,+02:00,\nmax@example.org,,\n',
    )
    const report = await importSubscribers(needs, file, 'weekly')
    expect(report).toMatchObject({ rows: 4, added: 4, problemCount: 0, zoneProblemCount: 2 })
    expect(report.zoneProblems).toEqual([
      {
        line: 3,
        problem: '"Mars/Olympus" is not an IANA time zone such as "Europe/London": the zone of the digest is used',
      },
      { line: 4, problem: '"+02:00" is not an IANA time zone such as "Europe/London": the zone of the digest is used' },
    ])
    const zoneOf = async (email: string) => (await subscriberByEmail(needs.db, email))?.zone
    expect(await subscriberByEmail(needs.db, 'ann@example.org')).toMatchObject({
      zone: 'Asia/Kathmandu',
      attributes: '{"town":"Patan"}',
    })
    expect(await zoneOf('bob@example.org')).toBeNull()

    const again = csv('email,zone\nann@example.org,Europe/Paris\nbob@example.org,Europe/Paris\nmax@example.org,\n')
    expect(await importSubscribers(needs, again, 'weekly')).toMatchObject({ added: 0, known: 3 })
    expect(await zoneOf('ann@example.org')).toBe('Asia/Kathmandu')
    expect(await zoneOf('bob@example.org')).toBe('Europe/Paris')
    expect(await zoneOf('max@example.org')).toBeNull()
  })

  test('of the same file again adds nobody and changes no name', async () => {
    const needs = await opened()
    expect(await importSubscribers(needs, csv('email,name\nann@example.org,Ann\n'), 'weekly')).toMatchObject({
      added: 1,
    })
    const again = await importSubscribers(needs, csv('email,name\nANN@example.org,Anna\n'), 'weekly')
    expect(again).toMatchObject({ rows: 1, added: 0, known: 1 })
    expect(await subscriberByEmail(needs.db, 'ann@example.org')).toMatchObject({ name: 'Ann' })
  })

  test('brings back nobody who left, in whatever letters the address is written', async () => {
    const needs = await opened()
    await importSubscribers(needs, csv('email\nann@example.org\nbob@example.org\n'), 'weekly')
    const ann = await subscriberByEmail(needs.db, 'ann@example.org')
    await leave(needs, { subscriberId: ann?.id ?? '', digest: 'weekly', editionId: null, how: 'page' })
    for (const address of ['ann@example.org', 'ANN@EXAMPLE.ORG', ' Ann@Example.org '])
      expect(await importSubscribers(needs, csv(`email\n${address}\n`), 'weekly')).toMatchObject({ added: 0, known: 1 })
    const active = await activeSubscribers(needs.db, 'weekly').select('subscribers.email').execute()
    expect(active).toEqual([{ email: 'bob@example.org' }])
  })

  test('makes nobody active who is suppressed, neither in the old digest nor in a new one', async () => {
    const needs = await opened()
    await importSubscribers(needs, csv('email\nann@example.org\n'), 'weekly')
    const noMailbox = toJson<Reason>({ code: 'text', text: 'no such mailbox' })
    await needs.db.updateTable('subscribers').set({ suppressedAt: clock.now(), suppressedReason: noMailbox }).execute()
    await importSubscribers(needs, csv('email\nAnn@example.org\n'), 'weekly')
    await importSubscribers(needs, csv('email\nAnn@example.org\n'), 'daily')
    expect(await countActive(needs.db, 'weekly')).toBe(0)
    expect(await countActive(needs.db, 'daily')).toBe(0)
    expect(await subscriberByEmail(needs.db, 'ann@example.org')).toMatchObject({ suppressedReason: noMailbox })
  })

  test('into a second digest leaves the first as it was, and who left that may still be in this', async () => {
    const needs = await opened()
    const file = csv('email\nann@example.org\n')
    await importSubscribers(needs, file, 'weekly')
    const ann = await subscriberByEmail(needs.db, 'ann@example.org')
    await leave(needs, { subscriberId: ann?.id ?? '', digest: 'weekly', editionId: null, how: 'page' })
    expect(await importSubscribers(needs, file, 'daily')).toMatchObject({ added: 1 })
    expect(await countActive(needs.db, 'weekly')).toBe(0)
    expect(await countActive(needs.db, 'daily')).toBe(1)
  })

  test('leaves in peace somebody who left and came back by their own act', async () => {
    const needs = await opened()
    const file = csv('email\nann@example.org\n')
    await importSubscribers(needs, file, 'weekly')
    const ann = await subscriberByEmail(needs.db, 'ann@example.org')
    const act = { subscriberId: ann?.id ?? '', digest: 'weekly', editionId: null, how: 'page' }
    await leave(needs, act)
    expect(await resubscribe(needs, act)).toBe('resubscribed')
    expect(await importSubscribers(needs, file, 'weekly')).toMatchObject({ added: 0 })
    const rows = await activeSubscribers(needs.db, 'weekly').select('subscriptions.proof').execute()
    expect(rows[0]?.proof).toMatch(/^asked for by page/)
  })

  test('counts one person once, though pages lie between two rows', async () => {
    const needs = await opened()
    const others = Array.from({ length: 1200 }, (_, index) => `p${index}@example.org,P`)
    const file = csv(['email,name', 'ann@example.org,First', ...others, 'ANN@example.org,Last'].join('\n'))
    expect(await importSubscribers(needs, file, 'weekly')).toMatchObject({ rows: 1202, added: 1201, known: 1 })
    expect(await subscriberByEmail(needs.db, 'ann@example.org')).toMatchObject({ name: 'First' })
  })

  test('counts lines right though a line end of Windows is cut in two between two reads of the file', async () => {
    const needs = await opened()
    const head = 'email,name\r\nann@example.org,'
    const file = csv(`${head}${'x'.repeat(65_535 - head.length)}\r\n\r\nnobody,X\r\nbob@example.org,"B\r\nob"\r\n`)
    const report = await importSubscribers(needs, file, 'weekly')
    expect(report).toMatchObject({ rows: 3, added: 2, problems: [{ line: 4 }] })
  })

  test('of a file wholly broken says the first hundred problems and counts the rest', async () => {
    const needs = await opened()
    const file = csv(`email\n${'nobody\n'.repeat(250)}`)
    const report = await importSubscribers(needs, file, 'weekly')
    expect(report).toMatchObject({ rows: 250, added: 0, problemCount: 250 })
    expect(report.problems).toHaveLength(100)
    expect(report.problems[99]).toEqual({ line: 101, problem: '"nobody" is not an email address' })
  })

  test('of a file with a quotation mark in every line loses only the lines where it stays open', async () => {
    const needs = await opened()
    const lines = Array.from({ length: 300 }, (_, index) => `p${index}@example.org,${index % 3 ? `P ${index}` : '"P'}`)
    const report = await importSubscribers(needs, csv(`email,name\n${lines.join('\n')}\n`), 'weekly')
    expect(report).toMatchObject({ rows: 300, added: 200, problemCount: 100 })
  })
})

describe('a file that cannot be imported', () => {
  const needs = { db: undefined as never, clock: fakeClock() }

  test('because it is not there is missing', async () => {
    const file = join(folder, 'none.csv')
    await expect(importSubscribers(needs, file, 'weekly')).rejects.toMatchObject({
      code: 'missing',
      message: `${file} does not exist`,
    })
  })

  test('because it is a folder is invalid, with the reason of the system', async () => {
    await expect(importSubscribers(needs, folder, 'weekly')).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('cannot be read: EISDIR'),
    })
  })
})

/** In a process of its own, so that nothing but the import is measured: what lives after each page, garbage taken away. */
test('two hundred thousand rows need no more memory than two thousand', async () => {
  const measured = await inProcess(`
    import { mkdtempSync, createWriteStream, rmSync } from 'node:fs'
    import { once } from 'node:events'
    import { setFlagsFromString } from 'node:v8'
    import { runInNewContext } from 'node:vm'
    import { openStore } from './src/store/open.ts'
    import { importSubscribers } from './src/subscribers/import/import.ts'
    const folder = mkdtempSync('${tmpdir()}/lastword-large-')
    const file = createWriteStream(folder + '/list.csv')
    file.write('email,name,city\\n')
    for (let page = 0; page < 200; page++) {
      let rows = ''
      for (let row = 0; row < 1000; row++) {
        const number = page * 1000 + row
        rows += number % 1000 === 7 ? 'broken "row\\n' : 'p' + number + (number % 10 ? '@example.org,Person,Leeds\\n' : '@example.org,"Person, tenth",Leeds\\n')
      }
      if (!file.write(rows)) await once(file, 'drain')
    }
    await new Promise((done) => file.end(done))
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc')
    let pages = 0, first = 0, most = 0
    const measure = () => {
      if (++pages % 20 !== 4) return
      collect()
      const { heapUsed, external } = process.memoryUsage()
      first ||= heapUsed + external
      most = Math.max(most, heapUsed + external)
    }
    const clock = { now: () => (measure(), '2026-11-27T07:00:00.000Z') }
    const store = await openStore('file:' + folder + '/list.db', clock)
    const report = await importSubscribers({ db: store.db, clock }, folder + '/list.csv', 'weekly')
    await store.close()
    rmSync(folder, { recursive: true })
    console.log(JSON.stringify({ ...report, problems: report.problems.length, pages, grown: most - first }))`)
  const report = JSON.parse(measured)
  expect(report).toMatchObject({ rows: 200_000, added: 199_800, known: 0, problemCount: 200, problems: 100 })
  expect(report.pages).toBeGreaterThan(390)
  expect(report.grown).toBeLessThan(20 * 1024 * 1024)
}, 120_000)
