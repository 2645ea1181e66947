import type { Command } from 'commander'
import { type App, requireDigestName } from '../app.ts'
import { describeReason } from '../describe/describe.ts'
import { editionName } from '../editions/edition.ts'
import { cancel } from '../editions/review/cancel.ts'
import { hold, pause, resume } from '../editions/review/pause.ts'
import { AppError } from '../errors.ts'
import { editionById, latestEditions } from '../store/editions/editions.ts'
import { addApproveAndSendCommands } from './edition/approve-and-send.ts'
import { addEditCommand } from './edition/edit.ts'
import { explainArticle } from './edition/explain.ts'
import { findEdition } from './edition/find-edition.ts'
import { nextStep } from './edition/next-step.ts'
import { addNotDuplicateCommand } from './edition/not-duplicate.ts'
import { previewEdition } from './edition/preview.ts'
import { withReasonText } from './edition/reason-text.ts'
import { showEdition } from './edition/show.ts'
import { formatTable, print, printJson, printStderr, sanitizeLine } from './terminal/output.ts'
import { whoOption } from './terminal/who-option.ts'
import { withApp } from './with-app.ts'

type JsonOption = { json?: boolean }
type Decision = { who: string; reason: string; anyway?: boolean }
type EditionAction = (app: App, id: string, decision: Decision) => Promise<void>

const editionArgument = 'an id, digest:number, or a digest for its newest'

export function addEditionCommands(program: Command): void {
  const edition = program.command('edition').description('show, send, stop and preview editions')
  const add = (name: string, description: string) => edition.command(name).description(description)

  add('list', 'list the newest editions')
    .argument('[digest]', 'only those of this digest')
    .option('--json', 'one JSON line for each edition')
    .action((digest: string | undefined, options: JsonOption, command: Command) =>
      withApp(command, (app) => list(app, digest, options)),
    )
  add('show', 'print an edition: its articles, why others were left out, its history')
    .argument('<edition>', editionArgument)
    .option('--json', 'as JSON')
    .action((name: string, options: JsonOption, command: Command) =>
      withApp(command, (app) => showEdition(app, name, options)),
    )
  add('explain', 'print which edition has an article or a letter, or why none has it')
    .argument('<what>', 'an address that the article has or had, its guid or title, or the id of the letter')
    .option('--json', 'one JSON line for each digest and each rejected entry')
    .action((what: string, options: JsonOption, command: Command) =>
      withApp(command, (app) => explainArticle(app, what, options)),
    )
  add('preview', 'write index.html, index.txt and message.eml exactly as they would be sent')
    .argument('<edition>', 'a digest (fetches its feeds, and shows what would be sent now), an id, or digest:number')
    .requiredOption('--out <dir>', 'the folder to write to')
    .option('--json', 'as JSON')
    .action((name: string, options: JsonOption & { out: string }, command: Command) =>
      withApp(command, (app) => previewEdition(app, name, options)),
    )
  const addDecision = (command: Command, done: string, act: EditionAction) =>
    command
      .argument('<edition>', editionArgument)
      .option(...whoOption)
      .action((name: string, options: Decision, command: Command) => decide(command, name, done, act, options))
  const reason = ['--reason <text>', 'why; shown in the history'] as const

  const holdCommand = add('hold', 'hold an edition until a person approves it').requiredOption(...reason)
  addDecision(holdCommand, 'held', (app, id, { who, reason }) => hold(app, id, who, reason))
  const pauseCommand = add('pause', 'pause an edition that is being sent; messages already being handed over finish')
  addDecision(pauseCommand.option(...reason, 'paused by hand'), 'paused', pauseSending)
  const resumeCommand = add('resume', 'resume a paused edition where it stopped')
  addDecision(
    resumeCommand.option('--anyway', 'even if it has a retracted article; this is recorded'),
    'resumed',
    resumeAsOperator,
  )
  const cancelCommand = add('cancel', 'cancel an edition; if nobody received it, its articles can be chosen again')
  addDecision(cancelCommand.option(...reason, 'cancelled by hand'), 'cancelled', (app, id, { who, reason }) =>
    cancel(app, id, who, reason),
  )
  addApproveAndSendCommands(edition, editionArgument)
  addEditCommand(edition, editionArgument)
  addNotDuplicateCommand(edition, editionArgument)
}

async function list(app: App, digest: string | undefined, options: JsonOption): Promise<void> {
  const { db } = app
  if (digest !== undefined) requireDigestName(app, digest)
  const editions = await latestEditions(db, { digest, limit: 100 })
  if (editions.length === 0) printStderr(`There are no editions${digest ? ` of ${digest}` : ''} yet.`)
  if (options.json) for (const edition of editions) printJson(withReasonText(edition))
  else if (editions.length > 0)
    print(
      formatTable(
        editions.map((one) => [
          one.id,
          editionName(one),
          one.status,
          one.dueAt,
          sanitizeLine(one.reason ? describeReason(one.reason) : one.subject),
        ]),
      ),
    )
}

function decide(
  command: Command,
  name: string,
  done: string,
  action: EditionAction,
  decision: Decision,
): Promise<void> {
  return withApp(command, async (app) => {
    const edition = await findEdition(app, name)
    await action(app, edition.id, decision)
    print(`${editionName(edition)} is ${done}`)
  })
}

async function resumeAsOperator(app: App, id: string, { who, anyway = false }: Decision): Promise<void> {
  try {
    await resume(app, id, who, { anyway })
  } catch (error) {
    const edition = await editionById(app.db, id)
    if (!(error instanceof AppError) || edition?.status !== 'paused') throw error
    throw new AppError(error.code, error.message, { hint: await nextStep(app, edition), cause: error })
  }
}

/** An edition whose sending has not begun is held instead: the hint says so. */
async function pauseSending(app: App, id: string, { who, reason }: Decision): Promise<void> {
  try {
    await pause(app, id, who, reason)
  } catch (error) {
    const edition = await editionById(app.db, id)
    if (!(error instanceof AppError) || (edition?.status !== 'sealed' && edition?.status !== 'approved')) throw error
    const hint = `Its sending has not begun. Hold it with: lastword edition hold ${id} --reason "…"`
    throw new AppError(error.code, error.message, { hint, cause: error })
  }
}
