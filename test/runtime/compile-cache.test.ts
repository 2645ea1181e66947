import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isPrivateFolder } from '../../src/runtime/compile-cache.ts'

let folder: string
let home: string
let cache: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastword-cache-'))
  home = join(folder, 'home')
  cache = join(home, '.cache/lastword/compiled')
  mkdirSync(home)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** `lastword --version` with that home, as the operator starts it, under the umask of Debian. */
function version(): string {
  const command = `umask 022; exec "${resolve('src/lastword')}" --version`
  return execFileSync('/bin/sh', ['-c', command], { env: { ...process.env, HOME: home, TMPDIR: folder } }).toString()
}

/**
 * Puts a line of code into the cached text of the command. A cached TypeScript module is 20 bytes and the stripped text:
 * its length is at byte 8 and its CRC-32 at byte 16, so that whoever can write the file needs no secret.
 */
function plant(mark: string): void {
  const files = readdirSync(cache, { recursive: true }) as string[]
  const paths = files.map((file) => join(cache, file)).filter((path) => lstatSync(path).isFile())
  const target = paths.find((path) => readFileSync(path, 'latin1').includes('export async function runCommand'))
  if (!target) throw new Error('the command is not in the cache')
  const bytes = readFileSync(target)
  const code = `import { writeFileSync as w } from 'node:fs'; w(${JSON.stringify(mark)}, '');`
  const text = Buffer.concat([Buffer.from(code), bytes.subarray(20)])
  const head = Buffer.from(bytes.subarray(0, 20))
  head.writeUInt32LE(text.length, 8)
  head.writeUInt32LE(crc32(text), 16)
  writeFileSync(target, Buffer.concat([head, text]))
}

test('code that somebody planted in the cache runs while the folder is ours alone, and not once others can write to it', () => {
  version()
  const mark = join(folder, 'planted code ran')
  plant(mark)
  version()
  expect(existsSync(mark)).toBe(true) // so what follows proves something
  rmSync(mark)

  for (const loose of [cache, join(home, '.cache'), home]) {
    chmodSync(loose, 0o777)
    version()
    expect(existsSync(mark), loose).toBe(false)
    chmodSync(loose, 0o700)
  }
  version()
  expect(existsSync(mark)).toBe(true)
})

test('nothing is looked for in the folder for temporary files, which is shared by all users', () => {
  version()
  expect(readdirSync(folder)).toEqual(['home'])
  for (const path of [cache, dirname(cache), dirname(dirname(cache))]) expect(lstatSync(path).mode & 0o777).toBe(0o700)
})

test.runIf(process.getuid?.() === 0)('a folder of another user is not used, nor one below such a folder', () => {
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  expect(isPrivateFolder(cache)).toBe(true)
  chownSync(cache, 65534, 65534)
  expect(isPrivateFolder(cache)).toBe(false)
  chownSync(cache, 0, 0)
  chownSync(home, 65534, 65534)
  expect(isPrivateFolder(cache)).toBe(false)
})

test('a symbolic link is followed to its end, and the folders on both ways are looked at', () => {
  const elsewhere = join(folder, 'elsewhere')
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  renameSync(join(home, '.cache'), elsewhere)
  symlinkSync(elsewhere, join(home, '.cache'))
  expect(isPrivateFolder(cache)).toBe(true)
  chmodSync(elsewhere, 0o770)
  expect(isPrivateFolder(cache)).toBe(false)
  chmodSync(elsewhere, 0o700)
  symlinkSync(cache, join(folder, 'linked'))
  expect(isPrivateFolder(join(folder, 'linked'))).toBe(false)
})

test('a folder that everybody can write to may be above it where the sticky bit protects what is ours', () => {
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  chmodSync(home, 0o1777)
  expect(isPrivateFolder(cache)).toBe(true)
})
