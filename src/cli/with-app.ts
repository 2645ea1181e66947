import type { Command } from 'commander'
import { type App, openApp } from '../app.ts'
import { configHere } from '../config.ts'
import { openLog } from '../log.ts'

/** The file that `--config` names. */
export function configFile(command: Command): string {
  return command.optsWithGlobals<{ config: string }>().config
}

/** Opens everything for one command and closes it again, whatever happens. */
export async function withApp<T>(command: Command, work: (app: App) => Promise<T>): Promise<T> {
  const config = configHere(configFile(command))
  const quiet = config.log === 'info' ? 'warn' : config.log // a command answers; it does not keep a log
  const app = await openApp({ config, log: openLog(quiet) })
  try {
    return await work(app)
  } finally {
    await app.close()
  }
}

/** Fires at the first SIGTERM or SIGINT: finish what is in flight. The second one ends the process at once. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(1)
      controller.abort()
    })
  }
  return controller.signal
}
