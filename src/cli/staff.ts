import type { Command } from 'commander'
import { makeSignInLink } from '../web/sign-in.ts'
import { print, printJson } from './output.ts'
import { withApp } from './with-app.ts'

export function addStaffCommands(program: Command): void {
  const staff = program.command('staff').description('the people who sign in')
  staff
    .command('link')
    .description('print a link that signs an editor in, once, within 30 minutes')
    .option('--name <name>', 'who it is for: stands on record with what they do', 'editor')
    .option('--json', 'as JSON')
    .action((options: { name: string; json?: boolean }, command: Command) =>
      withApp(command, async (app) => {
        const link = await makeSignInLink(app, options.name)
        if (options.json) printJson({ name: options.name, link })
        else print(link)
      }),
    )
}
