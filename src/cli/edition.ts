import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { type App, requireDigest, requireDigestName, throwIfRejected } from '../app.ts'
import { rulesOf } from '../deliveries/limits/rules.ts'
import { whyWaiting } from '../deliveries/limits/why-waiting.ts'
import { describeActor, describeEvent, describeReason, eventWithText, reasonWithText } from '../describe/describe.ts'
import { statusText } from '../editions/corrections/decide.ts'
import { editionName } from '../editions/edition.ts'
import { listEdits } from '../editions/edits/list-edits.ts'
import { explain } from '../editions/explain.ts'
import { renderDraft } from '../editions/render-draft.ts'
import { cancel } from '../editions/review/cancel.ts'
import { hold, pause, resume } from '../editions/review/pause.ts'
import { seal } from '../editions/seal.ts'
import { sealFailure } from '../editions/seal-failure.ts'
import { htmlBytes, sizeWarning } from '../editions/size.ts'
import { AppError, messageOf } from '../errors.ts'
import { rejectionText } from '../feeds/rejection.ts'
import { placeholderKeys } from '../mail/keys.ts'
import { compileMessage, rawMessage } from '../mail/mime.ts'
import { toMessageTemplate, withoutKey } from '../messages/message-template.ts'
import { dryRunEdition } from '../pipeline/dry-run.ts'
import { retractedIn } from '../store/articles/retractions.ts'
import { correctionsAbout, correctionsIn } from '../store/corrections/corrections.ts'
import { countDeliveries } from '../store/deliveries/deliveries.ts'
import { unsentStatuses } from '../store/edition-status.ts'
import { choicesOf } from '../store/editions/choices.ts'
import { editionById, editionsByStatus, latestEditions } from '../store/editions/editions.ts'
import { variantsOf, withdrawnVariants } from '../store/editions/variants.ts'
import { editionEvents } from '../store/events/events.ts'
import type { Reason } from '../store/events/reason.ts'
import { findRejections } from '../store/feeds/rejections.ts'
import type { Json } from '../store/json.ts'
import type { EditionRow } from '../store/schema.ts'
import { letterByline } from '../web/format.ts'
import { correctionJson } from './corrections.ts'
import { addApproveAndSendCommands } from './edition/approve-and-send.ts'
import { addEditCommand, editLine } from './edition/edit.ts'
import { findEdition } from './edition/find-edition.ts'
import { nextStep } from './edition/next-step.ts'
import { deliveryCountsText } from './edition/send-in-foreground.ts'
import { warnOfQuarantinedFeeds } from './feeds/quarantine-warnings.ts'
import { warnOfFailedFeeds } from './run.ts'
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
      withApp(command, (app) => show(app, name, options)),
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
      withApp(command, (app) => preview(app, name, options)),
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

async function show(app: App, name: string, options: JsonOption): Promise<void> {
  await printEdition(app, await loadEdition(app, await findEdition(app, name)), options)
}

type LoadedEdition = Awaited<ReturnType<typeof loadEdition>>

async function loadEdition(app: App, edition: EditionRow) {
  const { db } = app
  const sendWaits = await whyWaiting(app, edition, rulesOf(app, edition.digest))
  const [choices, history, counts, corrections, prints] = await Promise.all([
    choicesOf(db, edition.id),
    editionEvents(db, edition.id),
    countDeliveries(db, edition.id),
    correctionsAbout(db, edition.id),
    correctionsIn(db, edition.id),
  ])
  const failure = sealFailure(edition, history)
  const waits = failure === undefined ? sendWaits : [{ code: 'seal-retried' as const, reason: failure }]
  const [variant] = await variantsOf(db, edition.id)
  const withdrawn = await withdrawnVariants(db, edition.id)
  const pulls = new Map((await retractedIn(db, edition.id)).map((pull) => [pull.itemId, pull]))
  const digest = app.digests.find((one) => one.name === edition.digest)
  const edits = await listEdits(db, edition, digest)
  return { edition, variant, withdrawn, pulls, edits, waits, choices, history, counts, corrections, prints }
}

