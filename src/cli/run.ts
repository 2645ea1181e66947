import type { Command } from 'commander'
import { type App, requireDigest } from '../app.ts'
import { rulesOf } from '../deliveries/limits/rules.ts'
import { whyWaiting } from '../deliveries/limits/why-waiting.ts'
import { isServing } from '../deliveries/worker.ts'
import { articleChoices, chosenOnly, itemOf, letterChoices } from '../editions/choice/choice.ts'
import { compose } from '../editions/compose.ts'
import type { Digest } from '../editions/digest.ts'
import { editionName } from '../editions/edition.ts'
import { ensureSealed } from '../editions/ensure-sealed.ts'
import { renderDraft } from '../editions/render-draft.ts'
import { approveByRule, overrideObstacles } from '../editions/review.ts'
import { htmlBytes, sizeWarning } from '../editions/size.ts'
import { AppError } from '../errors.ts'
import type { RefreshResult } from '../feeds/refresh.ts'
import { dryRunEdition } from '../pipeline/dry-run.ts'
import { refreshAndEnrich } from '../pipeline/refresh-and-enrich.ts'
import { sendEdition } from '../pipeline/sending/send.ts'
import { openSender } from '../pipeline/sending/sender.ts'
import { brakeNow } from '../store/deliveries/brake.ts'
import { countDeliveries, type DeliveryCounts } from '../store/deliveries/deliveries.ts'
import { editionById, variantsOf } from '../store/editions/editions.ts'
import type { Db, EditionRow } from '../store/schema.ts'
import { countActive } from '../store/subscribers/subscribers.ts'
import { minute, second } from '../time/clock.ts'
import { launchProblemLines, localLaunchProblemLines, refuseUnreadySettings } from './checks/launch-settings.ts'
import { editionToContinue } from './edition/find-open-edition.ts'
import { nextStep } from './edition/next-step.ts'
import { warnOfQuarantinedFeeds } from './feeds/quarantine-warnings.ts'
import { confirmSending } from './terminal/confirm-sending.ts'
import { print, printJson, printStderr, sanitizeLine } from './terminal/output.ts'
import { showProgress } from './terminal/progress.ts'
import { configFile, exitCodeOf, stopSignal, withApp } from './with-app.ts'

type Options = {
  dryRun?: boolean
  json?: boolean
  edition?: string
  new?: boolean
  anyway?: boolean
  yes?: boolean
}

export function addRunCommand(program: Command): void {
  program
    .command('run')
    .description(
      'make an edition now and send it, in the foreground: refresh, compose, approve, send; continues one that was interrupted',
    )
    .argument('<digest>', 'the name of a file in jobs/')
    .option('--dry-run', 'stop before sending: refresh the feeds, and show what would go out; no edition is made')
    .option('--edition <number>', 'send this one of the editions that wait')
    .option('--new', 'make a new edition, which takes over what the waiting ones hold')
    .option('--anyway', 'send it in spite of settings that readers should not see, or of another obstacle')
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
  if (options.edition !== undefined && options.new)
    throw new AppError('invalid', '--edition and --new cannot be used together')
  const edition = await prepareEdition(app, digest, options, file)
  await warnOfSize(app, edition)
  if (edition.status === 'skipped' || edition.status === 'held') return await printNotSent(app, edition, options)
  if (!options.yes && !options.json && !(await confirmSending(app, edition))) return printDeclined(edition)
  const rule = 'operator, by lastword run'
  if (edition.status === 'sealed' && !(await approveByRule(app, edition.id, rule, options))) {
    const current = (await editionById(app.db, edition.id)) ?? edition
    if (current.status === 'held') return await printNotSent(app, current, options)
    if (current.status !== 'approved' && current.status !== 'sending')
      throw new AppError('conflict', `${editionName(current)} is ${current.status} by now: ${current.reason ?? ''}`)
  }
  if (options.anyway) await overrideObstacles(app, edition.id, rule)
  await sendInForeground(app, digest, edition.id, options)
}

/** Warns of an edition that mail programs will not show whole; one that is held for it says so by itself. */
async function warnOfSize({ db }: App, { id, status }: EditionRow): Promise<void> {
  const [variant] = status === 'held' ? [] : await variantsOf(db, id)
  const warning = variant && sizeWarning(htmlBytes(variant))
  if (warning) printStderr(`warning: ${warning}`)
}

