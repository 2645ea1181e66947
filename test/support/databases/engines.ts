import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, inject, onTestFinished } from 'vitest'
import { blankDatabase, migratedDatabase } from './databases.ts'

/** The engines that every contract is run on. */
const engines = ['SQLite', 'PostgreSQL'] as const

type TestDatabase = { url: string; remove(): Promise<void> | void }

/**
 * Runs one contract on both engines; `freshUrl` is the address of an empty store, `blankUrl` that of one which has never
 * been opened. Both may be called in a test, which has the store alone until it ends, or in `beforeAll`.
 */
export function onBothEngines(
  name: string,
  contract: (freshUrl: () => Promise<string>, blankUrl: () => Promise<string>) => void,
): void {
  describe.each(engines)(`${name} on %s`, (engine) => {
    const made: TestDatabase['remove'][] = []
    afterAll(async () => {
      for (const remove of made) await remove()
    })
    const kept = (one: TestDatabase) => {
      if (!removedWithTest(one)) made.push(one.remove)
      return one.url
    }
    const isSqlite = engine === 'SQLite'
    contract(
      async () => kept(isSqlite ? sqliteUrl() : await migratedDatabase()),
      async () => kept(isSqlite ? blankSqliteUrl() : await blankDatabase()),
    )
  })
}

/** Has it removed when the test that runs now has closed what it opened; false where none runs. */
function removedWithTest({ remove }: TestDatabase): boolean {
  try {
    onTestFinished(remove)
    return true
  } catch {
    return false // vitest lets it be called in a test alone
  }
}

type SqliteFile = { url: string; folder: string; remove(): void }

/** A file with every table and no row, alone in its folder. */
export function sqliteUrl(): SqliteFile {
  const file = blankSqliteUrl()
  copyFileSync(inject('sqliteTemplate'), join(file.folder, 'lastword.db'))
  return file
}

/** The path of a file that does not exist yet, in an empty folder. */
export function blankSqliteUrl(): SqliteFile {
  const folder = mkdtempSync(join(tmpdir(), 'lastword-test-'))
  return {
    url: `file:${join(folder, 'lastword.db')}`,
    folder,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
