import type { Digest } from '../editions/digest.ts'
import type { DeliveryCounts } from '../store/deliveries/deliveries.ts'
import type { ChosenCounts } from '../store/editions/choices.ts'
import type { EditionRow, EditionStatus } from '../store/schema.ts'
import { capitalise, formatCount, formatNumber, peopleAre } from '../text/words.ts'
import type { Instant } from '../time/clock.ts'
import { momentText } from '../time/moment.ts'

/** A status for people. `tone` is its colour, which is never the only sign of it. */
export type StatusView = { word: string; mark: string; tone: 'wait' | 'busy' | 'good' | 'stop'; meaning: string }

const statuses: Record<EditionStatus, StatusView> = {
  composed: {
    word: 'Being prepared',
    mark: '○',
    tone: 'wait',
    meaning: 'Its articles are chosen. The email is not made yet.',
  },
  sealed: { word: 'Ready', mark: '◐', tone: 'wait', meaning: 'Waiting for someone to approve it.' },
  approved: { word: 'Approved', mark: '▷', tone: 'busy', meaning: 'Sending starts within a minute.' },
  sending: { word: 'Sending', mark: '▶', tone: 'busy', meaning: 'It is being sent now.' },
  paused: {
    word: 'Paused',
    mark: '❚❚',
    tone: 'stop',
    meaning: 'Sending has stopped. Nothing more is sent until someone resumes it.',
  },
  sent: { word: 'Sent', mark: '✓', tone: 'good', meaning: 'Finished.' },
  skipped: { word: 'Skipped', mark: '–', tone: 'stop', meaning: 'This edition was not made.' },
  held: { word: 'On hold', mark: '❚❚', tone: 'stop', meaning: 'Nothing is sent until someone approves it.' },
  cancelled: { word: 'Cancelled', mark: '✕', tone: 'stop', meaning: 'This edition has ended and will not be sent.' },
}

/** With the delivery counts, a sent or paused edition also says how far it got. */
export function statusView({ status }: Pick<EditionRow, 'status'>, counts?: DeliveryCounts): StatusView {
  const view = statuses[status]
  if (counts && status === 'sent') return { ...view, meaning: sentMeaning(counts) }
  return counts && status === 'paused' ? { ...view, meaning: pausedMeaning(counts) } : view
}

/** "Sent to 4 people." if all were accepted, else "Finished: 118 sent, 2 refused." */
function sentMeaning(counts: DeliveryCounts): string {
  const { total } = deliveryView(counts)
  if (total === 0) return 'Finished: nobody was subscribed.'
  if (counts.accepted === total) return `Sent to ${formatCount(total, 'person', 'people')}.`
  return `Finished: ${deliveryLine(counts)}.`
}

/** "Paused: 21 of 120 sent. 99 people are waiting." Emails being handed over count as waiting. */
function pausedMeaning(counts: DeliveryCounts): string {
  const { total } = deliveryView(counts)
  if (total === 0) return 'Paused before the first email was sent.'
  const waiting = counts.queued + counts.deferred + counts.sending
  return `Paused: ${formatNumber(counts.accepted)} of ${formatNumber(total)} sent. ${capitalise(peopleAre(waiting))} waiting.`
}

/** "Public Sector Weekly 31"; a skipped edition has no number. */
export function editionTitle(edition: Pick<EditionRow, 'digest' | 'number'>, digest: Digest | undefined): string {
  const title = digest?.title ?? edition.digest
  return edition.number === null ? title : `${title} ${edition.number}`
}

export type Moment = { iso: Instant; text: string }

/** Formats instants in a time zone and a language: "Fri, 27 Nov 2026, 07:00 GMT". */
export function momentFormatter(zone = 'UTC', language = 'en-GB'): (instant: Instant) => Moment {
  const format = momentText(zone, language)
  return (iso) => ({ iso, text: format(iso) })
}

/** Formats days in a time zone and a language: "27 November 2026". */
export function dayFormatter(zone = 'UTC', language = 'en-GB'): (instant: Instant) => Moment {
  const format = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'long', year: 'numeric', timeZone: zone })
  return (iso) => ({ iso, text: format.format(new Date(iso)) })
}

/** "Letter from Ada Byron, Leeds"; a withdrawn letter has no writer. */
export function letterByline(name: string, place: string | null): string {
  return `Letter${name ? ` from ${name}` : ''}${place ? `, ${place}` : ''}`
}

/** Formats an instant for a sentence: "at 07:00" if it is today, else "on Fri, 27 Nov 2026, 07:00 GMT". */
export function sinceFormatter(zone: string | undefined, now: Instant): (instant: Instant) => string {
  const [moment, day] = [momentFormatter(zone), dayFormatter(zone)]
  const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: zone ?? 'UTC' })
  return (instant) =>
    day(instant).text === day(now).text ? `at ${time.format(new Date(instant))}` : `on ${moment(instant).text}`
}

/** "5 articles, 1 letter". */
export function articlesAndLetters({ article, letter }: ChosenCounts = { article: 0, letter: 0 }): string {
  return `${formatCount(article, 'article')}${letter > 0 ? `, ${formatCount(letter, 'letter')}` : ''}`
}

const deliveryLabels: [keyof DeliveryCounts, string, string][] = [
  ['accepted', 'sent', 'A mail server accepted it. We don’t know whether it was read.'],
  ['refused', 'refused', 'A mail server refused it. We won’t try again.'],
  ['deferred', 'trying again later', 'A mail server asked us to try again later.'],
  ['unknown', 'unclear', 'The connection was cut off before the answer: it may have arrived.'],
  ['skipped', 'not sent', 'They unsubscribed, their address does not work, or the edition was cancelled.'],
  ['sending', 'sending now', 'Being handed to a mail server.'],
  ['queued', 'waiting', 'Not sent yet.'],
]

/** `line` is "2,003 of 2,003". */
export type DeliveryView = {
  total: number
  done: number
  line: string
  rows: { word: string; meaning: string; count: string }[]
}

/** The delivery counts above zero; no rows before sending starts. */
export function deliveryView(counts: DeliveryCounts): DeliveryView {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const rows = deliveryLabels.flatMap(([status, word, meaning]) => {
    const count = counts[status]
    return count > 0 ? [{ word, meaning, count: formatNumber(count) }] : []
  })
  const done = total - counts.queued - counts.sending - counts.deferred
  return { total, done, line: `${formatNumber(done)} of ${formatNumber(total)}`, rows }
}

/** "180 sent, 3 refused". */
export function deliveryLine(counts: DeliveryCounts): string {
  return deliveryView(counts)
    .rows.map(({ count, word }) => `${count} ${word}`)
    .join(', ')
}
