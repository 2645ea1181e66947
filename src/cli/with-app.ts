import { resolve } from 'node:path'
import type { Command } from 'commander'
import { type App, type AppOptions, openApp } from '../app.ts'
import { type Config, defaultStoreUrl, readProcessConfig } from '../config/config.ts'
import { messageOf } from '../errors.ts'
import { type Log, openLog } from '../log.ts'
import { openStore, type Store } from '../store/open.ts'
import { systemClock } from '../time/clock.ts'
import { warnOfRejectedJobs } from './checks/job-files.ts'
import { printStderr, sanitizeLine } from './terminal/output.ts'

/** The file that `--config` names. */
export function configFile(command: Command): string {
  return command.optsWithGlobals<{ config: string }>().config
}

/** Opens everything for one command and closes it again, whatever happens. A job file with an error is named first. */
export async function withApp<T>(
  command: Command,
  work: (app: App) => Promise<T>,
  needs: { needsJobs?: boolean } = {},
): Promise<T> {
  const config = readProcessConfig(configFile(command))
  const log = config.log === 'debug' ? openLog('debug') : terminalLog(config.log)
  const app = await openAppFor(command, config, { log, ...needs })
  warnOfRejectedJobs(app.rejected)
  try {
    return await work(app)
  } finally {
    await app.close()
  }
}

/** The same for what no digest is needed for: it is done even if the folder of the job files cannot be read. */
export function withAppWithoutJobs<T>(command: Command, work: (app: App) => Promise<T>): Promise<T> {
  return withApp(command, work, { needsJobs: false })
}

/** Everything, open. The store is made as in `openStoreFor`. */
export async function openAppFor(
  command: Command,
  config: Config,
  options: Pick<AppOptions, 'log' | 'needsJobs'> = {},
): Promise<App> {
  const app = await openApp({ config, ...options, mayCreateStore: mayCreateStore(command, config) })
  reportNewStore(app.store)
  return app
}

/**
 * The store, open. Where there is none it is made, and a person hears of it: the default one, which the first command of
 * a fresh clone needs; any other with `--create` alone, because a name that was mistyped looks like a new store.
 */
export async function openStoreFor(command: Command, config: Config): Promise<Store> {
  const store = await openStore(config.store.url, systemClock, { mayCreate: mayCreateStore(command, config) })
  reportNewStore(store)
  return store
}

function mayCreateStore(command: Command, { store: { url } }: Config): boolean {
  return pathOf(url) === pathOf(defaultStoreUrl) || command.optsWithGlobals<{ create?: boolean }>().create === true
}

const pathOf = (url: string) => (url.startsWith('file:') ? resolve(url.slice('file:'.length)) : url)

function reportNewStore({ createdFile }: Store): void {
  if (createdFile !== undefined) printStderr(`made a new, empty database at ${createdFile}`)
}

/** A command answers, it keeps no log: what a log would hold is said in sentences, from warnings upwards. */
export function terminalLog(level: 'info' | 'warn' | 'error' | 'silent'): Log {
  const write = (word: string) => (fields: { event?: unknown }, message: string) => {
    if (typeof fields.event === 'string' && reportedEvents.has(fields.event)) return
    printStderr(`${word}: ${message}${sanitizeLine(fieldsText(fields))}`)
  }
  return {
    info() {},
    warn: level === 'error' || level === 'silent' ? () => {} : write('warning'),
    error: level === 'silent' ? () => {} : write('error'),
  }
}

/** Every command that asks feeds prints what became of each. */
const reportedEvents = new Set(['feed.failed'])

/** ` (reason why; released 3)`, without the name of the event. */
function fieldsText(fields: object): string {
  const parts = Object.entries(fields).flatMap(([name, value]) => {
    if (name === 'event' || value === undefined || value === null) return []
    if (name === 'err') return [messageOf(value)]
    return [`${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`]
  })
  return parts.length > 0 ? ` (${parts.join('; ')})` : ''
}

/** What a shell makes of a process that a signal ended: 128 and the signal's number. */
const signalCodes = { SIGINT: 130, SIGTERM: 143 }

/**
 * Fires at the first SIGTERM or SIGINT: finish what is in flight. The second one ends the process at once. The reason of
 * the abort is the signal's name; see `exitCodeOf`.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(signalCodes[name])
      controller.abort(name)
    })
  }
  return controller.signal
}

/** The exit code of a command whose work did not end: 130 or 143 if a signal stopped it, else 1. */
export function exitCodeOf(signal: AbortSignal): number {
  const reason: unknown = signal.reason
  return reason === 'SIGINT' || reason === 'SIGTERM' ? signalCodes[reason] : 1
}
