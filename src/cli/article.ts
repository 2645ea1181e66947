import type { Command } from 'commander'
import type { App } from '../app.ts'
import { type Decision, pullArticle, restoreArticle } from '../editions/pull.ts'
import { allPulls } from '../store/pulls.ts'
import { print, printJson, safe } from './output.ts'
import { withApp } from './with-app.ts'

export function addArticleCommands(program: Command): void {
  const article = program.command('article').description('articles that are withdrawn')
  const who = ['--who <name>', 'stands on record', 'operator'] as const
  article
    .command('pull')
    .description('withdraw an article: no digest chooses it again, and what is being sent with it stops at once')
    .argument('<url>', 'the address of the article')
    .requiredOption('--reason <words>', 'stands on record')
    .option(...who)
    .action((url: string, decision: Decision, command: Command) => withApp(command, (app) => pull(app, url, decision)))
  article
    .command('restore')
    .description('let a pulled article be chosen again; what stopped for it waits for edition resume')
    .argument('<url>', 'the address of the article')
    .option(...who)
    .action((url: string, decision: Decision, command: Command) =>
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

async function pull(app: App, url: string, decision: Decision): Promise<void> {
  const consequences = await pullArticle(app, url, decision)
  print(`${url} is pulled`)
  for (const { words } of consequences) print(safe(words))
}

async function list({ db }: App, options: { json?: boolean }): Promise<void> {
  for (const { url, title, at, who, reason, restoredAt, restoredBy } of await allPulls(db)) {
    if (options.json) printJson({ url, title, at, who, reason, restoredAt, restoredBy })
    else {
      const restored = restoredAt === null ? '' : `; restored on ${restoredAt} by ${restoredBy}`
      print(`${url}  ${safe(title)}\n  pulled on ${at} by ${safe(who)}: ${safe(reason)}${safe(restored)}`)
    }
  }
}
