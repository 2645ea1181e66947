import type { Command } from 'commander'
import type { App } from '../app.ts'
import { brakeOff, brakeOn, brakeWords } from '../deliveries/brake.ts'
import { brakeNow } from '../store/deliveries/brake.ts'
import { print, printJson, sanitizeLine } from './terminal/output.ts'
import { withAppWithoutJobs } from './with-app.ts'

type Decision = { who: string; reason: string }

export function addSendingCommands(program: Command): void {
  const sending = program.command('brake').description('one switch that stops all sending, of every digest and process')
  const whoOption = ['--who <name>', 'stands on record', 'operator'] as const
  sending
    .command('on')
    .description('stop all sending at once; what is on its way is finished, the rest stays queued')
    .requiredOption('--reason <words>', 'stands on record')
    .option(...whoOption)
    .action((decision: Decision, command: Command) =>
      withAppWithoutJobs(command, async (app) => {
        await brakeOn(app, decision)
        print('the brake is on: no edition goes out until lastword brake off')
      }),
    )
  sending
    .command('off')
    .description('let everything go on where it stopped')
    .option(...whoOption)
    .action((decision: Decision, command: Command) =>
      withAppWithoutJobs(command, async (app) => {
        const { at, reason } = await brakeOff(app, decision.who)
        print(`the brake is off; it was on since ${at}: ${sanitizeLine(reason)}`)
      }),
    )
  sending
    .command('show')
    .description('say whether the brake is on, since when, by whom and why')
    .option('--json', 'as JSON')
    .action((options: { json?: boolean }, command: Command) =>
      withAppWithoutJobs(command, (app) => showSendingState(app, options)),
    )
}

async function showSendingState({ db }: App, options: { json?: boolean }): Promise<void> {
  const stop = await brakeNow(db)
  if (options.json) {
    return printJson(stop ? { on: true, at: stop.at, who: stop.who, reason: stop.reason } : { on: false })
  }
  print(stop ? sanitizeLine(brakeWords(stop)) : 'the brake is off')
}