async function printEdition(app: App, loaded: LoadedEdition, options: JsonOption): Promise<void> {
  const { edition, variant, withdrawn, pulls, edits, waits, choices, history, counts, corrections, prints } = loaded
  if (options.json) {
    const marked = choices.map((choice) => ({
      ...withReasonText(choice),
      retracted: pulls.get(choice.itemId)?.reason ?? null,
    }))
    const sha256 = variant?.sha256 ?? null
    const seals = { sha256, bytesHtml: variant ? htmlBytes(variant) : null, withdrawn }
    const listed = edits.map(({ edit, status }) => ({ ...edit, status }))
    return printJson({
      ...withReasonText(edition),
      ...seals,
      choices: marked,
      edits: listed,
      corrections: corrections.map(correctionJson),
      prints: prints.map(correctionJson),
      history: history.map(eventWithText),
      deliveries: counts,
      waits: waits.map(reasonWithText),
    })
  }
  print(
    `${editionName(edition)}: ${edition.status}${edition.reason ? ` (${describeReason(edition.reason)})` : ''}, due ${edition.dueAt}`,
  )
  if (variant)
    print(`subject: ${sanitizeLine(edition.subject)}\nrevision: ${edition.revision}\nSHA-256: ${variant.sha256}`)
  const warning = variant && sizeWarning(htmlBytes(variant))
  if (warning) print(`warning: ${warning}`)
  for (const { sha256, withdrawnAt } of withdrawn) print(`withdrawn on ${withdrawnAt}: SHA-256 ${sha256}`)
  printChoices(app, loaded)
  await printRecords(app, loaded)
}

function printChoices(app: App, { edition, choices, pulls }: LoadedEdition): void {
  for (const choice of inEmailOrder(choices, app.digests, edition.digest)) {
    const { itemId, section, position, title, reason } = choice
    const place = position === null ? '–' : `${section} ${position}`
    const pull = pulls.get(itemId)
    const pulled = pull ? `  retracted by ${pull.who}: ${pull.reason}` : ''
    print(
      `  ${place}  ${sanitizeLine(title)}  (${sanitizeLine(letterPrefix(choice))}${sanitizeLine(describeReason(reason))})${sanitizeLine(pulled)}`,
    )
  }
}

async function printRecords({ db }: App, loaded: LoadedEdition): Promise<void> {
  const { edition, edits, prints, corrections, history, counts, waits } = loaded
  for (const edit of edits) print(`change ${editLine(edit)}`)
  for (const { said, words, number } of prints)
    print(`  prints a correction of edition ${number}, “${sanitizeLine(said)}”: ${sanitizeLine(words ?? '')}`)
  for (const one of corrections)
    print(
      `  correction ${one.id} of “${sanitizeLine(one.said)}”: ${sanitizeLine(one.words ?? one.found)} (${sanitizeLine(statusText(one))})`,
    )
  for (const event of history)
    print(sanitizeLine(`${event.at}  ${describeActor(event.actor)}: ${describeEvent(event)}`))
  print(await deliveryCountsText(db, edition, counts))
  for (const wait of waits) print(`waits: ${sanitizeLine(describeReason(wait))}`)
}

/** A row for JSON output, with its reason as data and in words. */
function withReasonText<Row extends { reason: Json<Reason> | null }>(row: Row) {
  return { ...row, reason: row.reason && reasonWithText(row.reason) }
}

function letterPrefix({ kind, author, place }: ChoiceView): string {
  return kind === 'letter' ? `${letterByline(author, place)}; ` : ''
}

type ChoiceView = Awaited<ReturnType<typeof choicesOf>>[number]

/** In the order of the email; articles that were left out come last. */
function inEmailOrder(choices: ChoiceView[], digests: App['digests'], digest: string): ChoiceView[] {
  const names = digests.find((one) => one.name === digest)?.sections.map((section) => section.name) ?? []
  const place = ({ section, position }: ChoiceView) => (position === null ? names.length + 1 : names.indexOf(section))
  return choices.toSorted((a, b) => place(a) - place(b))
}

