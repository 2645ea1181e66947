import { existsSync, realpathSync, type Stats, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, relative, resolve } from 'node:path'
import { foldersAbove } from '../runtime/compile-cache.ts'
import { type Config, environmentSecretFiles } from './config.ts'
import { hasSecret, secretFilesOf } from './secrets.ts'
import { readYaml } from './yaml.ts'

/** What other users of this machine can read and should not, and the command that ends it. */
export type Exposed = { what: string; paths: string[]; command: string }

/**
 * What of an installation users of this machine other than the one that runs lastword can read: the database with its
 * log, its folder, the files that hold secrets, and the configuration if a secret stands in it.
 */
export function exposedFiles(config: Config, configFile: string): Exposed[] {
  const url = config.store.url
  const database = url.startsWith('file:') ? url.slice('file:'.length) : undefined
  const secrets = [...secretFilesOf(config), ...environmentSecretFiles()].map(({ file }) => file)
  if (existsSync(configFile) && hasSecret(readYaml(configFile).data)) secrets.unshift(configFile)
  return [
    ...(database === undefined ? [] : exposedDatabase(database)),
    ...[...new Set(secrets)].filter(isReadable).map((path) => toExposed(`${path} holds a secret`, [path], '600')),
  ]
}

function exposedDatabase(path: string): Exposed[] {
  const files = [path, `${path}-wal`, `${path}-shm`].filter(isReadable)
  const folder = dirname(path)
  return [
    ...(files.length > 0
      ? [toExposed('the database holds addresses and the secret that signs links', files, '600')]
      : []),
    ...(isOwnFolder(folder) && isReadable(folder) ? [toExposed('the folder of the database', [folder], '700')] : []),
  ]
}

function toExposed(what: string, paths: string[], mode: string): Exposed {
  return { what, paths, command: `chmod ${mode} ${paths.map(shellQuoted).join(' ')}` }
}

const shellQuoted = (path: string) => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`)

/** Not the folder of the whole installation, a home, or one of the system: nobody is told to close those. */
function isOwnFolder(folder: string): boolean {
  const path = resolve(folder)
  if ([process.cwd(), homedir(), '/'].includes(path)) return false
  const fromHere = relative(process.cwd(), path)
  if (process.cwd() !== '/' && !fromHere.startsWith('..')) return true
  const uid = process.getuid?.()
  return uid !== 0 && statSync(path, { throwIfNoEntry: false })?.uid === uid
}

/**
 * Whether another user can read it: everybody; or the group of a file that is ours. In a file of somebody else we read by
 * the group ourselves. A folder above that is closed to them protects what is in it.
 */
function isReadable(path: string): boolean {
  const file = statSync(path, { throwIfNoEntry: false })
  const uid = process.getuid?.()
  if (!file || uid === undefined) return false
  const above = foldersAbove(realpathSync(path)).map((folder) => statSync(folder))
  if ((file.mode & 0o004) !== 0 && above.every(({ mode }) => (mode & 0o001) !== 0)) return true
  return (file.mode & 0o040) !== 0 && file.uid === uid && above.every((folder) => canPass(folder, file.gid))
}

function canPass({ mode, gid }: Stats, group: number): boolean {
  return (gid === group && (mode & 0o010) !== 0) || (mode & 0o001) !== 0
}
