import { describeReason } from '../../../describe/describe.ts'
import { failedMails } from '../../../store/outbox/outbox.ts'
import type { OutboxRow } from '../../../store/schema.ts'
import { addMs, day } from '../../../time/clock.ts'
import { momentText } from '../../../time/moment.ts'
import type { Web } from '../../response.ts'

const shownForMs = 14 * day
const maxShown = 5

/** What happened to each email that failed or may not have arrived in the last two weeks, newest first. */
export async function failedEmails({ app }: Web): Promise<string[]> {
  const now = app.clock.now()
  const moment = momentText(app.digests[0]?.zone)
  const failed = await failedMails(app.db, addMs(now, -shownForMs), now, maxShown)
  return failed.map(({ recipient, subject, reply, reason: why, sentAt, failedAt, expiresAt }: OutboxRow) => {
    const email = subject === null ? 'An email' : `The email “${subject}” to ${recipient}`
    if (sentAt !== null) {
      const answer = why ? describeReason(why) : reply
      return `${email} may not have arrived (${moment(sentAt)}): no mail server confirmed that it took it (${answer}).`
    }
    const answer = reply === null ? 'It expired before we tried to send it.' : `The mail server answered: ${reply}`
    const reason = why ? `The mail server did not take it: ${describeReason(why)}.` : answer
    return `${email} could not be sent (${moment(failedAt ?? expiresAt)}). ${reason}`
  })
}
