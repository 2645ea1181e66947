import type { Command } from 'commander'
import { type App, digestNamed } from '../app.ts'
import { minute } from '../clock.ts'
import { rulesOf } from '../deliveries/rules.ts'
import { whyWaiting } from '../deliveries/waits.ts'
import { compose } from '../editions/compose.ts'
import type { Digest } from '../editions/digest.ts'
import { editionName } from '../editions/edition.ts'
import { renderWhole } from '../editions/rendered.ts'
import { approveByRule } from '../editions/review.ts'
import { seal } from '../editions/seal.ts'
import { htmlBytes, sizeWarning } from '../editions/size.ts'
import { AppError } from '../errors.ts'
import type { Refreshed } from '../feeds/refresh.ts'
import { gather } from '../gather.ts'
import { rehearse } from '../rehearse.ts'
import { openSender, sendEdition } from '../send.ts'
import { brakeNow } from '../store/brake.ts'
import { countDeliveries, type DeliveryCounts } from '../store/deliveries.ts'
import { editionById, editionsIn, variantsOf } from '../store/editions.ts'
import type { Db, EditionRow } from '../store/schema.ts'
import { countActive } from '../store/subscribers.ts'
import { nextStep } from './next-step.ts'
import { print, printJson, safe, tell } from './output.ts'
import { showProgress } from './progress.ts'
import { tellOfWaiting } from './waiting.ts'
import { stopSignal, withApp } from './with-app.ts'

type Options = { dryRun?: boolean; json?: boolean }

export function addRunCommand(program: Command): void {
  program
    .command('run')
    .description(
      'make an edition now and send it, in the foreground: pull, compose, approve, send; continues one that was interrupted',
    )
    .argument('<digest>', 'the name of a file in jobs/')
    .option('--dry-run', 'stop before sending: pull, and show what would go out; no edition is made')
    .option('--json', 'as JSON')
    .action((name: string, options: Options, command: Command) =>
      withApp(command, (app) => {
        const digest = digestNamed(app.digests, name)
        return options.dryRun ? dryRun(app, digest, options) : run(app, digest, options)
      }),
    )
}

async function run(app: App, digest: Digest, options: Options): Promise<void> {
  const edition = await openEdition(app, digest)
  await tellOfSize(app, edition)
  if (edition.status === 'skipped' || edition.status === 'held') {
    if (options.json) printJson({ edition: edition.number, status: edition.status, reason: edition.reason })
    else print(`${editionName(edition)}: ${safe(edition.reason ?? edition.status)}`)
    if (edition.status === 'held') tell(safe(await nextStep(app, edition)))
    return
  }
  if (edition.status === 'sealed') await approveByRule(app, edition.id, 'operator, by lastword run')
  await sendInForeground(app, digest, edition.id, options)
}

/** Warns of an edition that mail programs will not show whole; one that is held for it says so by itself. */
async function tellOfSize({ db }: App, { id, status }: EditionRow): Promise<void> {
  const [variant] = status === 'held' ? [] : await variantsOf(db, id)
  const warning = variant && sizeWarning(htmlBytes(variant))
  if (warning) tell(`warning: ${warning}`)
}

/** The edition that was interrupted, or a new one, sealed. */
async function openEdition(app: App, digest: Digest): Promise<EditionRow> {
  const [open] = await editionsIn(app.db, ['composed', 'sealed', 'approved', 'sending', 'held'], digest.name)
  if (open?.status === 'held') {
    throw new AppError('conflict', `${editionName(open)} waits for an editor (${open.reason ?? 'held'})`, {
      hint: await nextStep(app, open),
    })
  }
  if (open) tell(`continuing ${editionName(open)}, which is ${open.status}`)
  else tellOfFailures(await gather(app, digest))
  const edition = open ?? (await compose(app, digest, app.clock.now()))
  if (!edition) throw new AppError('conflict', `another process makes an edition of ${digest.name} at this very moment`)
  if (!open) await tellOfWaiting(app, digest)
  return edition.status === 'composed' ? await seal(app, edition.id, digest) : edition
}

export function tellOfFailures(report: Refreshed[]): void {
  for (const feed of report) if (feed.kind === 'failed') tell(`feed failed: ${safe(`${feed.url}: ${feed.reason}`)}`)
}

/** For slow mail providers a foreground waits longer than a process that has other editions to send. */
const patience = 15 * minute

