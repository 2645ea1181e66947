import type { Command } from 'commander'
import { stringify } from 'yaml'
import { systemClock } from '../clock.ts'
import { configHere, maskSecrets } from '../config.ts'
import { digestJsonSchema } from '../editions/digest.ts'
import { openStore } from '../store/open.ts'
import { print, printJson } from './output.ts'
import { configFile } from './with-app.ts'

export function addConfigCommands(program: Command): void {
  program
    .command('config')
    .description('print the effective configuration, secrets masked')
    .option('--json', 'as JSON')
    .action((options: { json?: boolean }, command: Command) => {
      const config = maskSecrets(configHere(configFile(command)))
      if (options.json) printJson(config)
      else print(stringify(config).trimEnd())
    })

  program
    .command('migrate')
    .description('bring the database up to this version (start does it too)')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }, command: Command) => {
      const store = await openStore(configHere(configFile(command)).store.url, systemClock)
      await store.close()
      if (options.json) printJson({ engine: store.engine.name, migrated: store.migrated })
      else
        print(
          store.migrated.length > 0
            ? `done: ${store.migrated.join(', ')}`
            : 'nothing to do: the database is up to date',
        )
    })

  program
    .command('schema')
    .description('print the JSON Schema of a job file, for editors that complete YAML')
    .action(() => print(JSON.stringify(digestJsonSchema(), null, 2)))
}
