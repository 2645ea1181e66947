import { Command, CommanderError } from 'commander'
import manifest from '../../package.json' with { type: 'json' }
import { AppError } from '../errors.ts'
import { explainError, printStderr } from './terminal/output.ts'

type AddCommands = (program: Command) => void

/** In the order of the help text. Each command loads only its own modules. */
const commandGroups: { names: string[]; load: () => Promise<AddCommands> }[] = [
  { names: ['demo'], load: async () => (await import('./demo.ts')).addDemoCommand },
  { names: ['init'], load: async () => (await import('./init.ts')).addInitCommand },
  { names: ['start', 'serve'], load: async () => (await import('./start.ts')).addStartCommand },
  { names: ['run'], load: async () => (await import('./run.ts')).addRunCommand },
  { names: ['timetable'], load: async () => (await import('./timetable.ts')).addTimetableCommand },
  { names: ['feeds'], load: async () => (await import('./feeds.ts')).addFeedsCommands },
  { names: ['forecast'], load: async () => (await import('./edition/forecast.ts')).addForecastCommand },
  { names: ['simulate'], load: async () => (await import('./simulate.ts')).addSimulateCommand },
  { names: ['edition'], load: async () => (await import('./edition.ts')).addEditionCommands },
  { names: ['article'], load: async () => (await import('./article.ts')).addArticleCommands },
  { names: ['sending'], load: async () => (await import('./sending.ts')).addSendingCommands },
  { names: ['corrections'], load: async () => (await import('./corrections.ts')).addCorrectionsCommands },
  { names: ['letters'], load: async () => (await import('./letters.ts')).addLettersCommands },
  { names: ['subscribers'], load: async () => (await import('./subscribers.ts')).addSubscribersCommands },
  { names: ['drill'], load: async () => (await import('./drill.ts')).addDrillCommand },
  { names: ['relay'], load: async () => (await import('./relay.ts')).addRelayCommands },
  { names: ['staff'], load: async () => (await import('./staff.ts')).addStaffCommands },
  { names: ['config', 'migrate', 'schema'], load: async () => (await import('./config.ts')).addConfigCommands },
]

/** Former commands and their new names. */
const renamed: Record<string, string> = {
  pull: 'feeds refresh',
  'article pull': 'article retract',
  'brake on': 'sending stop',
  'brake off': 'sending resume',
  'brake show': 'sending status',
  brake: 'sending',
}

/** Runs a command and returns its exit code: 0, 1 with an error on stderr, or 130 or 143 if a signal stopped it. */
export async function runCommand(argv: string[]): Promise<number> {
  try {
    const program = await buildProgram(argv)
    await program.parseAsync(argv, { from: 'user' })
    return process.exitCode === undefined ? 0 : Number(process.exitCode)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1
    printStderr(explainError(error))
    return Number(process.exitCode ?? 0) || 1
  }
}

/** The program with the command group that `argv` names, or with all groups if it names none. */
export async function buildProgram(argv: string[]): Promise<Command> {
  const program = new Command('lastword')
    .description("Turns a publication's feeds into a weekly email.")
    .version(manifest.version)
    .option('--config <file>', 'the configuration', 'lastword.yml')
    .option('--create', 'make a new, empty database if store.url names a file that does not exist')
    .showHelpAfterError('Run with --help for usage.')
  const [command, inner] = program.parseOptions(argv).operands
  refuseFormer(`${command} ${inner}`)
  refuseFormer(`${command}`)
  const named = commandGroups.filter(({ names }) => names.includes(command ?? ''))
  for (const { load } of named.length > 0 ? named : commandGroups) (await load())(program)
  throwOnExit(program)
  return program
}

function refuseFormer(command: string): void {
  const name = renamed[command]
  if (name !== undefined) throw new AppError('invalid', `lastword ${command} is now called lastword ${name}`)
}

/** Otherwise Commander ends the process itself, before all output is written. */
function throwOnExit(command: Command): void {
  command.exitOverride()
  for (const inner of command.commands) throwOnExit(inner)
}
