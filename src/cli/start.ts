import { once } from 'node:events'
import type { Command } from 'commander'
import { checkRelaysAtStart } from '../check-relays.ts'
import { configHere } from '../config.ts'
import { startSchedule } from '../schedule.ts'
import { openSender } from '../send.ts'
import { serve } from '../web/server.ts'
import { makeSignInLink } from '../web/sign-in.ts'
import { clockFaultTexts } from './clock-faults.ts'
import { print, tell } from './output.ts'
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
  await using open = new AsyncDisposableStack() // closes what was opened, the last first, whatever happens
  const app = await openAppFor(command, configHere(configFile(command)))
  open.defer(app.close)
  const serving = await serve(app)
  open.defer(serving.close)
  const sender = await openSender(app)
  open.defer(sender.close)
  for (const text of await clockFaultTexts(app)) tell(text)
  const schedule = startSchedule({ app, sender, signal })
  open.defer(schedule.stop)
  print(`Pages: ${app.config.web.url} (listening on ${serving.url})`)
  print(await editorsLine(process.stdout.isTTY, () => makeSignInLink(app, 'editor')))
  const checking = checkRelaysAtStart(app, signal)
  open.defer(() => checking)
  if (!signal.aborted) await once(signal, 'abort')
  app.log.info({}, 'stopping: finishing what is in flight')
}

/** Output that is no terminal is usually kept in a log, where a link would let in whoever reads it. */
export async function editorsLine(isTerminal: boolean | undefined, makeLink: () => Promise<string>): Promise<string> {
  return isTerminal ? `Editors: ${await makeLink()}` : 'Editors: make a sign-in link with: lastword staff link'
}
