import { execFile, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { drill } from '../src/demo/drill.ts'

const launcher = resolve('src/lastword')
const node24 = process.execPath
const flags = [
  '--max-semi-space-size=8',
  '--heap-growing-percent=40',
  '--always-sparkplug',
  '--invocation-count-for-turbofan=30000',
  '--disable-warning=ExperimentalWarning',
]

/** A copy of the program in a folder with a space in its name; its main.ts prints how it was started. */
const app = () => join(folder, 'our app')
const mainText = `
const { MALLOC_ARENA_MAX: arenas, MALLOC_MMAP_THRESHOLD_: threshold } = process.env
console.log(JSON.stringify({ flags: process.execArgv, args: process.argv.slice(2), arenas, threshold, pid: process.pid }))
if (process.argv[2] === 'exit') process.exit(Number(process.argv[3]))
if (process.argv[2] === 'stay') setInterval(() => {}, 1000)`

let folder: string
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'lastword-launcher-')))
  mkdirSync(join(app(), 'src'), { recursive: true })
  writeFileSync(join(app(), 'package.json'), '{ "type": "module" }')
  writeFileSync(join(app(), 'src/main.ts'), mainText)
  copyFileSync(launcher, join(app(), 'src/lastword'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

type Ended = { code: number; stdout: string; stderr: string }

/** Runs a command with that PATH, and nothing else in its environment but `environment`. */
function run(file: string, args: string[], path: string[], environment: Record<string, string> = {}): Promise<Ended> {
  const { promise, resolve: end } = Promise.withResolvers<Ended>()
  const env = { PATH: [...path, tools()].join(':'), HOME: folder, ...environment }
  execFile(file, args, { env, cwd: folder }, (error, stdout, stderr) =>
    end({ code: error ? Number(error.code) : 0, stdout, stderr }),
  )
  return promise
}

/** A folder with what the launcher calls and no Node, to stand at the end of PATH. */
function tools(): string {
  const bin = join(folder, 'tools')
  if (existsSync(bin)) return bin
  mkdirSync(bin)
  for (const name of ['dirname', 'readlink']) symlinkSync(pathOf(name), join(bin, name))
  return bin
}

const pathOf = (name: string) =>
  execFileSync('/bin/sh', ['-c', `command -v ${name}`])
    .toString()
    .trim()

/** Puts a `node` into a folder for PATH, or into the program's own node_modules: a shell script. */
function putNode(name: string, script: string): string {
  const bin = join(folder, name)
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(bin, 'node'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(bin, 'node'), 0o755)
  return bin
}

const realNode = () => putNode('real', `exec '${node24}' "$@"`)
const oldNode = () => putNode('old', 'echo v20.11.1')

describe('the launcher', () => {
  test('gives Node its flags, the settings of the allocator and every argument as it is', async () => {
    const args = ['edition show', '', '*', '--reason', 'it\'s "new"\n$HOME']
    const { code, stdout, stderr } = await run(join(app(), 'src/lastword'), args, [realNode()])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ flags, args, arenas: '2', threshold: '131072' })
  })

  test('leaves the settings of the allocator that somebody has made', async () => {
    const own = { MALLOC_ARENA_MAX: '7', MALLOC_MMAP_THRESHOLD_: '9' }
    const { stdout } = await run(join(app(), 'src/lastword'), [], [realNode()], own)
    expect(JSON.parse(stdout)).toMatchObject({ arenas: '7', threshold: '9' })
  })

  test('finds the program through symbolic links, absolute and relative, also in folders that are links', async () => {
    mkdirSync(join(folder, 'bin/of user'), { recursive: true })
    mkdirSync(join(folder, 'lib'))
    symlinkSync('../our app/src/lastword', join(folder, 'lib/linked'))
    symlinkSync(join(folder, 'bin/of user'), join(folder, 'short'))
    symlinkSync('../../lib/linked', join(folder, 'bin/of user/lastword'))
    symlinkSync(join(folder, 'short/lastword'), join(folder, 'run it'))
    for (const link of ['lib/linked', 'bin/of user/lastword', 'short/lastword', 'run it']) {
      const { stdout, stderr } = await run(join(folder, link), ['--version'], [realNode()])
      expect(stderr, link).toBe('')
      expect(JSON.parse(stdout).args, link).toEqual(['--version'])
    }
    const fromPath = await run('/bin/sh', ['-c', 'linked a b'], [realNode(), join(folder, 'lib')])
    expect(JSON.parse(fromPath.stdout).args).toEqual(['a', 'b'])
  })

  test('is not led to another folder by CDPATH', async () => {
    mkdirSync(join(folder, 'other/our app/src'), { recursive: true })
    const { stdout, stderr } = await run('our app/src/lastword', ['a'], [realNode()], { CDPATH: join(folder, 'other') })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout).args).toEqual(['a'])
  })

  test('uses no flags where Node refuses one', async () => {
    const choosy = `case "$*" in *--always-sparkplug*) echo 'bad option: --always-sparkplug' >&2; exit 9;; esac`
    const path = [putNode('choosy', `${choosy}; exec '${node24}' "$@"`)]
    const { code, stdout, stderr } = await run(join(app(), 'src/lastword'), ['a'], path)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ flags: [], args: ['a'] })
  })

  test('passes every exit code on and runs the program once, also when it ends with that of a refused flag', async () => {
    for (const code of [9, 1, 75]) {
      const ended = await run(join(app(), 'src/lastword'), ['exit', String(code)], [realNode()])
      expect(ended.code).toBe(code)
      expect(ended.stdout.trim().split('\n')).toHaveLength(1)
    }
  })

  test('is replaced by Node, so that a signal reaches the program', async () => {
    const child = spawn(join(app(), 'src/lastword'), ['stay'], { env: { PATH: `${realNode()}:${tools()}` } })
    const [line] = await once(child.stdout, 'data')
    expect(JSON.parse(line).pid).toBe(child.pid)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([null, 'SIGTERM'])
  })

  test('takes the Node that npm ci installs where that of the system is missing or too old', async () => {
    putNode('our app/node_modules/.bin', `exec '${node24}' "$@"`)
    for (const path of [[], [oldNode()]]) {
      const { stdout, stderr } = await run(join(app(), 'src/lastword'), ['a'], path)
      expect(stderr).toBe('')
      expect(JSON.parse(stdout)).toMatchObject({ flags, args: ['a'] })
    }
  })

  test('says what it needs where there is no Node, or only older ones', async () => {
    const none = await run(join(app(), 'src/lastword'), ['start'], [])
    expect(none).toEqual({
      code: 1,
      stdout: '',
      stderr: 'lastword needs Node 24 or newer; found: no Node. In a clone, npm ci installs the right one.\n',
    })
    putNode('our app/node_modules/.bin', 'echo v22.3.0')
    const older = await run(join(app(), 'src/lastword'), ['start'], [oldNode()])
    expect(older.stderr).toContain('; found: Node 20.11.1 and Node 22.3.0.')
    expect(older.code).toBe(1)
  })

  test('says that Node refused NODE_OPTIONS, and takes another Node that accepts them', async () => {
    const environment = { NODE_OPTIONS: '--no-such-option' }
    const refused = await run(join(app(), 'src/lastword'), ['start'], [realNode()], environment)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('--no-such-option is not allowed in NODE_OPTIONS')
    expect(refused.stderr).toContain('Node refused the environment variable NODE_OPTIONS')
    expect(refused.stderr).not.toContain('no Node')
    putNode('our app/node_modules/.bin', `NODE_OPTIONS= exec '${node24}' "$@"`)
    const { code, stdout } = await run(join(app(), 'src/lastword'), ['a'], [realNode()], environment)
    expect([code, JSON.parse(stdout).args]).toEqual([0, ['a']])
  })

  test('runs a TypeScript file that is named first in the same way, also one that talks to its parent', async () => {
    const file = join(folder, 'child.ts')
    writeFileSync(file, 'process.send?.([process.execArgv, process.argv.slice(2)]); process.disconnect?.()')
    const child = fork(file, ['a'], { execPath: launcher, execArgv: [] })
    expect((await once(child, 'message'))[0]).toEqual([flags, ['a']])
  })
})

