import { readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Home, makeHome } from '../../support/home.ts'

let home: Home

beforeEach(() => {
  home = makeHome()
  const text = readFileSync(join(home.folder, 'jobs/weekly.yml'), 'utf8')
  home.write('jobs/broken.yml', `<<<<<<< HEAD\n${text}=======\n${text}>>>>>>> theirs\n`)
})

afterEach(() => home.remove())

/** Without the line about a new database, and what the command itself says. */
const warnings = (stderr: string) => stderr.split('\n').filter((line) => line.startsWith('warning:'))

test.each([
  [['sending', 'stop', '--reason', 'a fault']],
  [['sending', 'status']],
  [['edition', 'list']],
  [['edition', 'list', 'weekly']],
  [['edition', 'list', 'broken']],
  [['article', 'list']],
  [['staff', 'link']],
  [['staff', 'list']],
  [['feeds', 'list']],
  [['subscribers', 'list', '--digest', 'broken']],
  [['corrections', 'list']],
  [['letters', 'list']],
  [['timetable']],
])('lastword %j works beside a broken job file, and names it in one line', async (args) => {
  const { code, stderr } = await home.lastword(...args)
  expect(warnings(stderr)).toEqual([expect.stringMatching(/^warning: jobs\/broken\.yml .*jobs\/broken\.yml:1:/)])
  expect({ code, stderr }).toMatchObject({ code: 0 })
})

test('the timetable shows the digests whose files have no error', async () => {
  expect((await home.lastword('timetable', '--runs', '1')).stdout).toMatch(/^weekly .*\n$/)
})

test('an edition of a digest whose file is broken can be stopped, and is not approved', async () => {
  const people = home.write('people.csv', 'email\nmira@readers.example\n')
  await home.lastword('subscribers', 'import', people, '--digest', 'weekly')
  renameSync(join(home.folder, 'jobs/broken.yml'), join(home.folder, 'broken.txt'))
  await home.lastword('run', 'weekly', '--yes')
  home.write('jobs/weekly.yml', readFileSync(join(home.folder, 'broken.txt')))
  const approved = await home.lastword('edition', 'approve', 'weekly', '--yes')
  expect(approved).toMatchObject({ code: 1, stderr: expect.stringMatching(/^lastword:\s+jobs\/weekly\.yml:1:/m) })
  expect((await home.lastword('edition', 'show', 'weekly')).code).toBe(0)
})

test.each([
  [['run', 'broken']],
  [['simulate', 'broken']],
  [['edition', 'preview', 'broken', '--out', 'out']],
  [['subscribers', 'import', 'people.csv', '--digest', 'broken']],
  [['feeds', 'export', '--digest', 'broken']],
])('lastword %j ends with the error of the file', async (args) => {
  const { code, stderr } = await home.lastword(...args)
  expect(code).toBe(1)
  expect(stderr).toMatch(/^lastword:\s+jobs\/broken\.yml:1:/m)
})

test('a name that is no digest is answered with those that there are', async () => {
  const { code, stderr } = await home.lastword('edition', 'list', 'wekly')
  expect(code).toBe(1)
  expect(stderr).toContain('There are: broken (its job file has an error), weekly.')
})

test('nobody is imported into the only digest that is left', async () => {
  const people = home.write('people.csv', 'email\nmira@readers.example\n')
  const { code, stderr } = await home.lastword('subscribers', 'import', people)
  expect(code).toBe(1)
  expect(stderr).toContain('which digest?')
})

test('the emergency stop and sign-in links need no job file at all', async () => {
  rmSync(join(home.folder, 'jobs'), { recursive: true })
  expect(await home.lastword('sending', 'stop', '--reason', 'a fault')).toMatchObject({ code: 0 })
  expect(await home.lastword('staff', 'link')).toMatchObject({ code: 0 })
  expect(await home.lastword('edition', 'list')).toMatchObject({ code: 1 })
})