/** An edition that rules keep from being sent: which, why, and what to do about it. */
async function printNotSent(app: App, edition: EditionRow, options: Options): Promise<void> {
  if (options.json) printJson({ edition: edition.number, status: edition.status, reason: edition.reason })
  else print(`${editionName(edition)}: ${sanitizeLine(edition.reason ?? edition.status)}`)
  if ((await countActive(app.db, edition.digest)) === 0) {
    printStderr(`Import people first: lastword subscribers import FILE --digest ${edition.digest}`)
    process.exitCode = 1
    return
  }
  if (edition.status === 'held') printStderr(sanitizeLine(await nextStep(app, edition)))
  else printStderr('The articles stay pending: the next run looks at them again.')
  printStderr(
    `lastword edition show ${edition.id} says why each article was left out; lastword feeds list shows the feeds.`,
  )
}

function printDeclined(edition: EditionRow): void {
  printStderr(`Nothing was sent. ${editionName(edition)} waits: lastword run ${edition.digest} sends it,`)
  printStderr(`lastword edition show ${edition.id} shows it, lastword edition cancel ${edition.id} ends it.`)
  process.exitCode = 1
}

/** The edition that a person names, or that was interrupted or waits, or a new one; sealed. */
async function prepareEdition(app: App, digest: Digest, options: Options, file: string): Promise<EditionRow> {
  const number = options.edition === undefined ? undefined : Number(options.edition)
  const open = options.new ? undefined : await editionToContinue(app, digest, number)
  if (!options.anyway && (open?.overriddenAt ?? null) === null) refuseUnreadySettings(app, digest, file)
  for (const line of localLaunchProblemLines(app, digest, file)) printStderr(`warning: ${sanitizeLine(line)}`)
  if (open) printStderr(`continuing ${editionName(open)}, which is ${open.status}`)
  const edition = open ?? (await newEdition(app, digest, options))
  // Another process has just made one: we share it.
  return edition ? await ensureSealed(app, edition, digest) : await prepareEdition(app, digest, options, file)
}

async function newEdition(app: App, digest: Digest, options: Options): Promise<EditionRow | undefined> {
  const recipients = await countActive(app.db, digest.name)
  if (recipients > 0) warnOfFailedFeeds(await refreshAndEnrich(app, digest))
  const edition = await compose(app, digest, app.clock.now(), {
    recipients,
    replace: options.new === true,
    unlessOpen: !options.new,
  })
  if (edition) await warnOfQuarantinedFeeds(app, digest)
  return edition
}

export function warnOfFailedFeeds(report: RefreshResult[]): void {
  for (const feed of report)
    if (feed.kind === 'failed') printStderr(`feed failed: ${sanitizeLine(`${feed.url}: ${feed.reason}`)}`)
}

/** For slow mail providers a foreground waits longer than a process that has other editions to send. */
const foregroundWaitMs = 15 * minute

/** Sends, with progress; says at the end what is left to do, and who will do it. */
export async function sendInForeground(
  app: App,
  digest: Digest,
  id: string,
  options: { json?: boolean },
): Promise<void> {
  const sender = await openSender(app)
  const signal = stopSignal()
  const progress = await watchProgress(app, id)
  try {
    const report = await sendEdition(app, sender, id, { unknown: digest.unknown, signal, patience: foregroundWaitMs })
    await progress.end()
    await printResult(app, id, options)
    if (report.counts.accepted > 0 && !(await isServing(app))) printStderr(leaveLinksWarning)
    if (report.stopped) {
      const left = report.counts.queued
      process.exitCode = exitCodeOf(signal)
      throw new AppError('unavailable', `sending stopped: ${report.stopped}; ${left} deliveries stay queued`, {
        hint: await resumeHint(app, digest, id),
      })
    }
    const waits = await waitReasons(app, id, digest.name)
    for (const reason of waits) printStderr(`waits: ${sanitizeLine(reason)}`)
    if (waits.length > 0)
      printStderr(`lastword start goes on by itself, and so does lastword run ${digest.name}, later`)
    const { deferred, unknown } = report.counts
    if (!report.finished && deferred + unknown > 0)
      printStderr(`${deferred} deferred, ${unknown} unknown: lastword start tries them again in time`)
  } finally {
    await progress.end()
    await sender.close()
  }
}

