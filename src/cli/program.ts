import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addConfigCommands } from './config.ts'
import { addDemoCommand } from './demo.ts'
import { addEditionCommands } from './edition.ts'
import { addFeedsCommands } from './feeds.ts'
import { explainError, tell } from './output.ts'
import { addRunCommand } from './run.ts'
import { addStaffCommands } from './staff.ts'
import { addStartCommand } from './start.ts'
import { addSubscribersCommands } from './subscribers.ts'
import { addTimetableCommand } from './timetable.ts'

/** argv → command → exit code: 0, or 1 with what happened on stderr. */
export async function runCommand(argv: string[]): Promise<number> {
  const program = buildProgram()
  try {
    await program.parseAsync(argv, { from: 'user' })
    return process.exitCode === undefined ? 0 : Number(process.exitCode)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1
    tell(explainError(error))
    return 1
  }
}

export function buildProgram(): Command {
  const program = new Command('lastword')
    .description("Turns a publication's feeds into a weekly email.")
    .version(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version)
    .option('--config <file>', 'the configuration', 'lastword.yml')
    .showHelpAfterError('(add --help for what there is)')
  addDemoCommand(program)
  addStartCommand(program)
  addRunCommand(program)
  addTimetableCommand(program)
  addFeedsCommands(program)
  addEditionCommands(program)
  addSubscribersCommands(program)
  addStaffCommands(program)
  addConfigCommands(program)
  exitByThrowing(program)
  return program
}

/** Commander would end the process itself, and what is still being written would be lost. */
function exitByThrowing(command: Command): void {
  command.exitOverride()
  for (const inner of command.commands) exitByThrowing(inner)
}