/** Sends, with progress; says at the end what is left to do, and who will do it. */
export async function sendInForeground(
  app: App,
  digest: Digest,
  id: string,
  options: { json?: boolean },
): Promise<void> {
  const sender = await openSender(app)
  const progress = showProgress()
  try {
    const sending = { unknown: digest.unknown, signal: stopSignal(), onProgress: progress.update, patience }
    const report = await sendEdition(app, sender, id, sending)
    progress.end()
    await printResult(app, id, options)
    if (report.stopped) {
      const left = report.counts.queued
      throw new AppError('unavailable', `sending stopped: ${report.stopped}; ${left} deliveries stay queued`, {
        hint: await howToGoOn(app, digest, id),
      })
    }
    const waits = await waitsOf(app, id, digest.name)
    for (const reason of waits) tell(`waits: ${safe(reason)}`)
    if (waits.length > 0) tell(`lastword start goes on by itself, and so does lastword run ${digest.name}, later`)
    const { deferred, unknown } = report.counts
    if (!report.finished && deferred + unknown > 0)
      tell(`${deferred} deferred, ${unknown} unknown: lastword start tries them again in time`)
  } finally {
    await sender.close()
  }
}

/** What to do about sending that stopped. */
export async function howToGoOn({ db }: Pick<App, 'db'>, digest: Digest, id: string): Promise<string> {
  const goesOn = `lastword run ${digest.name} continues, and so does lastword start.`
  const edition = await editionById(db, id)
  if (edition?.status === 'cancelled') return 'The edition was cancelled: nothing of it is left to send.'
  if (edition?.status === 'held') return `Nothing is lost. ${await nextStep({ db }, edition)} After that, ${goesOn}`
  if (await brakeNow(db)) return `Nothing is lost: after lastword brake off, ${goesOn}`
  return `Nothing is lost: ${goesOn}`
}

async function waitsOf(app: App, id: string, digest: string): Promise<string[]> {
  const edition = await editionById(app.db, id)
  return edition ? await whyWaiting(app, edition, rulesOf(app, digest)) : []
}

async function printResult({ db }: App, id: string, options: { json?: boolean }): Promise<void> {
  const edition = await editionById(db, id)
  if (!edition) return
  const counts = await countDeliveries(db, id)
  if (options.json) printJson({ edition: edition.number, id, status: edition.status, ...counts })
  else print(`${editionName(edition)} is ${edition.status}: ${await countsText(db, edition, counts)}`)
}

/** How many deliveries stand in each state; where there are none, why. */
export async function countsText(db: Db, edition: EditionRow, counts: DeliveryCounts): Promise<string> {
  const parts = Object.entries(counts).filter(([, count]) => count > 0)
  if (parts.length > 0) return parts.map(([status, count]) => `${count} ${status}`).join(', ')
  if (edition.status === 'skipped' || edition.status === 'cancelled') return 'nothing was sent'
  if (edition.audienceAt !== null) return 'no deliveries: nobody subscribed when it went out'
  const recipients = await countActive(db, edition.digest)
  return recipients > 0 ? `not sent yet: ${recipients} subscribe now` : 'no deliveries: nobody subscribes'
}

async function dryRun(app: App, digest: Digest, options: Options): Promise<void> {
  const { draft, choices, thin, feeds } = await rehearse(app, digest)
  tellOfFailures(feeds)
  await tellOfWaiting(app, digest)
  const rendered = await renderWhole(app.render, draft)
  const recipients = await countActive(app.db, digest.name)
  const bytesHtml = htmlBytes({ html: rendered.html, slot: draft.slot })
  const warning = sizeWarning(bytesHtml)
  if (warning) tell(`warning: ${warning}`)
  const held = choices.filter((choice) => choice.position !== null)
  const articles = held.filter(({ article }) => !article.letter)
  if (options.json) {
    printJson({
      edition: draft.edition.number,
      subject: rendered.subject,
      articles: articles.length,
      letters: held.length - articles.length,
      recipients,
      bytesHtml,
      thin: thin ?? null,
    })
    return
  }
  print(`${digest.title} ${draft.edition.number}: ${safe(rendered.subject)}`)
  for (const { article, section, position } of held) print(`  ${section} ${position}: ${safe(article.title)}`)
  if (thin) print(safe(thin))
  const letters = held.length > articles.length ? `, ${held.length - articles.length} letters` : ''
  print(
    `${articles.length} articles${letters}, ${bytesHtml} bytes of HTML, ${recipients} subscribers. Nothing was sent, and no edition was made.`,
  )
}
