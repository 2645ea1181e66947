import type { Instant } from '../clock.ts'
import type { Digest } from '../editions/digest.ts'
import { isPaused } from '../editions/review.ts'
import type { DeliveryCounts } from '../store/deliveries.ts'
import type { EditionRow, EditionStatus } from '../store/schema.ts'

/** A state for people: never told by its colour (`tone`) alone. */
export type StatusView = { word: string; mark: string; tone: 'wait' | 'busy' | 'good' | 'stop'; meaning: string }

const statuses: Record<EditionStatus, StatusView> = {
  composed: { word: 'Composed', mark: '○', tone: 'wait', meaning: 'Chosen, and not rendered yet.' },
  sealed: { word: 'Sealed', mark: '◐', tone: 'wait', meaning: 'Ready as it will arrive. It waits for approval.' },
  approved: { word: 'Approved', mark: '▷', tone: 'busy', meaning: 'It goes out as soon as the sender looks.' },
  sending: { word: 'Sending', mark: '▶', tone: 'busy', meaning: 'It is going out now.' },
  sent: { word: 'Sent', mark: '✓', tone: 'good', meaning: 'Every copy has been tried.' },
  skipped: { word: 'Skipped', mark: '–', tone: 'stop', meaning: 'Not made.' },
  held: { word: 'Held', mark: '❚❚', tone: 'stop', meaning: 'Nothing goes out until somebody approves it.' },
  cancelled: { word: 'Cancelled', mark: '✕', tone: 'stop', meaning: 'Ended for good.' },
}

const paused: StatusView = {
  word: 'Paused',
  mark: '❚❚',
  tone: 'stop',
  meaning: 'It stopped in the middle of its sending. The rest waits until somebody resumes it.',
}

export function statusView(edition: Pick<EditionRow, 'status' | 'approvedAt'>): StatusView {
  return isPaused(edition) ? paused : statuses[edition.status]
}

/** "Public Sector Weekly 31"; one that was skipped has no number. */
export function editionTitle(edition: Pick<EditionRow, 'digest' | 'number'>, digest: Digest | undefined): string {
  const title = digest?.title ?? edition.digest
  return edition.number === null ? title : `${title} ${edition.number}`
}

export type Moment = { iso: Instant; text: string }

/** Writes instants as a person of that zone reads them: "Fri, 27 Nov 2026, 07:00 GMT". */
export function momentWriter(zone = 'UTC'): (instant: Instant) => Moment {
  const format = new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZone: zone,
    timeZoneName: 'short',
  })
  return (iso) => ({ iso, text: format.format(new Date(iso)) })
}

/** Writes days as a person of that zone reads them: "27 November 2026". */
export function dayWriter(zone = 'UTC'): (instant: Instant) => Moment {
  const format = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: zone })
  return (iso) => ({ iso, text: format.format(new Date(iso)) })
}

/** "Letter from Ada Byron, Leeds"; the writer of one that was withdrawn is nobody. */
export function letterFrom(name: string, place: string | null): string {
  return `Letter${name ? ` from ${name}` : ''}${place ? `, ${place}` : ''}`
}

/** "1 article", "12 articles", "1,200 copies". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-GB')} ${count === 1 ? one : many}`
}

const deliveryWords: [keyof DeliveryCounts, string, string][] = [
  ['accepted', 'accepted', 'A mail server took it. Whether anybody read it we do not know.'],
  ['refused', 'refused', 'A mail server said no, for good.'],
  ['deferred', 'to be tried again', 'A mail server asked us to come back later.'],
  ['unknown', 'unknown', 'Cut off before the answer: it may have arrived.'],
  ['skipped', 'skipped', 'Left or suppressed before their copy went out, or the edition was cancelled.'],
  ['sending', 'in our hands', 'Being handed over now.'],
  ['queued', 'waiting', 'Not tried yet.'],
]

export type DeliveryView = { total: number; done: number; rows: { word: string; meaning: string; count: string }[] }

/** The counts of an edition that say something; none before sending has begun. */
export function deliveryView(counts: DeliveryCounts): DeliveryView {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const rows = deliveryWords.flatMap(([status, word, meaning]) => {
    const count = counts[status]
    return count > 0 ? [{ word, meaning, count: count.toLocaleString('en-GB') }] : []
  })
  return { total, done: total - counts.queued - counts.sending - counts.deferred, rows }
}

/** "180 accepted, 3 refused". */
export function deliveryLine(counts: DeliveryCounts): string {
  return deliveryView(counts)
    .rows.map(({ count, word }) => `${count} ${word}`)
    .join(', ')
}
