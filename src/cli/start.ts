import { once } from 'node:events'
import type { Command } from 'commander'
import type { App } from '../app.ts'
import { readProcessConfig } from '../config/config.ts'
import { exposedFiles } from '../config/exposed-files.ts'
import { checkSecretFiles } from '../config/secrets.ts'
import { sendingStopReason } from '../deliveries/sending-stop.ts'
import { describeReason } from '../describe/describe.ts'
import { checkRelaysAtStart } from '../pipeline/check-relays.ts'
import { startSchedule } from '../pipeline/schedule.ts'
import { openSender } from '../pipeline/sending/sender.ts'
import { makeSignInLink } from '../pipeline/sign-in/sign-in-link.ts'
import { EventLoopWatch } from '../runtime/event-loop-watch.ts'
import { currentSendingStop } from '../store/deliveries/sending-stop.ts'
import { serve } from '../web/server.ts'
import { clockFaultTexts } from './checks/clock-faults.ts'
import { launchProblemLines } from './checks/launch-settings.ts'
import { print, printStderr, sanitizeLine } from './terminal/output.ts'
import { configFile, openAppFor, stopSignal } from './with-app.ts'

export function addStartCommand(program: Command): void {
  program
    .command('start')
    .alias('serve')
    .description('run the service: serve the pages, make and send editions when they are due; SIGTERM stops it cleanly')
    .action((_: object, command: Command) => start(command))
}

async function start(command: Command): Promise<void> {
  const signal = stopSignal()
  await using resources = new AsyncDisposableStack() // closes everything in reverse order
  const config = readProcessConfig(configFile(command))
  checkSecretFiles(config) // now, not when the first edition is due
  const app = await openAppFor(command, config)
  resources.defer(app.close)
  reportRejected(app)
  if (app.digests.length + app.rejected.length === 0)
    printStderr(
      `There is no digest in ${config.jobs}/, so no edition will be made. Make one with: lastword init --digest NAME`,
    )
  warnOfExposedFiles(app, configFile(command))
  const watch = new EventLoopWatch(app.log)
  watch.start()
  resources.defer(() => watch.stop())
  const serving = await serve(app)
  resources.defer(serving.close)
  const sender = await openSender(app, undefined, 'start')
  resources.defer(sender.close)
  for (const text of await clockFaultTexts(app)) printStderr(text)
  const stop = await currentSendingStop(app.db)
  if (stop)
    printStderr(
      `${sanitizeLine(describeReason(sendingStopReason(stop)))}. Nothing is sent until you type: lastword sending resume`,
    )
  for (const digest of app.digests)
    for (const line of launchProblemLines(app, digest, configFile(command))) {
      printStderr(`${digest.name} is not sent yet: ${sanitizeLine(line)}`)
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

/** Reports the job files with errors; the other digests run. */
function reportRejected({ rejected, log }: App): void {
  for (const { file, message } of rejected) {
    printStderr(
      `${sanitizeLine(file)} has an error and is ignored until it is fixed; its editions wait.\n  ${message.split('\n').map(sanitizeLine).join('\n  ')}`,
    )
    log.error({ event: 'jobs.rejected', file, reason: message, runsBy: null }, 'a job file has an error and is ignored')
  }
}

/** Output to a file is usually a log, and must not contain a sign-in link. */
export async function editorsLine(isTerminal: boolean | undefined, makeLink: () => Promise<string>): Promise<string> {
  return isTerminal ? `Editors: ${await makeLink()}` : 'Editors: make a sign-in link with: lastword staff link'
}

/** Warns in the log and on a terminal. */
function warnOfExposedFiles({ config, log }: App, file: string): void {
  for (const { what, paths, command } of exposedFiles(config, file)) {
    const message = `other users of this machine can read ${paths.join(', ')} (${what}). Fix it with: ${command}`
    log.warn({ event: 'file.exposed', paths }, message)
    if (process.stderr.isTTY) printStderr(message)
  }
}
