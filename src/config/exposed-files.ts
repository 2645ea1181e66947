import { existsSync, realpathSync, type Stats, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, relative, resolve } from 'node:path'
import { foldersAbove } from '../runtime/compile-cache.ts'
import { type Config, environmentSecretFiles } from './config.ts'
import { hasSecret, secretFilesOf } from './secrets.ts'
import { readYaml } from './yaml.ts'

/** Files that other users of this machine can read and should not, and the command that corrects it. */
export type Exposed = { what: string; paths: string[]; command: string }

/**
 * The files of an installation that other users of this machine can read: the database with its log and folder, secret
 * files, and the configuration if it has a secret.
 */
export function exposedFiles(config: Config, configFile: string): Exposed[] {
  const url = config.store.url
  const database = url.startsWith('file:') ? url.slice('file:'.length) : undefined
  const secrets = [...secretFilesOf(config), ...environmentSecretFiles()].map(({ file }) => file)
  if (existsSync(configFile) && hasSecret(readYaml(configFile).data)) secrets.unshift(configFile)
  return [
    ...(database === undefined ? [] : exposedDatabase(database)),
    ...[...new Set(secrets)].filter(isReadable).map((path) => toExposed(`${path} contains a secret`, [path], '600')),
  ]
}

function exposedDatabase(path: string): Exposed[] {
  const files = [path, `${path}-wal`, `${path}-shm`].filter(isReadable)
  const folder = dirname(path)
  return [
    ...(files.length > 0
      ? [toExposed('the database contains addresses and the secret that signs links', files, '600')]
      : []),
    ...(isOwnFolder(folder) && isReadable(folder) ? [toExposed('the folder of the database', [folder], '700')] : []),
  ]
}

function toExposed(what: string, paths: string[], mode: string): Exposed {
  return { what, paths, command: `chmod ${mode} ${paths.map(shellQuoted).join(' ')}` }
}

const shellQuoted = (path: string) => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`)

/** Whether the folder is only for lastword: not that of the installation, a home folder or a system folder. */
function isOwnFolder(folder: string): boolean {
  const path = resolve(folder)
  if ([process.cwd(), homedir(), '/'].includes(path)) return false
  const fromHere = relative(process.cwd(), path)
  if (process.cwd() !== '/' && !fromHere.startsWith('..')) return true
  const uid = process.getuid?.()
  return uid !== 0 && statSync(path, { throwIfNoEntry: false })?.uid === uid
}

/**
 * Whether another user can read the file: all users, or the group of a file that we own. A parent folder that they cannot
 * enter protects it.
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
