import type { DeliveryCounts } from '../../store/deliveries/deliveries.ts'
import { durationText } from '../../time/clock.ts'

export type Progress = { update(counts: DeliveryCounts): void; end(): void }

const redrawIntervalMs = 100
const logIntervalMs = 5000

/** Shows the progress of sending: a bar with rate and time left on a terminal, else a line every five seconds. */
export function showProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const startedAt = performance.now()
  let shownAt = 0
  let lastShown = ''
  let latest: DeliveryCounts | undefined
  let doneBefore: number | undefined
  const show = () => {
    if (!latest) return
    shownAt = performance.now()
    lastShown = JSON.stringify(latest)
    const line = progressLine(
      latest,
      doneBefore ?? 0,
      shownAt - startedAt,
      stream.isTTY ? stream.columns || 80 : undefined,
    )
    if (stream.isTTY) stream.write(`\r\u001b[2K${line}`)
    else stream.write(`${line}\n`)
  }
  return {
    update(counts) {
      latest = counts
      doneBefore ??= countDone(counts)
      if (performance.now() - shownAt >= (stream.isTTY ? redrawIntervalMs : logIntervalMs)) show()
    },
    end() {
      if (JSON.stringify(latest) !== lastShown) show() // unless it is already shown
      if (latest && stream.isTTY) stream.write('\n')
    },
  }
}

function countDone(counts: DeliveryCounts): number {
  return counts.accepted + counts.refused + counts.deferred + counts.unknown + counts.skipped
}

/** `columns` is the width of the terminal; undefined means no bar. */
export function progressLine(
  counts: DeliveryCounts,
  doneBefore: number,
  elapsedMs: number,
  columns: number | undefined,
): string {
  const done = countDone(counts)
  const total = done + counts.queued + counts.sending
  const rate = elapsedMs > 0 ? ((done - doneBefore) * 1000) / elapsedMs : 0
  const left = rate > 0 && done < total ? `, ${durationText(((total - done) / rate) * 1000)} left` : ''
  const faults = (['refused', 'deferred', 'unknown', 'skipped'] as const).flatMap((kind) =>
    counts[kind] ? [`${counts[kind]} ${kind}`] : [],
  )
  const text = [`${done} of ${total}`, `${Math.round(rate)}/s${left}`, ...faults].join(' · ')
  if (columns === undefined) return `sending: ${text}`
  const width = Math.min(40, columns - text.length - 5)
  if (width < 1) return text.slice(0, columns - 1) // a wrapped line could not be redrawn
  const filled = total > 0 ? Math.min(width, Math.round((done / total) * width)) : width
  return `[${'█'.repeat(filled)}${'░'.repeat(width - filled)}] ${text}`
}
