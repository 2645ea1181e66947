import { closeSync, mkdirSync, openSync, readSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { AppError, systemCode } from '../../errors.ts'

/** The first bytes of every SQLite file (https://sqlite.org/fileformat.html, section 1.3). */
const magic = 'SQLite format 3\0'

/**
 * Creates the SQLite file if it is missing, with mode 0600 (its log and shared memory inherit it) in a folder with
 * 0700; returns whether it did. Throws AppError `missing` without `mayCreate`, `invalid` for another kind of file; both
 * change nothing.
 */
export function ensureSqliteFile(path: string, mayCreate: boolean): boolean {
  const found = headOf(path)
  if (found === magic) return false
  if (found !== undefined && found !== '') throw noDatabase(path)
  if (found === undefined && !mayCreate) throw noFile(path)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
  return true
}

/**
 * The first bytes of the file; undefined if it does not exist. If it cannot be read it counts as a database, because
 * SQLite reports the reason.
 */
function headOf(path: string): string | undefined {
  let file: number
  try {
    if (statSync(path).isDirectory()) throw noDatabase(path)
    file = openSync(path, 'r')
  } catch (error) {
    if (error instanceof AppError) throw error
    return /^(ENOENT|ENOTDIR)$/.test(systemCode(error) ?? '') ? undefined : magic
  }
  try {
    const bytes = Buffer.alloc(magic.length)
    return bytes.toString('latin1', 0, readSync(file, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(file)
  }
}

function noFile(path: string): AppError {
  return new AppError('missing', `there is no database at ${resolve(path)}; nothing was made`, {
    hint: `Correct store.url in lastword.yml (or LASTWORD_STORE__URL) if it should be elsewhere. To make a new, empty one there: lastword migrate --create`,
  })
}

function noDatabase(path: string): AppError {
  return new AppError('invalid', `${path} is not a database; nothing was changed`, {
    hint: `Correct store.url in lastword.yml (or LASTWORD_STORE__URL) if it names the wrong file. If this was the database, it is damaged: stop lastword, keep a copy of the file, and restore your last backup (docs/operations.md, "Restore"), or rescue what can still be read: sqlite3 ${path} .recover | sqlite3 rescued.db`,
  })
}
