import type { Command } from 'commander'
import type { App } from '../app.ts'
import { type Retraction, restoreArticle, retractArticle } from '../editions/retract.ts'
import { allRetractions } from '../store/articles/retractions.ts'
import { print, printJson, sanitizeLine } from './terminal/output.ts'
import { withApp } from './with-app.ts'

export function addArticleCommands(program: Command): void {
  const article = program.command('article').description('articles that are withdrawn')
  const whoOption = ['--who <name>', 'stands on record', 'operator'] as const
  article
    .command('pull')
    .description('withdraw an article: no digest chooses it again, and what is being sent with it stops at once')
    .argument('<url>', 'the address of the article')
    .requiredOption('--reason <words>', 'stands on record')
    .option(...whoOption)
    .action((url: string, decision: Retraction, command: Command) =>
      withApp(command, (app) => retract(app, url, decision)),
    )
  article
    .command('restore')
    .description('let a pulled article be chosen again; what stopped for it waits for edition resume')
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
    .description('print what was pulled, and what was restored')
    .option('--json', 'one JSON line an article')
    .action((options: { json?: boolean }, command: Command) => withApp(command, (app) => list(app, options)))
}

async function retract(app: App, url: string, decision: Retraction): Promise<void> {
  const consequences = await retractArticle(app, url, decision)
  print(`${url} is pulled`)
  for (const { message: words } of consequences) print(sanitizeLine(words))
}

async function list({ db }: App, options: { json?: boolean }): Promise<void> {
  for (const { url, title, at, who, reason, restoredAt, restoredBy } of await allRetractions(db)) {
    if (options.json) printJson({ url, title, at, who, reason, restoredAt, restoredBy })
    else {
      const restored = restoredAt === null ? '' : `; restored on ${restoredAt} by ${restoredBy}`
      print(
        `${url}  ${sanitizeLine(title)}\n  pulled on ${at} by ${sanitizeLine(who)}: ${sanitizeLine(reason)}${sanitizeLine(restored)}`,
      )
    }
  }
}
