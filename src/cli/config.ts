import type { Command } from 'commander'
import { stringify } from 'yaml'
import { type Config, readProcessConfig } from '../config/config.ts'
import { checkSecretFiles, maskSecrets } from '../config/secrets.ts'
import { digestJsonSchema } from '../editions/jobs/digest-schema.ts'
import { readJobFolder } from '../editions/jobs/read-folder.ts'
import { AppError } from '../errors.ts'
import { loadSigners } from '../mail/dkim-keys.ts'
import { launchProblemLines } from './checks/launch-settings.ts'
import { print, printJson, printStderr } from './terminal/output.ts'
import { configFile, openStoreFor } from './with-app.ts'

export function addConfigCommands(program: Command): void {
  program
    .command('config')
    .description('print the full configuration, with secrets hidden, and the settings to change before sending')
    .option('--json', 'as JSON')
    .action((options: { json?: boolean }, command: Command) => {
      const config = readProcessConfig(configFile(command))
      const masked = maskSecrets(config)
      if (options.json) printJson(masked)
      else print(stringify(masked).trimEnd())
      checkSecretFiles(config)
      loadSigners(config.relay.dkim)
      for (const line of allLaunchProblemLines(config, configFile(command))) printStderr(line)
    })

  program
    .command('migrate')
    .description('migrate the database to this version (every command that opens it does this too)')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }, command: Command) => {
      const store = await openStoreFor(command, readProcessConfig(configFile(command)))
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

/** One line for each setting that prevents sending, and for each job file that cannot be read. */
function allLaunchProblemLines(config: Config, file: string): string[] {
  try {
    const { digests, rejected } = readJobFolder(config.jobs, config.templates)
    const problems = digests.flatMap((digest) => launchProblemLines({ config }, digest, file))
    return [...new Set([...problems, ...rejected.map(({ message }) => message)])]
  } catch (error) {
    if (error instanceof AppError) return [error.message]
    throw error
  }
}
