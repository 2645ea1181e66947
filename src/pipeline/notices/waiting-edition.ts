import type { App } from '../../app.ts'
import { obstaclesOf, obstacleText } from '../../editions/approval-rules.ts'
import type { Digest } from '../../editions/digest.ts'
import { editionName } from '../../editions/edition.ts'
import { periodMsAt } from '../../editions/schedule/due-runs.ts'
import { correctionsIn } from '../../store/corrections/corrections.ts'
import { countChosen, unapprovedEditions } from '../../store/editions/editions.ts'
import { addNotification, notificationsOf } from '../../store/notices/notifications.ts'
import type { EditionRow, NotificationRow } from '../../store/schema.ts'
import { countActive } from '../../store/subscribers/subscribers.ts'
import { formatCount } from '../../text/words.ts'
import { day, msBetween } from '../../time/clock.ts'

/** One line for the subject, and the text above the link to the edition. */
export type NoticeText = { subject: string; lines: string[] }

/**
 * Puts down, once for each edition that waits for a person, that the editors are to be told of it, and after a day, or half
 * the time to the next edition if that is shorter, that they are to be reminded. `callEditors` sends what is put down.
 */
export async function addWaitingNotices({ db, clock, digests }: App): Promise<void> {
  const now = clock.now()
  for (const edition of await unapprovedEditions(db)) {
    const digest = digests.find(({ name }) => name === edition.digest)
    if (!digest || !needsApproval(edition, digest)) continue
    const calls = await notificationsOf(db, edition.id)
    const first = calls.find(({ kind }) => kind === 'waits')
    if (!first) await addNotification(db, edition.id, { kind: 'waits', what: edition.reason ?? '' }, now)
    const isReminderDue = first?.toldAt && msBetween(first.toldAt, now) >= reminderDelayMs(digest, edition)
    if (isReminderDue && !calls.some(({ kind }) => kind === 'reminder'))
      await addNotification(db, edition.id, { kind: 'reminder', what: edition.reason ?? '' }, now)
  }
}

/** Whether a notice that was put down still has a point: nobody has decided about the edition since. */
export function isStillNeeded({ kind }: NotificationRow, { status }: EditionRow): boolean {
  if (kind !== 'waits' && kind !== 'reminder') return true
  return status === 'sealed' || status === 'held'
}

function needsApproval({ status }: EditionRow, { approval }: Digest): boolean {
  return status === 'held' || (status === 'sealed' && approval === 'required')
}

/** In milliseconds after the first notice. */
function reminderDelayMs(digest: Digest, { dueAt }: EditionRow): number {
  return Math.min(day, periodMsAt(digest, dueAt) / 2)
}

/** The first notice of an edition that waits, and the reminder. */
export async function waitingNotice(app: App, edition: EditionRow, { kind }: NotificationRow): Promise<NoticeText> {
  const { db } = app
  const name = editionName(edition)
  const people = await countActive(db, edition.digest)
  const { article = 0, letter = 0 } = (await countChosen(db, [edition.id])).get(edition.id) ?? {}
  const corrections = (await correctionsIn(db, edition.id)).length
  const others = (await unapprovedEditions(db, edition.digest)).filter(({ id, heldBy }) => id !== edition.id && heldBy)
  const contents = [
    formatCount(article, 'article'),
    ...countedIfAny(letter, 'letter'),
    ...countedIfAny(corrections, 'correction'),
  ].join(', ')
  const lines = [
    kind === 'reminder'
      ? `${name} still waits: nobody has approved it yet.`
      : `${name} is ready, and waits for one of you.`,
    '',
    `Subject:  ${edition.subject}`,
    `Would go to ${formatCount(people, 'person', 'people')}`,
    `Includes ${contents}`,
    ...(edition.reason === null ? [] : [`On hold${edition.heldBy ? ` by ${edition.heldBy}` : ''}: ${edition.reason}`]),
    ...(await obstaclesOf(app, edition)).map((one) => `Note: ${obstacleText(one)}`),
    ...others.map((other) => `${editionName(other)} is held by ${other.heldBy}, and waits as well.`),
    '',
    `It is not sent until somebody approves it. ${edition.heldBy ? heldSentence : replacementSentence}`,
    'Look at it here:',
  ]
  return { subject: kind === 'reminder' ? `reminder: ${name} waits for approval` : `${name} waits for approval`, lines }
}

/** An edition that nobody approved has ended, and a newer one has taken its place. */
export function replacedNotice(edition: EditionRow, { what }: NotificationRow): NoticeText {
  const name = editionName(edition)
  const lines = [
    `Nobody approved ${name} (“${edition.subject}”) before the next edition was due. It was not sent: it was ${what}.`,
    'What it held could be chosen for the newer edition, which has a notice of its own if it waits for you.',
    '',
    'The old edition:',
  ]
  return { subject: `${name} was ${what}`, lines }
}

const replacementSentence = 'If nobody does, the next edition takes its place, and its articles.'
/** A newer edition replaces what nobody has decided about; what a person holds back is a decision. */
const heldSentence =
  'If nobody does, it stays on hold: the next edition is made beside it, and does not take its place.'

function countedIfAny(count: number, one: string): string[] {
  return count > 0 ? [formatCount(count, one)] : []
}
