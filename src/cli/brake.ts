import type { Command } from 'commander'
import type { App } from '../app.ts'
import { brakeOff, brakeOn, brakeWords } from '../deliveries/brake.ts'
import { brakeNow } from '../store/brake.ts'
import { print, printJson, safe } from './output.ts'
import { withAppWithoutJobs } from './with-app.ts'

type Decision = { who: string; reason: string }

export function addBrakeCommands(program: Command): void {
  const brake = program.command('brake').description('one switch that stops all sending, of every digest and process')
  const who = ['--who <name>', 'stands on record', 'operator'] as const
  brake
    .command('on')
    .description('stop all sending at once; what is on its way is finished, the rest stays queued')
    .requiredOption('--reason <words>', 'stands on record')
    .option(...who)
    .action((decision: Decision, command: Command) =>
      withAppWithoutJobs(command, async (app) => {
        await brakeOn(app, decision)
        print('the brake is on: no edition goes out until lastword brake off')
      }),
    )
  brake
    .command('off')
    .description('let everything go on where it stopped')
    .option(...who)
    .action((decision: Decision, command: Command) =>
      withAppWithoutJobs(command, async (app) => {
        const { at, reason } = await brakeOff(app, decision.who)
        print(`the brake is off; it was on since ${at}: ${safe(reason)}`)
      }),
    )
  brake
    .command('show')
    .description('say whether the brake is on, since when, by whom and why')
    .option('--json', 'as JSON')
    .action((options: { json?: boolean }, command: Command) =>
      withAppWithoutJobs(command, (app) => showBrake(app, options)),
    )
}

async function showBrake({ db }: App, options: { json?: boolean }): Promise<void> {
  const brake = await brakeNow(db)
  if (options.json) {
    return printJson(brake ? { on: true, at: brake.at, who: brake.who, reason: brake.reason } : { on: false })
  }
  print(brake ? safe(brakeWords(brake)) : 'the brake is off')
}
