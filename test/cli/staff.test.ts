import { afterEach, beforeEach, expect, test } from 'vitest'
import { editorsLine } from '../../src/cli/start.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { addSession } from '../../src/store/staff/staff.ts'
import { systemClock } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { type Home, makeHome } from '../support/home.ts'

onBothEngines('the command staff', (freshUrl) => {
  let home: Home
  let store: Store

  beforeEach(async () => {
    const url = await freshUrl()
    store = await openStore(url, systemClock)
    home = makeHome({ environment: { LASTWORD_STORE__URL: url } })
  })
  afterEach(async () => {
    home.remove()
    await store.close()
  })

  const signIn = (staff: string, hash: string) =>
    addSession(store.db, {
      hash,
      staff,
      createdAt: '2026-11-20T07:00:00.000Z',
      lastUsedAt: '2026-11-27T06:00:00.000Z',
      expiresAt: '2999-01-01T00:00:00.000Z',
    })

  test('lists who is signed in, since when and last used, and the links that are not used yet, without a secret', async () => {
    expect((await home.lastword('staff', 'list')).stdout).toContain('Nobody is signed in')
    await signIn('mira', 'a'.repeat(64))
    const link = (await home.lastword('staff', 'link', '--name', 'omar')).stdout.trim()
    const { code, stdout } = await home.lastword('staff', 'list')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^mira +signed in since 2026-11-20 07:00 UTC +last used 2026-11-27 06:00 UTC/m)
    expect(stdout).toMatch(/^omar +link made \d{4}-\d\d-\d\d \d\d:\d\d UTC +not used yet/m)
    const json = (await home.lastword('staff', 'list', '--json')).stdout
    expect(JSON.parse(json)).toMatchObject({ sessions: [{ staff: 'mira' }], links: [{ staff: 'omar' }], ended: [] })
    for (const secret of ['aaaaaa', link.slice(-43)]) expect(stdout + json).not.toContain(secret)
  })

  test('lets a person with an address sign in by email, and takes the address and the sessions away', async () => {
    const added = await home.lastword('staff', 'add', 'Mira', '--email', 'Mira@magazine.example')
    expect([added.code, added.stdout]).toEqual([
      0,
      expect.stringMatching(/^Mira can sign in by email: http.*\/sign-in$/m),
    ])
    const taken = await home.lastword('staff', 'add', 'omar', '--email', 'mira@MAGAZINE.example')
    expect([taken.code, taken.stderr]).toEqual([1, expect.stringContaining('already the address of Mira')])
    expect((await home.lastword('staff', 'list')).stdout).toContain('Mira signs in by email: Mira@magazine.example')
    await signIn('Mira', 'a'.repeat(64))
    expect((await home.lastword('staff', 'remove', 'Mira')).code).toBe(0)
    expect(await store.db.selectFrom('staff').selectAll().execute()).toEqual([])
    expect(await store.db.selectFrom('sessions').selectAll().execute()).toEqual([])
    expect((await home.lastword('staff', 'remove', 'Mira')).stderr).toContain('nobody named "Mira" has an address')
  })

  test('refuses an empty name and text that is no address', async () => {
    for (const args of [
      ['link', '--name', ''],
      ['link', '--name', ' '],
      ['add', ' ', '--email', 'a@b.example'],
    ])
      expect((await home.lastword('staff', ...args)).stderr).toContain('the name is empty')
    expect((await home.lastword('staff', 'add', 'mira', '--email', 'mira')).stderr).toContain('not an email address')
    expect(await store.db.selectFrom('signInLinks').selectAll().execute()).toEqual([])
  })

  test('ends the sessions and links of one person, or of all, and keeps who did it and when', async () => {
    await signIn('mira', 'a'.repeat(64))
    await signIn('mira', 'b'.repeat(64))
    await signIn('omar', 'c'.repeat(64))
    await home.lastword('staff', 'link', '--name', 'mira')
    const ended = await home.lastword('staff', 'end', 'mira', '--who', 'tam')
    expect([ended.code, ended.stdout]).toEqual([0, 'tam ended 2 sessions and 1 unused link of mira\n'])
    const listed = (await home.lastword('staff', 'list')).stdout
    expect(listed).toMatch(/^omar /m)
    expect(listed).not.toMatch(/^mira /m)
    expect(listed).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d UTC: tam ended 2 sessions and 1 unused link of mira$/m)
    expect((await home.lastword('staff', 'end', 'mira')).stdout).toContain('nobody named "mira" is signed in')
    expect((await home.lastword('staff', 'end', '--all', '--json')).stdout).toContain('"staff":"omar"')
    expect(await store.db.selectFrom('sessions').selectAll().execute()).toEqual([])
  })

  test('ends nothing when it is not said whose', async () => {
    await signIn('mira', 'a'.repeat(64))
    for (const words of [[], ['mira', '--all']]) {
      const { code, stderr } = await home.lastword('staff', 'end', ...words)
      expect([code, stderr]).toEqual([1, expect.stringContaining('a name, or --all')])
    }
    expect(await store.db.selectFrom('sessions').selectAll().execute()).toHaveLength(1)
  })
})

test('start prints a sign-in link to a terminal alone', async () => {
  const makeLink = async () => 'https://news.example/sign-in/abc'
  expect(await editorsLine(true, makeLink)).toBe('Editors: https://news.example/sign-in/abc')
  for (const isTerminal of [false, undefined]) expect(await editorsLine(isTerminal, makeLink)).not.toContain('sign-in/')
})

test('start in a service writes no sign-in link into its log, and makes none', async () => {
  const home = makeHome({ environment: { LASTWORD_web__port: '0' } })
  const { child, ended } = home.begin('start')
  child.stdout?.on('data', (chunk) => String(chunk).includes('Editors:') && child.kill('SIGTERM'))
  const { stdout, stderr } = await ended
  expect(stdout).toContain('Editors: make a sign-in link with: lastword staff link')
  expect(stdout + stderr).not.toContain('/sign-in/')
  const listed = JSON.parse((await home.lastword('staff', 'list', '--json')).stdout)
  expect(listed.links).toEqual([])
  home.remove()
})
