import type { Command } from 'commander'
import { configHere } from '../config.ts'
import { connect } from '../deliveries/connect.ts'
import { oneLine } from '../deliveries/delivery.ts'
import { AppError, messageOf } from '../errors.ts'
import { print, safe } from './output.ts'
import { configFile } from './with-app.ts'

export function addRelayCommands(program: Command): void {
  program
    .command('relay')
    .description('the SMTP server that messages are handed to')
    .command('test')
    .description('connect, secure and sign in as for sending, and print the dialogue; nothing is sent')
    .action((_: object, command: Command) => test(configFile(command)))
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
