import { durationText } from '../clock.ts'
import type { DeliveryCounts } from '../store/deliveries.ts'

export type Progress = { update(counts: DeliveryCounts): void; end(): void }

const redrawAfter = 100
const logAfter = 5000

/** Shows how sending goes: a bar with rate and time left on a terminal, a line every five seconds elsewhere. */
export function showProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const began = performance.now()
  let shownAt = 0
  let shown = ''
  let latest: DeliveryCounts | undefined
  let doneBefore: number | undefined
  const show = () => {
    if (!latest) return
    shownAt = performance.now()
    shown = JSON.stringify(latest)
    const line = lineOf(latest, doneBefore ?? 0, shownAt - began, stream.isTTY ? stream.columns || 80 : undefined)
    if (stream.isTTY) stream.write(`\r\u001b[2K${line}`)
    else stream.write(`${line}\n`)
  }
  return {
    update(counts) {
      latest = counts
      doneBefore ??= doneOf(counts)
      if (performance.now() - shownAt >= (stream.isTTY ? redrawAfter : logAfter)) show()
    },
    end() {
      if (JSON.stringify(latest) !== shown) show() // what stands there already is not said again
      if (latest && stream.isTTY) stream.write('\n')
    },
  }
}

function doneOf(counts: DeliveryCounts): number {
  return counts.accepted + counts.refused + counts.deferred + counts.unknown + counts.skipped
}

/** `columns` is the width of the terminal; without one there is no bar. */
export function lineOf(
  counts: DeliveryCounts,
  doneBefore: number,
  elapsed: number,
  columns: number | undefined,
): string {
  const done = doneOf(counts)
  const total = done + counts.queued + counts.sending
  const rate = elapsed > 0 ? ((done - doneBefore) * 1000) / elapsed : 0
  const left = rate > 0 && done < total ? `, ${durationText(((total - done) / rate) * 1000)} left` : ''
  const faults = (['refused', 'deferred', 'unknown', 'skipped'] as const).flatMap((kind) =>
    counts[kind] ? [`${counts[kind]} ${kind}`] : [],
  )
  const text = [`${done} of ${total}`, `${Math.round(rate)}/s${left}`, ...faults].join(' · ')
  if (columns === undefined) return `sending: ${text}`
  const width = Math.min(40, columns - text.length - 5)
  if (width < 1) return text.slice(0, columns - 1) // a line that wraps could not be drawn over
  const filled = total > 0 ? Math.min(width, Math.round((done / total) * width)) : width
  return `[${'█'.repeat(filled)}${'░'.repeat(width - filled)}] ${text}`
}
