import { DatabaseSync } from 'node:sqlite'
import type { Dialect } from 'kysely'
import { SqliteConnection } from './sqlite-connection.ts'
import { SqliteDatabase, type SqliteOptions } from './sqlite-database.ts'
import { TwoConnectionDialect } from './sqlite-driver.ts'

/**
 * Opens a SQLite file in WAL mode, with one connection for writing and one for reading: a read waits neither for our
 * transactions nor for another program's write lock. A locked database does not block this thread; throws StoreError
 * for failures of the environment.
 */
export async function openSqlite(path: string, options: SqliteOptions): Promise<Dialect> {
  const writing = new DatabaseSync(path, { timeout: 0 })
  const database = new SqliteDatabase(path, new SqliteConnection(writing), options)
  try {
    // NORMAL in WAL mode loses nothing when the process is killed; only a power cut may lose what `sync` has not written.
    // At each checkpoint this thread waits for the disk twice: after 16 MB, and not after 4, a page that changes often is written once.
    await database.whenUnlocked(() =>
      writing.exec(
        'pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on; pragma wal_autocheckpoint = 4000',
      ),
    )
    database.useReader(new SqliteConnection(new DatabaseSync(path, { timeout: 0, readOnly: true })))
  } catch (error) {
    database.close()
    throw error
  }
  return new TwoConnectionDialect(database)
}
