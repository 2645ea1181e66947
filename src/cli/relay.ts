import type { Command } from 'commander'
import { configHere, relayName, relaysOf } from '../config.ts'
import { causeOf, causes } from '../deliveries/answers.ts'
import { connect, type RelaySettings } from '../deliveries/connect.ts'
import { oneLine } from '../deliveries/delivery.ts'
import { openTokens } from '../deliveries/oauth2.ts'
import { AppError, messageOf } from '../errors.ts'
import { print, safe } from './output.ts'
import { configFile } from './with-app.ts'

export function addRelayCommands(program: Command): void {
  const relay = program.command('relay').description('the SMTP server that messages are handed to')
  relay
    .command('judge')
    .description('say what a refusal would mean: for the person, or for us')
    .argument('<reply>', 'as the server says it, such as "550 5.1.1 User unknown"')
    .action((reply: string) => judge(reply))
  relay
    .command('test')
    .description('connect, secure and sign in as for sending, and print the dialogue; nothing is sent')
    .argument('[name]', 'one of several; all if absent')
    .action((name: string | undefined, _: object, command: Command) => test(configFile(command), name))
}

const consequences = {
  address: 'refused, and not tried again for this edition',
  us: 'deferred; many of them pause the edition',
  nobody: 'refused, and not tried again for this edition',
}

const suppressions = {
  'at once': '; the person is suppressed at once',
  'second time': '; the person is suppressed when the next edition is refused too',
  never: '',
}

function judge(reply: string): void {
  const cause = causeOf(oneLine(reply.trim()))
  const { about, suppresses, words, advice } = causes[cause]
  print(`${cause}: ${words}`)
  print(consequences[about] + suppressions[suppresses])
  if (advice !== undefined) print(advice)
}

async function test(file: string, name: string | undefined): Promise<void> {
  const all = relaysOf(configHere(file))
  const wanted = name === undefined ? all : all.filter((one) => relayName(one) === name)
  if (wanted.length === 0)
    throw new AppError('missing', `there is no relay "${name}"`, {
      hint: `There are: ${all.map(relayName).join(', ')}.`,
    })
  const problems: string[] = []
  for (const one of wanted) {
    if (all.length > 1) print(`${relayName(one)}:`)
    const problem = await problemWith(one)
    if (problem !== undefined) problems.push(problem)
  }
  if (problems.length === 0) return
  throw new AppError('unavailable', problems.join('; '), {
    hint: 'The settings are host, port, security, user and password (or oauth2) of relay or relays; lastword config prints them.',
  })
}

/** Prints the dialogue with one relay; returns what is wrong, in words. */
async function problemWith(relay: RelaySettings): Promise<string | undefined> {
  const { host, port, security } = relay
  const where = `${host}:${port}`
  const tokens = await openTokens(relay)
  try {
    const listener = (who: 'client' | 'server', line: string) => print(`${who === 'client' ? '>' : '<'} ${safe(line)}`)
    const wire = await connect(relay, { tokens, listener })
    await wire.quit()
  } catch (error) {
    return `${where} will not have us: ${oneLine(messageOf(error))}`
  } finally {
    await tokens?.close()
  }
  print(`${where} is ready to take messages${security === 'none' ? ', over a connection that is not encrypted' : ''}`)
  return undefined
}
