import { describeReason } from '../../describe/describe.ts'
import { editionName } from '../../editions/edition.ts'
import { editionById } from '../../store/editions/editions.ts'
import type { Reason } from '../../store/events/reason.ts'
import { capitalise } from '../../text/words.ts'
import { momentText } from '../../time/moment.ts'
import type { WriteMail } from '../written-mail.ts'
import { editionMail } from './editors-mail.ts'

/** Tells the editors that a rule paused the sending of an edition. */
export const writePausedNotice: WriteMail<'edition-paused'> = async ({ db, config, digests }, [facts]) => {
  const edition = facts && (await editionById(db, facts.edition))
  if (!edition) return undefined
  const name = editionName(edition)
  const zone = digests.find((one) => one.name === edition.digest)?.zone
  const lines = [
    `Lastword paused ${name} while it was being sent, on ${momentText(zone)(facts.at)}.`,
    '',
    `Reason: ${reasonText(facts)}.`,
    '',
    'No subscriber was lost: everyone who has not got it yet is still in the queue. Find out why the mail servers',
    'refuse our messages. Then resume or cancel the edition:',
  ]
  return editionMail(config, edition, { subject: `${name} is paused`, lines })
}

/** Tells the editors that one relay fails while the others continue to send the edition. */
export const writeRelayNotice: WriteMail<'relay-failing'> = async ({ db, config, digests }, [facts]) => {
  const edition = facts && (await editionById(db, facts.edition))
  if (!edition) return undefined
  const zone = digests.find((one) => one.name === edition.digest)?.zone
  const lines = [
    `While ${editionName(edition)} was being sent, on ${momentText(zone)(facts.at)}, the mail server ${facts.relay} did not work:`,
    '',
    `${capitalise(reasonText(facts))}.`,
    '',
    'The other mail servers send its messages. No subscriber was lost, and no address was blocked because of it.',
    'Lastword tries that mail server again from time to time. To see what it answers, run: lastword relay test',
    '',
    'The edition:',
  ]
  return editionMail(config, edition, { subject: 'a mail server takes no messages', lines })
}

function reasonText({ reason }: { reason: Reason | string }): string {
  return typeof reason === 'string' ? reason : describeReason(reason)
}
