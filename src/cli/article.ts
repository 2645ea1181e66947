import type { Command } from 'commander'
import type { App } from '../app.ts'
import { type Retraction, restoreArticle, retractArticle } from '../editions/retract.ts'
import { allRetractions } from '../store/articles/retractions.ts'
import { print, printJson, sanitizeLine } from './terminal/output.ts'
import { whoOption } from './terminal/who-option.ts'
import { withApp } from './with-app.ts'

export function addArticleCommands(program: Command): void {
  const article = program.command('article').description('retract articles from all editions, and restore them')
  article
    .command('retract')
    .description('retract an article: no digest chooses it again, and editions with it stop sending')
    .argument('<url>', 'the address of the article')
    .requiredOption('--reason <text>', 'why; shown in the history')
    .option(...whoOption)
    .action((url: string, decision: Retraction, command: Command) =>
      withApp(command, (app) => retract(app, url, decision)),
    )
  article
    .command('restore')
    .description('allow a retracted article again; paused editions with it continue with: edition resume')
    .argument('<url>', 'the address of the article')
    .option(...whoOption)
    .action((url: string, decision: Retraction, command: Command) =>
      withApp(command, async (app) => {
        await restoreArticle(app, url, decision.who)
        print(`${url} is restored`)
      }),
    )
  article
    .command('list')
    .description('list retracted and restored articles')
    .option('--json', 'one JSON line for each article')
    .action((options: { json?: boolean }, command: Command) => withApp(command, (app) => list(app, options)))
}

async function retract(app: App, url: string, decision: Retraction): Promise<void> {
  const consequences = await retractArticle(app, url, decision)
  print(`${url} is retracted`)
  for (const { message } of consequences) print(sanitizeLine(message))
}

async function list({ db }: App, options: { json?: boolean }): Promise<void> {
  for (const { url, title, at, who, reason, restoredAt, restoredBy } of await allRetractions(db)) {
    if (options.json) printJson({ url, title, at, who, reason, restoredAt, restoredBy })
    else {
      const restored = restoredAt === null ? '' : `; restored on ${restoredAt} by ${restoredBy}`
      print(
        `${url}  ${sanitizeLine(title)}\n  retracted on ${at} by ${sanitizeLine(who)}: ${sanitizeLine(reason)}${sanitizeLine(restored)}`,
      )
    }
  }
}
