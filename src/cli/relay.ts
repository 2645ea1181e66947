import type { Command } from 'commander'
import { configHere } from '../config.ts'
import { causeOf, causes } from '../deliveries/answers.ts'
import { connect } from '../deliveries/connect.ts'
import { oneLine } from '../deliveries/delivery.ts'
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
    .action((_: object, command: Command) => test(configFile(command)))
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
  const { about, suppresses, words } = causes[cause]
  print(`${cause}: ${words}`)
  print(consequences[about] + suppressions[suppresses])
}

async function test(file: string): Promise<void> {
  const { relay } = configHere(file)
  const where = `${relay.host}:${relay.port}`
  try {
    const wire = await connect(relay, (who, line) => print(`${who === 'client' ? '>' : '<'} ${safe(line)}`))
    wire.quit()
  } catch (error) {
    throw new AppError('unavailable', `${where} will not have us: ${oneLine(messageOf(error))}`, {
      hint: 'The settings are relay.host, port, security, user and password; lastword config prints them.',
    })
  }
  print(
    `${where} is ready to take messages${relay.security === 'none' ? ', over a connection that is not encrypted' : ''}`,
  )
}
