import type { App } from '../../app.ts'
import { type DeliverOptions, type DeliverReport, deliver } from '../../deliveries/deliver.ts'
import { untilStored } from '../../deliveries/until-stored.ts'
import { editionTask } from '../../queue/enqueue.ts'
import { verifyCounts } from '../../store/deliveries/counts.ts'
import { removeTask } from '../../store/system/tasks.ts'
import { recordQuiet } from './quiet.ts'
import type { Sender } from './sender.ts'
import { sendingNeeds } from './sending-needs.ts'
import { withSync } from './sync.ts'

/**
 * Sends the due deliveries of the approved edition: the sealed bytes, with personal keys in each message. AppError
 * `conflict` if settings must be changed first.
 */
export async function sendEdition(
  app: App,
  sender: Sender,
  editionId: string,
  options: DeliverOptions,
): Promise<DeliverReport> {
  const needs = await sendingNeeds(app, sender, editionId)
  const report = await withSync(app, () =>
    untilStored({ ...needs, signal: options.signal }, () => deliver(needs, editionId, options)),
  )
  if (report.finished) {
    await removeTask(app.db, editionTask('start-edition', editionId)) // the approval queued it for `lastword start`
    await checkCounts(app, editionId)
  }
  recordQuiet(sender, editionId, report.wait, app.clock.now())
  return report
}

/** Recounts the deliveries of a finished edition and corrects wrong counters. */
export async function checkCounts({ db, store, log }: App, editionId: string): Promise<void> {
  const wrong = await verifyCounts(db, store.engine, editionId).catch((err: unknown) => {
    log.warn({ event: 'edition.counts_unchecked', edition: editionId, err }, 'delivery counters could not be checked')
  })
  if (wrong)
    log.warn(
      { event: 'edition.counts_corrected', edition: editionId, wrong },
      'delivery counters were wrong; recounted',
    )
}
