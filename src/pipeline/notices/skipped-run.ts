import type { App } from '../../app.ts'
import { describeSentence } from '../../describe/describe.ts'
import { editionById, skippedEditions } from '../../store/editions/editions.ts'
import { addMails } from '../../store/outbox/outbox.ts'
import { addMs, day } from '../../time/clock.ts'
import { momentText } from '../../time/moment.ts'
import type { WriteMail } from '../written-mail.ts'
import { editionMail } from './editors-mail.ts'

const noticePeriodMs = 7 * day

/** Adds a notice for each skipped run of the last week, if its digest has these notices enabled. */
export async function addSkippedRunNotices({ db, clock, digests }: App): Promise<void> {
  const now = clock.now()
  const names = digests.filter(({ thin }) => thin.notify).map(({ name }) => name)
  const skipped = await skippedEditions(db, names, addMs(now, -noticePeriodMs))
  const mails = skipped.map(({ id }) => ({ kind: 'run-skipped' as const, about: [id], facts: { edition: id } }))
  await addMails(db, mails, now)
}

export const writeSkippedRunNotice: WriteMail<'run-skipped'> = async ({ db, config, digests }, [facts]) => {
  const edition = facts && (await editionById(db, facts.edition))
  const digest = digests.find(({ name }) => name === edition?.digest)
  if (!edition || !digest?.thin.notify || edition.status !== 'skipped') return undefined
  const due = momentText(digest.zone)(edition.dueAt)
  const lines = [
    `${digest.title} was due on ${due} and was not made.`,
    '',
    edition.reason ? describeSentence(edition.reason) : 'No reason was recorded.',
    '',
    'The next edition can use its articles. The skipped edition:',
  ]
  return editionMail(config, edition, { subject: `${digest.title} of ${due} was skipped`, lines }, 'skipped')
}
