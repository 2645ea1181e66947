import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, describe, inject } from 'vitest'

/** The engines that every contract is run on. */
export const engines = ['SQLite', 'PostgreSQL'] as const

export type EngineName = (typeof engines)[number]

/** Runs one contract on both engines; `freshUrl` is the address of an empty store. */
export function onBothEngines(name: string, contract: (freshUrl: () => Promise<string>) => void): void {
  describe.each(engines)(`${name} on %s`, (engine) => {
    const made: (() => Promise<void> | void)[] = []
    afterAll(async () => {
      for (const remove of made) await remove()
    })
    contract(async () => {
      const { url, remove } = engine === 'SQLite' ? sqliteUrl() : await postgresUrl()
      made.push(remove)
      return url
    })
  })
}

/** A new file in a folder of its own. */
export function sqliteUrl(): { url: string; folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'lastword-test-'))
  return {
    url: `file:${join(folder, 'lastword.db')}`,
    folder,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

let databases = 0

/** A new database in the PostgreSQL of this run. */
export async function postgresUrl(): Promise<{ url: string; remove(): Promise<void> }> {
  const name = `test_${process.pid}_${++databases}`
  await asAdmin(`create database ${name}`)
  return { url: serverUrl(name), remove: () => asAdmin(`drop database ${name} with (force)`) }
}

async function asAdmin(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl('postgres') })
  await client.connect()
  await client.query(statement)
  await client.end()
}

function serverUrl(database: string): string {
  return `postgres://lastword:lastword@127.0.0.1:${inject('postgresPort')}/${database}`
}
