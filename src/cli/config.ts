import type { Command } from 'commander'
import { stringify } from 'yaml'
import { type Config, configHere } from '../config.ts'
import { digestJsonSchema } from '../editions/digest.ts'
import { readJobFolder } from '../editions/job-folder.ts'
import { AppError } from '../errors.ts'
import { openSigners } from '../messages/signers.ts'
import { checkSecretFiles, maskSecrets } from '../secrets.ts'
import { launchLines } from './launch.ts'
import { print, printJson, tell } from './output.ts'
import { configFile, openStoreFor } from './with-app.ts'

export function addConfigCommands(program: Command): void {
  program
    .command('config')
    .description('print the full configuration with secrets hidden, and what has to be changed before anything is sent')
    .option('--json', 'as JSON')
    .action((options: { json?: boolean }, command: Command) => {
      const config = configHere(configFile(command))
      const masked = maskSecrets(config)
      if (options.json) printJson(masked)
      else print(stringify(masked).trimEnd())
      checkSecretFiles(config)
      openSigners(config.relay.dkim)
      for (const line of unreadyLines(config, configFile(command))) tell(line)
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

/** What keeps the digests from being sent, each setting once; a job file that cannot be read is one such line. */
function unreadyLines(config: Config, file: string): string[] {
  try {
    const { digests, rejected } = readJobFolder(config.jobs, config.templates)
    const unready = digests.flatMap((digest) => launchLines({ config }, digest, file))
    return [...new Set([...unready, ...rejected.map(({ message }) => message)])]
  } catch (error) {
    if (error instanceof AppError) return [error.message]
    throw error
  }
}