const progressIntervalMs = second

/** Shows how far the whole edition has got, whichever processes send it. `end` shows it once more, and looks no more. */
async function watchProgress({ db }: App, id: string): Promise<{ end(): Promise<void> }> {
  const progress = showProgress()
  const update = async () => {
    const counts = await countDeliveries(db, id)
    if (Object.values(counts).some((count) => count > 0)) progress.update(counts)
  }
  await update()
  const timer = setInterval(() => void update().catch(() => {}), progressIntervalMs)
  let isOver = false
  return {
    async end() {
      if (isOver) return
      isOver = true
      clearInterval(timer)
      await update().catch(() => {}) // a store that is away has been reported
      progress.end()
    },
  }
}

const leaveLinksWarning =
  'The unsubscribe links in these emails work only while lastword start is running, and it is not: start it, and keep it running.'

/** What to do about sending that stopped. */
export async function resumeHint({ db }: Pick<App, 'db'>, digest: Digest, id: string): Promise<string> {
  const continueText = `lastword run ${digest.name} continues, and so does lastword start.`
  const edition = await editionById(db, id)
  if (edition?.status === 'cancelled') return 'The edition was cancelled: nothing of it is left to send.'
  if (edition?.status === 'held' || edition?.status === 'paused')
    return `Nothing is lost. ${await nextStep({ db }, edition)} After that, ${continueText}`
  if (await brakeNow(db)) return `Nothing is lost: after lastword sending resume, ${continueText}`
  return `Nothing is lost: ${continueText}`
}

async function waitReasons(app: App, id: string, digest: string): Promise<string[]> {
  const edition = await editionById(app.db, id)
  return edition ? await whyWaiting(app, edition, rulesOf(app, digest)) : []
}

async function printResult({ db }: App, id: string, options: { json?: boolean }): Promise<void> {
  const edition = await editionById(db, id)
  if (!edition) return
  const counts = await countDeliveries(db, id)
  if (options.json) printJson({ edition: edition.number, id, status: edition.status, ...counts })
  else print(`${editionName(edition)} is ${edition.status}: ${await deliveryCountsText(db, edition, counts)}`)
}

/** How many deliveries stand in each state; where there are none, why. */
export async function deliveryCountsText(db: Db, edition: EditionRow, counts: DeliveryCounts): Promise<string> {
  const parts = Object.entries(counts).filter(([, count]) => count > 0)
  if (parts.length > 0) return parts.map(([status, count]) => `${count} ${status}`).join(', ')
  if (edition.status === 'skipped' || edition.status === 'cancelled') return `${edition.status}: nothing was sent`
  if (edition.audienceAt !== null) return 'no deliveries: nobody subscribed when it went out'
  const recipients = await countActive(db, edition.digest)
  return `not sent yet: ${peopleAre(recipients)} subscribed`
}

/** "1 person is", "1,352 people are", "nobody is". */
function peopleAre(count: number): string {
  if (count === 0) return 'nobody is'
  return count === 1 ? '1 person is' : `${count.toLocaleString('en-GB')} people are`
}

async function dryRun(app: App, digest: Digest, options: Options, file: string): Promise<void> {
  const { draft, choices, thin, feeds } = await dryRunEdition(app, digest)
  warnOfFailedFeeds(feeds)
  await warnOfQuarantinedFeeds(app, digest)
  for (const line of [...launchProblemLines(app, digest, file), ...localLaunchProblemLines(app, digest, file)])
    printStderr(`warning: ${sanitizeLine(line)}`)
  const rendered = await renderDraft(app.render, draft)
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
      thin: thin ?? null,
    })
    return
  }
  print(`${digest.title} ${draft.edition.number}: ${sanitizeLine(rendered.subject)}`)
  for (const choice of chosen) print(`  ${choice.section} ${choice.position}: ${sanitizeLine(itemOf(choice).title)}`)
  if (thin) print(sanitizeLine(thin))
  const printed = `${articles} articles${letters > 0 ? `, ${letters} letters` : ''}`
  print(`${printed}, ${bytesHtml} bytes of HTML, ${recipients} subscribers. Nothing was sent, and no edition was made.`)
}
