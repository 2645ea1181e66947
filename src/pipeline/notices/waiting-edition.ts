import type { App } from '../../app.ts'
import { describeReason, describeSentence } from '../../describe/describe.ts'
import type { Digest } from '../../editions/digest.ts'
import { editionName } from '../../editions/edition.ts'
import { obstaclesOf } from '../../editions/review/approval-rules.ts'
import { periodMsAt } from '../../editions/schedule/due-runs.ts'
import { correctionsIn } from '../../store/corrections/corrections.ts'
import { countChosen } from '../../store/editions/choices.ts'
import { editionById, unapprovedEditions } from '../../store/editions/editions.ts'
import { newestApproval } from '../../store/events/events.ts'
import { addMails, mailKey, mailsByKey } from '../../store/outbox/outbox.ts'
import type { EditionRow } from '../../store/schema.ts'
import { countActive } from '../../store/subscribers/subscribers.ts'
import { formatCount } from '../../text/words.ts'
import { day, msBetween } from '../../time/clock.ts'
import type { WriteMail, WrittenMail } from '../written-mail.ts'
import { editionMail } from './editors-mail.ts'

/**
 * Adds one notice and one reminder for each edition that waits for an editor, and again after a withdrawn approval. The
 * reminder follows after a day, or after half the time to the next edition if that is shorter.
 */
export async function addWaitingNotices({ db, clock, digests }: App): Promise<void> {
  const now = clock.now()
  for (const edition of await unapprovedEditions(db)) {
    const digest = digests.find(({ name }) => name === edition.digest)
    if (!digest || !needsApproval(edition, digest)) continue
    const withdrawn = await newestApproval(db, edition.id)
    const about = [edition.id, ...(withdrawn ? [withdrawn.id] : [])]
    const facts = { edition: edition.id }
    const key = mailKey('edition-waiting', about)
    const first = (await mailsByKey(db, [key])).get(key)
    if (!first) await addMails(db, [{ kind: 'edition-waiting', about, facts }], now)
    const toldAt = first?.sentAt ?? first?.failedAt
    if (toldAt && msBetween(toldAt, now) >= reminderDelayMs(digest, edition))
      await addMails(db, [{ kind: 'edition-reminder', about, facts }], now)
  }
}

function needsApproval({ status }: EditionRow, { approval }: Digest): boolean {
  return status === 'held' || (status === 'sealed' && approval === 'required')
}

/** Milliseconds from the first notice to the reminder. */
function reminderDelayMs(digest: Digest, { dueAt }: EditionRow): number {
  return Math.min(day, periodMsAt(digest, dueAt) / 2)
}

export const writeWaitingNotice: WriteMail<'edition-waiting'> = async (app, [facts]) => {
  const edition = facts && (await undecidedEdition(app, facts.edition))
  if (!edition) return undefined
  const name = editionName(edition)
  if (!(await newestApproval(app.db, edition.id))) {
    const opening = `${name} is ready and waits for your approval.`
    return await waitingMail(app, edition, { subject: `${name} waits for approval`, opening })
  }
  const cause = edition.heldBy === null ? 'has changed since it was approved' : 'was approved and is now on hold'
  const opening = `${name} ${cause}. It waits for your approval again.`
  return await waitingMail(app, edition, { subject: `${name} waits for approval again`, opening })
}

export const writeReminder: WriteMail<'edition-reminder'> = async (app, [facts]) => {
  const edition = facts && (await undecidedEdition(app, facts.edition))
  if (!edition) return undefined
  const name = editionName(edition)
  const opening = `${name} is still waiting for approval.`
  return await waitingMail(app, edition, { subject: `reminder: ${name} waits for approval`, opening })
}

/** The edition, or undefined once it is neither sealed nor held. */
async function undecidedEdition({ db }: App, id: string): Promise<EditionRow | undefined> {
  const edition = await editionById(db, id)
  return edition?.status === 'sealed' || edition?.status === 'held' ? edition : undefined
}

async function waitingMail(
  app: App,
  edition: EditionRow,
  { subject, opening }: { subject: string; opening: string },
): Promise<WrittenMail> {
  const { db, config } = app
  const people = await countActive(db, edition.digest)
  const others = (await unapprovedEditions(db, edition.digest)).filter(({ id, heldBy }) => id !== edition.id && heldBy)
  const lines = [
    opening,
    '',
    `Subject:  ${edition.subject}`,
    `Would go to ${formatCount(people, 'person', 'people')}`,
    `Includes ${await contentsText(app, edition)}`,
    ...(edition.reason === null
      ? []
      : [`On hold${edition.heldBy ? ` by ${edition.heldBy}` : ''}: ${describeReason(edition.reason)}`]),
    ...(await obstaclesOf(app, edition)).map((one) => `Note: ${describeSentence(one)}`),
    ...others.map((other) => `${editionName(other)} is on hold by ${other.heldBy}, and waits too.`),
    '',
    `It is sent when one of you approves it. ${edition.heldBy ? heldSentence : replacementSentence}`,
    'Look at it here:',
  ]
  return editionMail(config, edition, { subject, lines })
}

async function contentsText({ db }: App, { id }: EditionRow): Promise<string> {
  const { article = 0, letter = 0 } = (await countChosen(db, [id])).get(id) ?? {}
  const corrections = (await correctionsIn(db, id)).length
  return [
    formatCount(article, 'article'),
    ...countedIfAny(letter, 'letter'),
    ...countedIfAny(corrections, 'correction'),
  ].join(', ')
}

/** Tells the editors that the next edition replaced one that was not approved in time. */
export const writeReplacedNotice: WriteMail<'edition-replaced'> = async ({ db, config }, [facts]) => {
  const edition = facts && (await editionById(db, facts.edition))
  if (!edition) return undefined
  const name = editionName(edition)
  const lines = [
    `Nobody approved ${name} (“${edition.subject}”) before the next edition was due, so it was not sent.`,
    `Edition ${facts.by} replaced it, and could use its articles. You get another email if edition ${facts.by} needs`,
    'your approval.',
    '',
    'The old edition:',
  ]
  return editionMail(config, edition, { subject: `${name} was replaced by edition ${facts.by}`, lines })
}

const replacementSentence = 'If nobody does, the next edition takes its place and its articles.'
/** A newer edition replaces an undecided one; a hold by an editor is a decision. */
const heldSentence =
  'If nobody does, it stays on hold: the next edition is made beside it, and does not take its place.'

function countedIfAny(count: number, one: string): string[] {
  return count > 0 ? [formatCount(count, one)] : []
}
