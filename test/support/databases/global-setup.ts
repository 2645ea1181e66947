import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { openStore } from '../../../src/store/open.ts'
import { systemClock } from '../../../src/time/clock.ts'
import { prepareServer } from './databases.ts'
import { initialisePostgres, openPostgres } from './postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresPort: number
    /** The fingerprint of the tables of a migrated PostgreSQL database. */
    postgresSchema: string
    /** The data folder of a new server, to be copied. */
    postgresFolder: string
    /** An SQLite file with every table and no row, to be copied. */
    sqliteTemplate: string
  }
}

/** One PostgreSQL server for the whole run of tests, and what the databases of the tests are copies of. */
export default async function prepareDatabases(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'lastword-templates-'))
  const sqliteTemplate = join(folder, 'lastword.db')
  const postgresFolder = `${folder}-postgres` // the folder above is closed to the user that PostgreSQL runs as
  await initialisePostgres(postgresFolder)
  const store = await openStore(`file:${sqliteTemplate}`, systemClock)
  await store.close()
  const server = await openPostgres({ copyOf: postgresFolder, settings })
  project.provide('postgresPort', server.port)
  project.provide('postgresSchema', await prepareServer(server.port))
  project.provide('postgresFolder', postgresFolder)
  project.provide('sqliteTemplate', sqliteTemplate)
  return async () => {
    await server.remove()
    for (const made of [folder, postgresFolder]) rmSync(made, { recursive: true, force: true })
  }
}

/** Less work in the background, for many small databases that live for seconds. */
const settings = ['autovacuum=off', 'full_page_writes=off', 'jit=off', 'wal_level=minimal', 'max_wal_senders=0']
