import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { openStore, type Store } from '../../../src/store/open.ts'
import { activeSubscribers, subscriberByEmail, subscriptionsOf } from '../../../src/store/subscribers/subscribers.ts'
import { importSubscribers } from '../../../src/subscribers/import/import.ts'
import { leave } from '../../../src/subscribers/leave.ts'
import { unsuppress } from '../../../src/subscribers/suppress.ts'
import { addMs, hour } from '../../../src/time/clock.ts'
import { fakeClock } from '../../support/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { resubscribe } from '../../support/resubscribe.ts'

const folder = mkdtempSync(join(tmpdir(), 'lastword-kept-out-'))
afterAll(() => rmSync(folder, { recursive: true }))

const others = Array.from({ length: 600 }, (_, index) => `p${index}@a.example`)

onBothEngines('an import of a file that keeps people out', (freshUrl) => {
  const clock = fakeClock()
  let store: Store
  const opened = async () => {
    store = await openStore(await freshUrl(), clock)
    return { db: store.db, clock }
  }
  afterEach(() => store.close())
  const take = (content: string | Buffer, { digest = 'weekly', dryRun = false } = {}) => {
    const file = join(folder, 'list.csv')
    writeFileSync(file, content)
    return importSubscribers({ db: store.db, clock }, file, digest, { dryRun })
  }
  const isActive = async (email: string, digest = 'weekly') =>
    (await activeSubscribers(store.db, digest).select('subscribers.email').execute()).some((one) => one.email === email)
  const comeBack = async (email: string, digest: string) => {
    const person = await subscriberByEmail(store.db, email)
    const act = { subscriberId: person?.id ?? '', digest, editionId: null, how: 'page' }
    await leave({ db: store.db, clock }, act)
    expect(await resubscribe({ db: store.db, clock }, act)).toBe('resubscribed')
  }

  test.each(['opt_in', 'Accepts Email Marketing', 'subscribed', 'Newsletter'])(
    'takes off the list who said no under "%s"',
    async (heading) => {
      await opened()
      await take('email\nann@a.example\nbob@a.example\n')
      const report = await take(`email,${heading}\nann@a.example,no\nbob@a.example,yes\n`)
      expect(report).toMatchObject({ unsubscribedHere: 1, known: 1 })
      expect([await isActive('ann@a.example'), await isActive('bob@a.example')]).toEqual([false, true])
    },
  )

  test('leaves who is subscribed here and never confirmed elsewhere, and sends a new one nothing', async () => {
    await opened()
    await take('email\nann@a.example\n')
    const report = await take('email,status\nann@a.example,unconfirmed\nbob@a.example,unconfirmed\n')
    expect(report).toMatchObject({ added: 0, unsubscribedHere: 0 })
    expect([await isActive('ann@a.example'), await isActive('bob@a.example')]).toEqual([true, false])
  })

  test.each(['no', 'unsubscribed'])(
    'counts the worst row of a person, however far apart they are: %s',
    async (said) => {
      for (const rows of [
        ['ann@a.example,yes', ...others.map((one) => `${one},yes`), `ANN@a.example,${said}`],
        [`ann@a.example,${said}`, ...others.map((one) => `${one},yes`), 'ANN@a.example,yes'],
      ]) {
        await opened()
        const file = ['email,subscribed', ...rows].join('\n')
        const dry = await take(file, { dryRun: true })
        expect(dry).toMatchObject({ rows: 602, added: 600, known: 1, unsubscribedHere: 0 })
        expect(await take(file)).toEqual(dry)
        expect(await isActive('ann@a.example')).toBe(false)
        await store.close()
      }
      await opened()
    },
  )

  test('counts "not confirmed" too, however far from a row that says yes', async () => {
    await opened()
    const rows = ['ann@a.example,active', ...others.map((one) => `${one},active`), 'ann@a.example,unconfirmed']
    expect(await take(['email,status', ...rows].join('\n'))).toMatchObject({ added: 600, known: 1 })
    expect(await isActive('ann@a.example')).toBe(false)
  })

  test('is outweighed by a return to the same digest only, and by none that is older than the date in the file', async () => {
    await opened()
    for (const digest of ['daily', 'daily-news', 'weekly']) await take('email\nann@a.example\n', { digest })
    await comeBack('ann@a.example', 'daily')
    const undated = 'email,status\nann@a.example,unsubscribed\n'
    for (const digest of ['daily', 'daily-news', 'weekly']) await take(undated, { digest })
    const kept = async () =>
      Promise.all(['daily', 'daily-news', 'weekly'].map((digest) => isActive('ann@a.example', digest)))
    expect(await kept()).toEqual([true, false, false])
    const dated = (by: number) => `email,unsub_time\nann@a.example,${addMs(clock.now(), by)}\n`
    expect(await take(dated(-hour), { digest: 'daily' })).toMatchObject({ unsubscribedHere: 0, changeCount: 1 })
    expect(await take(dated(hour), { digest: 'daily' })).toMatchObject({ unsubscribedHere: 1 })
    expect(await kept()).toEqual([false, false, false])
  })

  test('is not outweighed by a return where the address bounced, or its owner complained', async () => {
    await opened()
    await take('email\nann@a.example\nbob@a.example\n')
    for (const one of ['ann@a.example', 'bob@a.example']) await comeBack(one, 'weekly')
    await take('email,status\nann@a.example,bounced\nbob@a.example,complained\n')
    expect([await isActive('ann@a.example'), await isActive('bob@a.example')]).toEqual([false, false])
  })

  test('is outweighed by the release of a bounced address, but a complaint only by the release of a complaint', async () => {
    const needs = await opened()
    await take('email\nann@a.example\n')
    const bounced = 'email,status\nann@a.example,bounced\n'
    const complained = 'email,status\nann@a.example,complained\n'
    const isSuppressed = async () => (await subscriberByEmail(store.db, 'ann@a.example'))?.suppressedAt !== null
    const lift = () => unsuppress(needs, 'ann@a.example', { who: 'Mo', reason: '' })
    await take(bounced)
    await lift()
    await take(bounced)
    expect(await isSuppressed()).toBe(false)
    await take(complained)
    expect(await isSuppressed()).toBe(true)
    await lift()
    await take(complained)
    expect(await isSuppressed()).toBe(false)
    await take(`email,bounced_at\nann@a.example,${addMs(clock.now(), hour)}\n`)
    expect(await isSuppressed()).toBe(true)
  })

  test('reads both of two columns with the same name, and keeps the first as an attribute', async () => {
    await opened()
    const rows = ['ann@a.example,active,Unsubscribed,Leeds,York', 'bob@a.example,active,active,Bath,']
    const report = await take(['email,status,Status,town,Town', ...rows].join('\n'))
    expect(report).toMatchObject({ added: 1, states: [{ state: 'unsubscribed', meaning: 'left' }] })
    expect([await isActive('ann@a.example'), await isActive('bob@a.example')]).toEqual([false, true])
    const bob = await subscriberByEmail(store.db, 'bob@a.example')
    expect(JSON.parse(bob?.attributes ?? '')).toEqual({ status: 'active', town: 'Bath' })
  })

  test.each<[string, string | Buffer]>([
    ['has a comma too many before the state', 'ann@a.example,Lee, Ann,unsubscribed'],
    ['has two commas too many', 'ann@a.example,Lee, Ann, Dr,unsubscribed'],
    ['has a comma too many after it', 'ann@a.example,Ann,unsubscribed,Leeds,UK'],
    ['lacks a quotation mark', 'ann@a.example,"Ann,unsubscribed'],
    ['has a byte of another encoding', Buffer.from('ann@a.example,\xe9,unsubscribed', 'latin1')],
  ])('counts the state of a row that %s, and names the row', async (_, row) => {
    await opened()
    await take('email\nann@a.example\nbob@a.example\n')
    const rest = '\nbob@a.example,Bób Ünal,active\ncy@a.example,Çy,active\n'
    const report = await take(Buffer.concat([Buffer.from('email,name,status\n'), Buffer.from(row), Buffer.from(rest)]))
    expect(report).toMatchObject({ problemCount: 1, unsubscribedHere: 1, added: 1, known: 1 })
    expect(report.problems).toEqual([
      { line: 2, problem: expect.stringMatching(/; it says "unsubscribed" for ann@a\.example, which counts/) },
    ])
    expect([await isActive('ann@a.example'), await isActive('bob@a.example')]).toEqual([false, true])
    const ann = await subscriberByEmail(store.db, 'ann@a.example')
    expect((await subscriptionsOf(store.db, ann?.id ?? ''))[0]?.leftAt).toBe(clock.now())
  })

  test.each(['User status', 'Q7'])('finds by a broken row alone that "%s" is a column of states', async (heading) => {
    await opened()
    await take('email\nann@a.example\n')
    await take(`email,name,${heading}\nann@a.example,Lee, Ann,unsubscribed\nbob@a.example,Bob,active\n`)
    expect([await isActive('ann@a.example'), await isActive('bob@a.example')]).toEqual([false, true])
  })

  test('leaves as they are the people of broken rows that keep nobody out', async () => {
    await opened()
    await take('email\nann@a.example\n')
    const report = await take('email,name,status\nann@a.example,Lee, Ann,active\n,Lee, Bob,unsubscribed\n')
    expect(report).toMatchObject({ problemCount: 2, unsubscribedHere: 0 })
    expect(await isActive('ann@a.example')).toBe(true)
  })
})
