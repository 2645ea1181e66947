import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type Home, makeHome } from '../../support/home.ts'

let it: Home
afterEach(() => it.remove())

test('a list without anything in it says so on stderr, and prints nothing', async () => {
  it = makeHome()
  await it.lastword('migrate') // the first command says that it made the database
  const said = async (...command: string[]) => {
    const { code, stdout, stderr } = await it.lastword(...command)
    expect([command, code, stdout]).toEqual([command, 0, ''])
    return stderr
  }
  expect(await said('edition', 'list')).toBe('There are no editions yet.\n')
  expect(await said('edition', 'list', 'weekly', '--json')).toBe('There are no editions of weekly yet.\n')
  expect(await said('letters', 'list')).toBe('No letters wait to be printed.\n')
  expect(await said('letters', 'list', '--printed')).toBe('No letters have been printed yet.\n')
  expect(await said('feeds', 'list')).toMatch(/^No feed has been fetched yet/)
  rmSync(join(it.folder, 'jobs', 'weekly.yml'))
  expect(await said('timetable')).toMatch(/^There is no digest yet: put a job file into .*jobs\.\n$/)
})
