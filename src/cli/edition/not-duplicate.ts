import type { Command } from 'commander'
import { editionName } from '../../editions/edition.ts'
import { denyDuplicate } from '../../editions/stories/possible-duplicates.ts'
import { print } from '../terminal/output.ts'
import { whoOption } from '../terminal/who-option.ts'
import { withApp } from '../with-app.ts'
import { findArticle } from './find-article.ts'
import { findEdition } from './find-edition.ts'

export function addNotDuplicateCommand(edition: Command, editionArgument: string): void {
  edition
    .command('not-duplicate')
    .description('say that an article does not repeat another; the two are never treated as one story')
    .argument('<edition>', editionArgument)
    .argument('<article>', 'its address, its id, or words of its headline')
    .option(...whoOption)
    .action((name: string, article: string, { who }: { who: string }, command: Command) =>
      withApp(command, async (app) => {
        const found = await findEdition(app, name)
        await denyDuplicate(app, found.id, await findArticle(app.db, found, article), who)
        print(`${editionName(found)}: the article is not a duplicate`)
      }),
    )
}
