import { once } from 'node:events'
import type { Command } from 'commander'
import type { App } from '../app.ts'
import { readProcessConfig } from '../config/config.ts'
import { exposedFiles } from '../config/exposed-files.ts'
import { checkSecretFiles } from '../config/secrets.ts'
import { checkRelaysAtStart } from '../pipeline/check-relays.ts'
import { startSchedule } from '../pipeline/schedule.ts'
import { openSender } from '../pipeline/sending/sender.ts'
import { EventLoopWatch } from '../runtime/event-loop-watch.ts'
import { serve } from '../web/server.ts'
import { makeSignInLink } from '../web/sign-in.ts'
import { clockFaultTexts } from './checks/clock-faults.ts'
import { launchProblemLines } from './checks/launch-settings.ts'
import { print, printStderr, sanitizeLine } from './terminal/output.ts'
import { configFile, openAppFor, stopSignal } from './with-app.ts'

export function addStartCommand(program: Command): void {
  program
    .command('start')
    .alias('serve')
    .description('serve the pages, keep the timetable, send what is due; SIGTERM finishes what is in flight')
    .action((_: object, command: Command) => start(command))
}

async function start(command: Command): Promise<void> {
  const signal = stopSignal()
  await using resources = new AsyncDisposableStack() // closes what was opened, the last first, whatever happens
  const config = readProcessConfig(configFile(command))
  checkSecretFiles(config) // before the first edition is due, and not when it is
  const app = await openAppFor(command, config)
  resources.defer(app.close)
  reportRejected(app)
  if (app.digests.length + app.rejected.length === 0)
    printStderr(`There is no digest in ${config.jobs}/, so nothing is ever due: lastword init --digest NAME makes one.`)
  warnOfExposedFiles(app, configFile(command))
  const watch = new EventLoopWatch(app.log)
  watch.start()
  resources.defer(() => watch.stop())
  const serving = await serve(app)
  resources.defer(serving.close)
  const sender = await openSender(app, undefined, 'start')
  resources.defer(sender.close)
  for (const text of await clockFaultTexts(app)) printStderr(text)
  for (const digest of app.digests)
    for (const line of launchProblemLines(app, digest, configFile(command))) {
      printStderr(`${digest.name} waits, and is not sent: ${sanitizeLine(line)}`)
      app.log.warn({ event: 'edition.settings_unready', digest: digest.name }, line)
    }
  const schedule = startSchedule({ app, sender, signal })
  resources.defer(schedule.stop)
  print(`Pages: ${app.config.web.url} (listening on ${serving.url})`)
  print(await editorsLine(process.stdout.isTTY, () => makeSignInLink(app, 'editor')))
  const checking = checkRelaysAtStart(app, signal)
  resources.defer(() => checking)
  if (!signal.aborted) await once(signal, 'abort')
  app.log.info({ event: 'process.stopping' }, 'stopping: messages being handed over are finished')
}

/** Says which job files have an error, as the job reader does of one that is broken later: the other digests go on. */
function reportRejected({ rejected, log }: App): void {
  for (const { file, message } of rejected) {
    printStderr(
      `${sanitizeLine(file)} has an error: it is left out until it is mended, and editions that need it wait.\n  ${message.split('\n').map(sanitizeLine).join('\n  ')}`,
    )
    log.error(
      { event: 'jobs.rejected', file, reason: message, runsBy: null },
      'a job file has an error: it is left out',
    )
  }
}

/** Output that is no terminal is usually kept in a log, where a link would let in whoever reads it. */
export async function editorsLine(isTerminal: boolean | undefined, makeLink: () => Promise<string>): Promise<string> {
  return isTerminal ? `Editors: ${await makeLink()}` : 'Editors: make a sign-in link with: lastword staff link'
}

/** In the log, and for a person who looks on. */
function warnOfExposedFiles({ config, log }: App, file: string): void {
  for (const { what, paths, command } of exposedFiles(config, file)) {
    const message = `other users of this machine can read ${paths.join(', ')} (${what}). Type: ${command}`
    log.warn({ event: 'file.exposed', paths }, message)
    if (process.stderr.isTTY) printStderr(message)
  }
}
