import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AppError } from '../../../src/errors.ts'
import { openStore } from '../../../src/store/open.ts'
import { systemClock } from '../../../src/time/clock.ts'

let folder: string
let umask: number

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastword-files-'))
  umask = process.umask(0o022) // as Debian has it
})
afterEach(() => {
  process.umask(umask)
  rmSync(folder, { recursive: true, force: true })
})

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

test('the database, its log and its shared memory file are for their owner alone, and so are the folders that are made', async () => {
  const path = join(folder, 'a/b/lastword.db')
  const store = await openStore(`file:${path}`, systemClock)
  await store.db.insertInto('settings').values({ name: 'x', value: 'y' }).execute()
  expect([path, `${path}-wal`, `${path}-shm`].map(mode)).toEqual(['600', '600', '600'])
  expect([join(folder, 'a'), join(folder, 'a/b')].map(mode)).toEqual(['700', '700'])
  expect(store.createdFile).toBe(path)
  await store.close()
  chmodSync(path, 0o640)
  const again = await openStore(`file:${path}`, systemClock)
  expect(again.createdFile).toBeUndefined()
  expect(mode(path)).toBe('640') // what somebody set is left alone
  await again.close()
})

test.each(['lastword.db', 'no/such/folder/lastword.db'])(
  'where nothing is to be made and there is no %s, nothing is: no file, no folder',
  async (name) => {
    const path = join(folder, name)
    const refused = await openStore(`file:${path}`, systemClock, { mayCreate: false }).catch((error) => error)
    expect(refused).toMatchObject({ code: 'missing', hint: expect.stringContaining('--create') })
    expect((refused as AppError).message).toBe(`there is no database at ${path}; nothing was made`)
    expect(readdirSync(folder)).toEqual([])
  },
)

test('a file of something else is called so, and stays as it is', async () => {
  const path = join(folder, 'README.md')
  writeFileSync(path, '# Not a database\n')
  const refused = await openStore(`file:${path}`, systemClock).catch((error) => error)
  expect(refused).toMatchObject({ code: 'invalid', message: `${path} is not a database; nothing was changed` })
  expect((refused as AppError).hint).not.toMatch(/needs to write/)
  expect(readFileSync(path, 'utf8')).toBe('# Not a database\n')
  expect(readdirSync(folder)).toEqual(['README.md'])
  const inFolder = await openStore(`file:${folder}`, systemClock).catch((error) => error)
  expect(inFolder).toMatchObject({ message: `${folder} is not a database; nothing was changed` })
})

test('an empty file becomes a database, and whoever opens it hears that it is new', async () => {
  const path = join(folder, 'lastword.db')
  writeFileSync(path, '')
  const store = await openStore(`file:${path}`, systemClock, { mayCreate: false })
  expect(store.createdFile).toBe(path)
  await store.close()
})
