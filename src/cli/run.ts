import type { Command } from 'commander'
import { type App, requireDigest } from '../app.ts'
import { describeReason, reasonWithText } from '../describe/describe.ts'
import { articleChoices, chosenOnly, itemOf, letterChoices } from '../editions/choice/choice.ts'
import { compose } from '../editions/compose/compose.ts'
import type { Digest } from '../editions/digest.ts'
import { editionName } from '../editions/edition.ts'
import { ensureSealed } from '../editions/ensure-sealed.ts'
import { ownPictures } from '../editions/pictures/own-pictures.ts'
import { renderDraft } from '../editions/render-draft.ts'
import { approveByRule, overrideObstacles } from '../editions/review/approve.ts'
import { htmlBytes, sizeWarning } from '../editions/size.ts'
import { AppError } from '../errors.ts'
import type { RefreshResult } from '../feeds/refresh.ts'
import { dryRunEdition } from '../pipeline/dry-run.ts'
import { refreshAndEnrich } from '../pipeline/refresh-and-enrich.ts'
import { editionById } from '../store/editions/editions.ts'
import { variantsOf } from '../store/editions/variants.ts'
import type { EditionRow } from '../store/schema.ts'
import { countActive } from '../store/subscribers/subscribers.ts'
import { articlesAndLetters } from '../web/format.ts'
import { launchProblemLines, refuseUnreadySettings } from './checks/launch-settings.ts'
import { editionToContinue } from './edition/find-open-edition.ts'
import { nextStep } from './edition/next-step.ts'
import { sendInForeground } from './edition/send-in-foreground.ts'
import { warnOfQuarantinedFeeds } from './feeds/quarantine-warnings.ts'
import { confirmSending } from './terminal/confirm-sending.ts'
import { print, printJson, printStderr, sanitizeLine } from './terminal/output.ts'
import { configFile, withApp } from './with-app.ts'

type Options = {
  dryRun?: boolean
  json?: boolean
  edition?: string
  new?: boolean
  hold?: boolean
  anyway?: boolean
  yes?: boolean
}

export function addRunCommand(program: Command): void {
  program
    .command('run')
    .description(
      'make an edition now and send it in the foreground: refresh, compose, approve, send; or continue an interrupted one',
    )
    .argument('<digest>', 'the name of a file in jobs/')
    .option('--dry-run', 'stop before sending: refresh the feeds and print what would be sent; makes no edition')
    .option('--edition <number>', 'send the waiting edition with this number')
    .option('--new', 'make a new edition with the articles of the waiting ones')
    .option('--hold', 'make a new edition for review: nobody gets it until someone approves it')
    .option('--anyway', 'send even with sample settings or another obstacle')
    .option('--yes', 'do not ask on a terminal')
    .option('--json', 'as JSON')
    .action((name: string, options: Options, command: Command) =>
      withApp(command, (app) => {
        const digest = requireDigest(app, name)
        const file = configFile(command)
        return options.dryRun ? dryRun(app, digest, options, file) : run(app, digest, options, file)
      }),
    )
}

async function run(app: App, digest: Digest, options: Options, file: string): Promise<void> {
  if (options.hold) return await makeForReview(app, digest, options)
  const edition = await prepareEdition(app, digest, options, file)
  await warnOfSize(app, edition)
  if (edition.status === 'skipped' || edition.status === 'held') return await printNotSent(app, edition, options)
  if (!options.yes && !options.json && !(await confirmSending(app, edition))) return printDeclined(edition)
  const approved = edition.status === 'sealed' ? await approve(app, edition, options) : edition
  if (approved.status === 'held') return await printNotSent(app, approved, options)
  if (options.anyway) await overrideObstacles(app, edition.id, 'cli')
  await sendInForeground(app, digest, edition.id, options)
}

/** Makes an edition that waits for a person's approval, also without subscribers. AppError `conflict` if one is open. */
async function makeForReview(app: App, digest: Digest, options: Options): Promise<void> {
  if (options.edition !== undefined) throw new AppError('invalid', '--hold and --edition cannot be used together')
  const made = await newEdition(app, digest, options)
  if (!made)
    throw new AppError('conflict', `an edition of ${digest.name} is open already`, {
      hint: `lastword edition show ${digest.name} shows it. Add --new to make another with its articles.`,
    })
  const edition = await ensureSealed(app, made, digest)
  await warnOfSize(app, edition)
  if (options.json || edition.status === 'skipped') return await printNotSent(app, edition, options)
  print(`${editionName(edition)} is held for review: nobody gets it until someone approves it`)
  printStderr(sanitizeLine(await nextStep(app, edition)))
}

/** Approves the edition, unless another person approved or held it. AppError `conflict` if it has another status. */
async function approve(app: App, edition: EditionRow, options: Options): Promise<EditionRow> {
  if (await approveByRule(app, edition.id, 'cli', options)) return edition
  const current = (await editionById(app.db, edition.id)) ?? edition
  if (['held', 'approved', 'sending'].includes(current.status)) return current
  throw new AppError(
    'conflict',
    `${editionName(current)} is ${current.status} by now: ${current.reason ? describeReason(current.reason) : ''}`,
  )
}

