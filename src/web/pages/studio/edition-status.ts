import type { App } from '../../../app.ts'
import { sendingObstacles } from '../../../pipeline/sending/sending-needs.ts'
import type { DeliveryCounts } from '../../../store/deliveries/deliveries.ts'
import type { EditionRow } from '../../../store/schema.ts'
import { type StatusView, statusView } from '../../format.ts'

/** `obstacle` says what must be changed before the edition can be sent; empty if nothing. */
export type StatusNow = StatusView & { obstacle: string }

/** The status of an edition, with the settings that prevent sending, if any. */
export async function statusNow(app: App, edition: EditionRow, counts?: DeliveryCounts): Promise<StatusNow> {
  const obstacles = await settingObstacles(app, edition)
  const obstacle = obstacles.length > 0 ? `Cannot be sent yet: ${obstacles.join(' ')}` : ''
  return { ...withObstacle(edition, statusView(edition, counts), obstacle), obstacle }
}

/** One sentence for each setting that must be changed before the edition can be sent. */
async function settingObstacles(app: App, edition: EditionRow): Promise<string[]> {
  if (!['sealed', 'held', 'approved', 'paused'].includes(edition.status)) return []
  return await sendingObstacles(app, edition)
}

/** Replaces "Ready" and "Sending starts within a minute", which would be untrue; adds the obstacle to other statuses. */
function withObstacle(edition: EditionRow, view: StatusView, obstacle: string): StatusView {
  if (obstacle === '') return view
  if (edition.status === 'held' || edition.status === 'paused')
    return { ...view, meaning: `${view.meaning} ${obstacle}` }
  if (edition.status === 'sealed') return { ...view, word: 'Not ready', tone: 'stop', meaning: obstacle }
  return { ...view, meaning: obstacle }
}
