import type { Command } from 'commander'
import { stringify } from 'yaml'
import { configHere } from '../config.ts'
import { digestJsonSchema } from '../editions/digest.ts'
import { openSigners } from '../messages/signers.ts'
import { checkSecretFiles, maskSecrets } from '../secrets.ts'
import { print, printJson } from './output.ts'
import { configFile, openStoreFor } from './with-app.ts'

export function addConfigCommands(program: Command): void {
  program
    .command('config')
    .description('print the effective configuration, secrets masked')
    .option('--json', 'as JSON')
    .action((options: { json?: boolean }, command: Command) => {
      const config = configHere(configFile(command))
      const masked = maskSecrets(config)
      if (options.json) printJson(masked)
      else print(stringify(masked).trimEnd())
      checkSecretFiles(config)
      openSigners(config.relay.dkim)
    })

  program
    .command('migrate')
    .description('bring the database up to this version (every command that opens it does so too)')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }, command: Command) => {
      const store = await openStoreFor(command, configHere(configFile(command)))
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
