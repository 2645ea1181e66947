import type { App } from '../../app.ts'
import type { DeliverReport } from '../../deliveries/deliver.ts'
import { rulesOf } from '../../deliveries/limits/rules.ts'
import { whyWaiting } from '../../deliveries/limits/why-waiting.ts'
import { isServing } from '../../deliveries/worker.ts'
import { describeReason } from '../../describe/describe.ts'
import type { Digest } from '../../editions/digest.ts'
import { editionName } from '../../editions/edition.ts'
import { AppError } from '../../errors.ts'
import { sendEdition } from '../../pipeline/sending/send.ts'
import { openSender } from '../../pipeline/sending/sender.ts'
import { countDeliveries, type DeliveryCounts } from '../../store/deliveries/deliveries.ts'
import { currentSendingStop } from '../../store/deliveries/sending-stop.ts'
import { editionById } from '../../store/editions/editions.ts'
import type { Db, EditionRow } from '../../store/schema.ts'
import { countActive } from '../../store/subscribers/subscribers.ts'
import { peopleAre } from '../../text/words.ts'
import { minute, second } from '../../time/clock.ts'
import { print, printJson, printStderr, sanitizeLine } from '../terminal/output.ts'
import { showProgress } from '../terminal/progress.ts'
import { exitCodeOf, stopSignal } from '../with-app.ts'
import { nextStep } from './next-step.ts'

/** A foreground process has no other edition to send, so it waits longer for slow mail providers. */
const foregroundWaitMs = 15 * minute

/** Sends an edition with progress, and prints the result and what remains to do. AppError `unavailable` if sending stopped. */
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
    const report = await sendEdition(app, sender, id, {
      unknown: digest.unknown,
      signal,
      maxSlowWaitMs: foregroundWaitMs,
    })
    await progress.end()
    await printResult(app, id, options)
    if (report.counts.accepted > 0 && !(await isServing(app))) printStderr(leaveLinksWarning)
    if (report.stopped) {
      process.exitCode = exitCodeOf(signal)
      throw new AppError(
        'unavailable',
        `sending stopped: ${describeReason(report.stopped)}; ${report.counts.queued} deliveries stay queued`,
        { hint: await resumeHint(app, digest, id) },
      )
    }
    await printRemaining(app, id, digest, report)
  } finally {
    await progress.end()
    await sender.close()
  }
}

async function printRemaining(
  app: App,
  id: string,
  { name }: Digest,
  { counts: { deferred, unknown }, finished }: DeliverReport,
): Promise<void> {
  const edition = await editionById(app.db, id)
  const waits = edition ? await whyWaiting(app, edition, rulesOf(app, name)) : []
  for (const reason of waits) printStderr(`waits: ${sanitizeLine(describeReason(reason))}`)
  if (waits.length > 0) printStderr(`lastword start continues by itself; so does lastword run ${name}, later`)
  if (!finished && deferred + unknown > 0)
    printStderr(`${deferred} deferred, ${unknown} unknown: lastword start retries them when they are due`)
}

const progressIntervalMs = second

/** Shows the progress of an edition, sent by any processes, until `end`. */
async function watchProgress({ db }: App, id: string): Promise<{ end(): Promise<void> }> {
  const progress = showProgress()
  const update = async () => {
    const counts = await countDeliveries(db, id)
    if (Object.values(counts).some((count) => count > 0)) progress.update(counts)
  }
  await update()
  const timer = setInterval(() => void update().catch(() => {}), progressIntervalMs)
  let hasEnded = false
  return {
    async end() {
      if (hasEnded) return
      hasEnded = true
      clearInterval(timer)
      await update().catch(() => {}) // an unreachable store has been reported
      progress.end()
    },
  }
}

const leaveLinksWarning =
  'The unsubscribe links in these emails work only while lastword start is running. It is not: start it, and keep it running.'

/** What to do after sending stopped. */
export async function resumeHint({ db }: Pick<App, 'db'>, digest: Digest, id: string): Promise<string> {
  const continueText = `lastword run ${digest.name} continues, and so does lastword start.`
  const edition = await editionById(db, id)
  if (edition?.status === 'cancelled') return 'The edition was cancelled: nothing is left to send.'
  if (edition?.status === 'held' || edition?.status === 'paused')
    return `Nothing is lost. ${await nextStep({ db }, edition)} After that, ${continueText}`
  if (await currentSendingStop(db)) return `Nothing is lost: after lastword sending resume, ${continueText}`
  return `Nothing is lost: ${continueText}`
}

async function printResult({ db }: App, id: string, options: { json?: boolean }): Promise<void> {
  const edition = await editionById(db, id)
  if (!edition) return
  const counts = await countDeliveries(db, id)
  if (options.json) printJson({ edition: edition.number, id, status: edition.status, ...counts })
  else print(`${editionName(edition)} is ${edition.status}: ${await deliveryCountsText(db, edition, counts)}`)
}

/** The number of deliveries in each status; if there are none, why. */
export async function deliveryCountsText(db: Db, edition: EditionRow, counts: DeliveryCounts): Promise<string> {
  const parts = Object.entries(counts).filter(([, count]) => count > 0)
  if (parts.length > 0) return parts.map(([status, count]) => `${count} ${status}`).join(', ')
  if (edition.status === 'skipped' || edition.status === 'cancelled') return `${edition.status}: nothing was sent`
  if (edition.audienceAt !== null) return 'no deliveries: nobody was subscribed when it was sent'
  const recipients = await countActive(db, edition.digest)
  return `not sent yet: ${peopleAre(recipients)} subscribed`
}
