import { lstatSync, mkdirSync, realpathSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { dirname, resolve } from 'node:path'

/** Enables Node's compile cache, if there is a folder for it that no other user can write to. */
export function usePrivateCompileCache(): void {
  const folder = privateCacheFolder()
  if (folder !== undefined) enableCompileCache(folder)
}

/**
 * The folder of the compile cache, `.cache/lastword/compiled` in the home folder, made with mode 0700. Undefined if it
 * cannot be made, or if another user could put a file in it, because Node runs its files without a check.
 */
export function privateCacheFolder(): string | undefined {
  try {
    const folder = resolve(homedir(), '.cache/lastword/compiled')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return isPrivateFolder(folder) ? folder : undefined
  } catch {
    return undefined // no home folder, or a read-only one
  }
}

/**
 * Whether only the user of this process can write to the folder or replace it, by a parent folder or a symbolic link on the
 * path. False on Windows, which has no modes.
 */
export function isPrivateFolder(folder: string): boolean {
  const uid = process.getuid?.()
  if (uid === undefined) return false
  const own = lstatSync(folder)
  if (!own.isDirectory() || own.uid !== uid || (own.mode & 0o077) !== 0) return false
  return [...foldersAbove(folder), ...foldersAbove(realpathSync(folder))].every((above) => isSafeToPass(above, uid))
}

/** The parent folders of a path, up to the root. */
export function foldersAbove(path: string): string[] {
  const above = dirname(path)
  return above === path ? [] : [above, ...foldersAbove(above)]
}

/** In a folder with the sticky bit other users cannot rename or remove our files. */
function isSafeToPass(path: string, uid: number): boolean {
  const entry = lstatSync(path)
  if (entry.uid !== uid && entry.uid !== 0) return false
  return entry.isSymbolicLink() || (entry.mode & 0o022) === 0 || (entry.mode & 0o1000) !== 0
}
