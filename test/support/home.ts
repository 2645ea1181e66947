import { type ChildProcess, execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { vi } from 'vitest'
import { runCommand } from '../../src/cli/program.ts'

export type CommandResult = { code: number; stdout: string; stderr: string }

/** The folder of an operator: lastword.yml, jobs, templates, and the command. */
export type Home = {
  folder: string
  write(file: string, text: string | Buffer): string
  discard(file: string): void
  /** The command, in this process: one at a time. */
  lastword(...args: string[]): Promise<CommandResult>
  /** The command as a process of its own, as an operator starts it: to be stopped, or to run beside others. */
  begin(...args: string[]): { child: ChildProcess; ended: Promise<CommandResult> }
  remove(): void
}

type Settings = { relayPort?: number; feeds?: string; allow?: string[]; environment?: Record<string, string> }

/** Makes such a folder with one digest, `weekly`, that reads `<feeds>/latest.xml` and so on. */
export function makeHome({
  relayPort = 1,
  feeds = 'http://127.0.0.1:1/feeds',
  allow = [],
  environment = {},
}: Settings = {}): Home {
  const folder = mkdtempSync(join(tmpdir(), 'lastword-home-'))
  const write = (file: string, text: string | Buffer) => {
    writeFileSync(join(folder, file), text)
    return join(folder, file)
  }
  mkdirSync(join(folder, 'jobs'))
  cpSync('templates', join(folder, 'templates'), { recursive: true })
  write('lastword.yml', configText(relayPort, allow))
  write(
    'jobs/weekly.yml',
    jobText([
      `name: latest, title: Latest news, layout: latest, feeds: [${feeds}/latest.xml], maximum: 12`,
      `name: last-word, title: Last word, layout: last-word, feeds: [${feeds}/last-word.xml], maximum: 4`,
    ]),
  )
  const launcher = resolve('src/lastword')
  const begin: Home['begin'] = (...args) => {
    const { promise: ended, resolve: end } = Promise.withResolvers<CommandResult>()
    const options = { cwd: folder, env: { ...process.env, ...environment }, maxBuffer: 64 * 1024 * 1024 }
    const child = execFile(launcher, args, options, (error, stdout, stderr) => {
      end({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
    return { child, ended }
  }
  return {
    folder,
    write,
    discard: (file) => rmSync(join(folder, file)),
    begin,
    lastword: (...args) => runHere(folder, environment, args),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Runs the command as main.ts does, in that folder and environment, and puts everything back. */
async function runHere(folder: string, environment: Record<string, string>, args: string[]): Promise<CommandResult> {
  const before = { folder: process.cwd(), environment: { ...process.env }, exitCode: process.exitCode }
  const said = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += text.toString()
      return true
    }),
  )
  const listeners = signals.map((name) => process.listeners(name))
  process.chdir(folder)
  Object.assign(process.env, environment)
  process.exitCode = undefined
  try {
    const code = await runCommand(args)
    return { code, ...said }
  } finally {
    for (const spy of spies) spy.mockRestore()
    process.chdir(before.folder)
    process.env = before.environment
    process.exitCode = before.exitCode
    for (const [index, name] of signals.entries()) {
      for (const one of process.listeners(name)) if (!listeners[index]?.includes(one)) process.removeListener(name, one)
    }
  }
}

const signals = ['SIGTERM', 'SIGINT'] as const

function configText(relayPort: number, allow: string[]): string {
  return `publication:
  name: The Magazine
  site: https://magazine.example
  contact: letters@magazine.example
  address: 1 High Street, Northwold
relay:
  host: 127.0.0.1
  port: ${relayPort}
  security: none
  catcher: true
  timeout: 5
feeds:
  allow: ${JSON.stringify(allow)}
`
}

/** The job of `weekly` with these sections; an editor releases its editions. */
export function jobText(sections: string[]): string {
  return `title: The Weekly
schedule: "0 7 * * FRI"
zone: Europe/London
subject: "{lead}"
preheader: "{second}"
from: { name: The Weekly, address: weekly@magazine.example }
approval: required
lateCheck: false
sections:
${sections.map((section) => `  - { ${section} }\n`).join('')}`
}