describe('is how it is started:', () => {
  /** Every process writes its flags and its main file to a list. */
  function listing(): { environment: Record<string, string>; started: () => { file: string; flags: string[] }[] } {
    const list = join(folder, 'started')
    writeFileSync(
      join(folder, 'list.cjs'),
      `if (require('node:worker_threads').isMainThread) require('node:fs').appendFileSync(${JSON.stringify(list)},
         JSON.stringify({ file: process.argv[1], flags: process.execArgv }) + '\\n')`,
    )
    const started = () =>
      readFileSync(list, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    return { environment: { ...process.env, NODE_OPTIONS: `--require ${join(folder, 'list.cjs')}` } as never, started }
  }
  const main = { file: resolve('src/main.ts'), flags }

  test.each([['start'], ['demo']])('npm run %s', (name) => {
    const { environment, started } = listing()
    const help = execFileSync('npm', ['run', name, '--', '--help'], { env: environment }).toString()
    expect(help).toContain(`Usage: lastword ${name}`)
    expect(started()).toContainEqual(main)
  })

  test('the command that npm installs', () => {
    const { bin } = JSON.parse(readFileSync('package.json', 'utf8'))
    expect(resolve(bin.lastword)).toBe(launcher)
    const { environment, started } = listing()
    symlinkSync(resolve(bin.lastword), join(folder, 'lastword'))
    const version = execFileSync(join(folder, 'lastword'), ['--version'], { env: environment }).toString()
    expect(version.trim()).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version)
    expect(started()).toEqual([main])
  })

  test('the senders of a drill', async () => {
    const { environment, started } = listing()
    const before = process.env.NODE_OPTIONS
    process.env.NODE_OPTIONS = environment.NODE_OPTIONS
    try {
      await drill({ recipients: 3, kills: 0, unknown: 'repeat', faults: false, tls: false })
    } finally {
      if (before === undefined) delete process.env.NODE_OPTIONS
      else process.env.NODE_OPTIONS = before
    }
    expect(started()).toContainEqual({ file: resolve('src/demo/drill-worker.ts'), flags })
  })

  test('the product in the benchmarks', () => {
    const { environment, started } = listing()
    execFileSync('npm', ['run', 'bench', '--', 'send', '--recipients', '10', '--rounds', '1'], { env: environment })
    const senders = started().filter(({ file }) => file === resolve('test/bench/sender.ts'))
    expect(senders).toContainEqual({ file: resolve('test/bench/sender.ts'), flags })
  })
})
