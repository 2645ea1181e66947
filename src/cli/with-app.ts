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

/** The value of `--config`. */
export function configFile(command: Command): string {
  return command.optsWithGlobals<{ config: string }>().config
}

/** Runs `work` with an open application and closes it. Warns of job files with errors first. */
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

/** Like `withApp`, but works even if the folder of job files cannot be read. */
export function withAppWithoutJobs<T>(command: Command, work: (app: App) => Promise<T>): Promise<T> {
  return withApp(command, work, { needsJobs: false })
}

/** Opens the application; makes the store like `openStoreFor`. */
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
 * Opens the store. A missing default store is made; any other only with `--create`, since its name may be mistyped. Reports
 * a new store on stderr.
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

/** Writes warnings and errors as sentences to stderr. */
export function terminalLog(level: 'info' | 'warn' | 'error' | 'silent'): Log {
  const write = (level: string) => (fields: { event?: unknown }, message: string) => {
    if (typeof fields.event === 'string' && reportedEvents.has(fields.event)) return
    printStderr(`${level}: ${message}${sanitizeLine(fieldsText(fields))}`)
  }
  return {
    info() {},
    warn: level === 'error' || level === 'silent' ? () => {} : write('warning'),
    error: level === 'silent' ? () => {} : write('error'),
  }
}

/** Every command that fetches feeds prints their results itself. */
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

/** The exit codes of shells: 128 plus the number of the signal. */
const signalCodes = { SIGINT: 130, SIGTERM: 143 }

/**
 * Aborts at the first SIGTERM or SIGINT, so that work in progress is finished; the second signal ends the process. The
 * reason is the signal's name; see `exitCodeOf`.
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

/** The exit code of unfinished work: 130 or 143 if a signal stopped it, else 1. */
export function exitCodeOf(signal: AbortSignal): number {
  const reason: unknown = signal.reason
  return reason === 'SIGINT' || reason === 'SIGTERM' ? signalCodes[reason] : 1
}