async function explainArticle({ db, digests }: App, what: string, options: JsonOption): Promise<void> {
  const answers = await explain(db, digests, what)
  const rejections = await findRejections(db, what)
  if (answers.length + rejections.length === 0) {
    throw new AppError('missing', `no article matches “${what}”`, {
      hint: 'lastword feeds refresh fetches the feeds now; lastword feeds test shows what one holds; lastword letters list shows letters.',
    })
  }
  const isOne = new Set(answers.map(({ title }) => title)).size === 1
  for (const answer of answers) {
    const about = isOne ? '' : `“${sanitizeLine(answer.title)}”  `
    if (options.json) printJson(answer)
    else
      print(
        [
          `${about}${answer.digest ?? 'no digest'}: ${answer.answer}`,
          ...[...answer.edits, ...answer.corrections].map((one) => `  ${sanitizeLine(one)}`),
        ].join('\n'),
      )
  }
  for (const { feedId: _feed, entry: _entry, ...rejection } of rejections) {
    const { feedUrl, firstAt, lastAt } = rejection
    if (options.json) printJson(withReasonText(rejection))
    else
      print(
        `rejected: ${sanitizeLine(rejectionText(rejection))}\n  in ${feedUrl}, first on ${firstAt}, last on ${lastAt}`,
      )
  }
}

/** Previews an edition: for a digest its unsent one, else the one that a run would make now. */
async function preview(app: App, name: string, options: JsonOption & { out: string }): Promise<void> {
  const { letter: message, title, thin } = await messageToPreview(app, name)
  const { slot, html, text } = message
  const sample = { email: message.replyTo, name: '', keys: placeholderKeys, date: app.clock.now() }
  const files = {
    'index.html': withoutKey(html, slot),
    'index.txt': withoutKey(text, slot),
    'message.eml': rawMessage(compileMessage(message)(sample)),
  }
  try {
    await mkdir(options.out, { recursive: true })
    for (const [file, content] of Object.entries(files)) await writeFile(join(options.out, file), content)
  } catch (error) {
    throw new AppError('unavailable', `${options.out} cannot be written: ${messageOf(error)}`, {
      hint: 'Name a folder that this user may write to, such as --out /tmp/preview.',
    })
  }
  const paths = Object.keys(files).map((file) => join(options.out, file))
  if (options.json)
    printJson({
      edition: title,
      subject: message.subject,
      files: paths,
      bytesHtml: htmlBytes(message),
      thin: thin && reasonWithText(thin),
    })
  else
    print([`${title}: ${sanitizeLine(message.subject)}`, ...paths, ...(thin ? [describeReason(thin)] : [])].join('\n'))
  const warning = sizeWarning(htmlBytes(message))
  if (warning) printStderr(`warning: ${warning}`)
}

async function messageToPreview(app: App, name: string) {
  throwIfRejected(app, name) // what would be sent now is unknown
  const digest = app.digests.find((one) => one.name === name)
  const [open] = digest ? await editionsByStatus(app.db, unsentStatuses, digest.name) : [await findEdition(app, name)]
  if (digest && !open) {
    const { draft, thin = null, feeds } = await dryRunEdition(app, digest)
    warnOfFailedFeeds(feeds)
    await warnOfQuarantinedFeeds(app, digest)
    const { head, subject, html, text } = await renderDraft(app.render, draft)
    return {
      title: `${digest.name}, as it would be now`,
      letter: toMessageTemplate(app.secret, draft.edition, { head, subject, html, text, slot: draft.slot }),
      thin,
    }
  }
  if (!open) throw new AppError('missing', `there is no edition ${name}`)
  if (open.status === 'composed') await seal(app, open.id, requireDigest(app, open.digest))
  const [variant] = await variantsOf(app.db, open.id)
  if (!variant)
    throw new AppError(
      'missing',
      `${editionName(open)} was never sealed: ${open.reason ? describeReason(open.reason) : open.status}`,
    )
  return { title: editionName(open), letter: toMessageTemplate(app.secret, open, variant), thin: open.reason }
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
