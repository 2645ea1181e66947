import type { Command } from 'commander'
import type { App } from '../app.ts'
import { resumeAllSending, sendingStopReason, stopAllSending } from '../deliveries/sending-stop.ts'
import { describeLine } from '../describe/describe.ts'
import { currentSendingStop } from '../store/deliveries/sending-stop.ts'
import { print, printJson, sanitizeLine } from './terminal/output.ts'
import { whoOption } from './terminal/who-option.ts'
import { withAppWithoutJobs } from './with-app.ts'

type Decision = { who: string; reason: string }

export function addSendingCommands(program: Command): void {
  const sending = program.command('sending').description('stop and resume all sending, for all digests and processes')
  sending
    .command('stop')
    .description('stop all sending at once; messages already being handed over finish, the others stay queued')
    .requiredOption('--reason <text>', 'why; shown in the history')
    .option(...whoOption)
    .action((decision: Decision, command: Command) =>
      withAppWithoutJobs(command, async (app) => {
        await stopAllSending(app, decision)
        print('All sending is stopped. lastword sending resume continues it.')
      }),
    )
  sending
    .command('resume')
    .description('resume all sending where it stopped')
    .option(...whoOption)
    .action((decision: Decision, command: Command) =>
      withAppWithoutJobs(command, async (app) => {
        const { at, reason } = await resumeAllSending(app, decision.who)
        print(`Sending is resumed. It was stopped at ${at}: ${sanitizeLine(reason)}`)
      }),
    )
  sending
    .command('status')
    .description('show whether all sending is stopped, since when, who stopped it and why')
    .option('--json', 'as JSON')
    .action((options: { json?: boolean }, command: Command) =>
      withAppWithoutJobs(command, (app) => showSendingState(app, options)),
    )
}

async function showSendingState({ db }: App, options: { json?: boolean }): Promise<void> {
  const stop = await currentSendingStop(db)
  if (options.json) {
    return printJson(stop ? { stopped: true, at: stop.at, who: stop.who, reason: stop.reason } : { stopped: false })
  }
  print(stop ? sanitizeLine(describeLine(sendingStopReason(stop))) : 'Sending is not stopped.')
}
