import type { Command } from 'commander'
import { drill } from '../demo/drill.ts'
import { AppError } from '../errors.ts'
import { print, printJson } from './terminal/output.ts'

type Options = { recipients: string; kills: string; unknown: string; faults?: boolean; tls?: boolean; json?: boolean }

export function addDrillCommand(program: Command): void {
  program
    .command('drill')
    .description(
      'test on this machine that no subscriber is lost when the sender is killed; uses its own mail server and a temporary database',
    )
    .option('--recipients <number>', 'number of subscribers', '10000')
    .option('--kills <number>', 'how often the sender is killed (SIGKILL)', '100')
    .option('--unknown <rule>', 'what to do with a message whose reply was cut off: repeat or hold', 'repeat')
    .option('--faults', 'the mail server defers 20 %, drops 5 % of connections at every command, and replies 421')
    .option('--tls', 'send over STARTTLS')
    .option('--json', 'as one JSON line')
    .action(async (options: Options) => {
      const { unknown } = options
      if (unknown !== 'repeat' && unknown !== 'hold') {
        throw new AppError('invalid', `--unknown ${unknown}: expected repeat or hold`)
      }
      const [recipients, kills] = [parseCount('--recipients', options.recipients), parseCount('--kills', options.kills)]
      const report = await drill({
        recipients,
        kills,
        unknown,
        faults: options.faults === true,
        tls: options.tls === true,
      })
      if (options.json) printJson(report)
      else for (const [name, value] of Object.entries(report)) print(`${name}: ${value}`)
      if (report.lost > 0 || report.duplicates > report.duplicatesExplained) {
        throw new AppError(
          'internal',
          'the drill failed: a subscriber was lost, or got a message twice without a reason',
        )
      }
    })
}

function parseCount(option: string, text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text)
  throw new AppError('invalid', `${option} ${text}: expected a whole number of at most seven digits`)
}