/** Warns of an edition that mail programs will cut off, unless it is held for that reason. */
async function warnOfSize({ db }: App, { id, status }: EditionRow): Promise<void> {
  const [variant] = status === 'held' ? [] : await variantsOf(db, id)
  const warning = variant && sizeWarning(htmlBytes(variant))
  if (warning) printStderr(`warning: ${warning}`)
}

/** Prints why an edition is not sent, and what to do. */
async function printNotSent(app: App, edition: EditionRow, options: Options): Promise<void> {
  if (options.json)
    printJson({
      edition: edition.number,
      status: edition.status,
      reason: edition.reason && reasonWithText(edition.reason),
    })
  else {
    const reason = edition.reason ? `: ${describeReason(edition.reason)}` : ''
    print(sanitizeLine(`${editionName(edition)}: ${edition.status}${reason}`))
  }
  if ((await countActive(app.db, edition.digest)) === 0) {
    printStderr(`Import people first: lastword subscribers import FILE --digest ${edition.digest}`)
    process.exitCode = 1
    return
  }
  if (edition.status === 'held') printStderr(sanitizeLine(await nextStep(app, edition)))
  else printStderr('The articles stay pending: the next run can choose them.')
  printStderr(
    `lastword edition show ${edition.id} shows why each article was left out; lastword feeds list shows the feeds.`,
  )
}

function printDeclined(edition: EditionRow): void {
  printStderr(`Nothing was sent. ${editionName(edition)} waits: lastword run ${edition.digest} sends it,`)
  printStderr(`lastword edition show ${edition.id} shows it, lastword edition cancel ${edition.id} ends it.`)
  process.exitCode = 1
}

/** The edition with this number, or the interrupted or waiting one, or a new one; sealed. */
async function prepareEdition(app: App, digest: Digest, options: Options, file: string): Promise<EditionRow> {
  if (options.edition !== undefined && options.new)
    throw new AppError('invalid', '--edition and --new cannot be used together')
  const number = options.edition === undefined ? undefined : Number(options.edition)
  const open = options.new ? undefined : await editionToContinue(app, digest, number)
  if (!options.anyway && (open?.overriddenAt ?? null) === null) refuseUnreadySettings(app, digest, file)
  if (open) printStderr(`continuing ${editionName(open)}, which is ${open.status}`)
  const edition = open ?? (await newEdition(app, digest, options))
  // Undefined: another process has just made an edition, which is continued.
  return edition ? await ensureSealed(app, edition, digest) : await prepareEdition(app, digest, options, file)
}

async function newEdition(app: App, digest: Digest, options: Options): Promise<EditionRow | undefined> {
  const recipients = await countActive(app.db, digest.name)
  if (recipients > 0 || options.hold) warnOfFailedFeeds(await refreshAndEnrich(app, digest))
  const edition = await compose(app, digest, app.clock.now(), {
    ...(options.hold ? { heldBy: 'cli' } : { recipients }),
    replace: options.new === true,
    unlessOpen: !options.new,
  })
  if (edition) await warnOfQuarantinedFeeds(app, digest)
  return edition
}

export function warnOfFailedFeeds(report: RefreshResult[]): void {
  for (const feed of report)
    if (feed.kind === 'failed')
      printStderr(`feed failed: ${sanitizeLine(`${feed.url}: ${describeReason(feed.reason)}`)}`)
}

async function dryRun(app: App, digest: Digest, options: Options, file: string): Promise<void> {
  const { draft, choices, thin, feeds } = await dryRunEdition(app, digest)
  warnOfFailedFeeds(feeds)
  await warnOfQuarantinedFeeds(app, digest)
  for (const line of launchProblemLines(app, digest, file)) printStderr(`warning: ${sanitizeLine(line)}`)
  const { pictures, leftOut } = await ownPictures(app.pictures, draft)
  for (const { reason } of leftOut) printStderr(`picture left out: ${sanitizeLine(describeReason(reason))}`)
  const rendered = await renderDraft(app.render, pictures ? { ...draft, pictures } : draft)
  const recipients = await countActive(app.db, digest.name)
  const bytesHtml = htmlBytes({ html: rendered.html, slot: draft.slot })
  const warning = sizeWarning(bytesHtml)
  if (warning) printStderr(`warning: ${warning}`)
  const chosen = chosenOnly(choices)
  const [articles, letters] = [articleChoices(chosen).length, letterChoices(chosen).length]
  if (options.json) {
    printJson({
      edition: draft.edition.number,
      subject: rendered.subject,
      articles,
      letters,
      recipients,
      bytesHtml,
      thin: thin ? reasonWithText(thin) : null,
    })
    return
  }
  print(`${digest.title} ${draft.edition.number}: ${sanitizeLine(rendered.subject)}`)
  for (const choice of chosen) print(`  ${choice.section} ${choice.position}: ${sanitizeLine(itemOf(choice).title)}`)
  if (thin) print(sanitizeLine(describeReason(thin)))
  const printed = articlesAndLetters({ article: articles, letter: letters })
  print(`${printed}, ${bytesHtml} bytes of HTML, ${recipients} subscribers. Nothing was sent, and no edition was made.`)
}
