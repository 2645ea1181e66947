import { lstatSync, mkdirSync, realpathSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { dirname, resolve } from 'node:path'

/** Turns on Node's cache of compiled modules, if there is a folder for it that nobody else can write to. */
export function usePrivateCompileCache(): void {
  const folder = privateCacheFolder()
  if (folder !== undefined) enableCompileCache(folder)
}

/**
 * The folder of the compile cache, `.cache/lastword/compiled` in the user's home, made with mode 0700. Undefined where
 * it cannot be made, or where another user could put a file in it: Node runs what it finds there without a check.
 */
export function privateCacheFolder(): string | undefined {
  try {
    const folder = resolve(homedir(), '.cache/lastword/compiled')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return isPrivateFolder(folder) ? folder : undefined
  } catch {
    return undefined // no home, or one that is read-only
  }
}

/**
 * Whether the folder belongs to the user of this process, with no right for anybody else, and nobody else can put
 * another in its place: neither at a folder above it, nor at a symbolic link on the way. False on Windows, which has no
 * modes.
 */
export function isPrivateFolder(folder: string): boolean {
  const uid = process.getuid?.()
  if (uid === undefined) return false
  const own = lstatSync(folder)
  if (!own.isDirectory() || own.uid !== uid || (own.mode & 0o077) !== 0) return false
  return [...foldersAbove(folder), ...foldersAbove(realpathSync(folder))].every((above) => isSafeToPass(above, uid))
}

/** From the folder that holds a path up to the root. */
export function foldersAbove(path: string): string[] {
  const above = dirname(path)
  return above === path ? [] : [above, ...foldersAbove(above)]
}

/** In a folder with the sticky bit others make files, and cannot rename or remove ours. */
function isSafeToPass(path: string, uid: number): boolean {
  const entry = lstatSync(path)
  if (entry.uid !== uid && entry.uid !== 0) return false
  return entry.isSymbolicLink() || (entry.mode & 0o022) === 0 || (entry.mode & 0o1000) !== 0
}
