import type { App } from '../app.ts'
import { translate } from '../describe/translate.ts'
import { type Digest, languageOf } from '../editions/digest.ts'
import { confirmationToken } from '../mail/keys.ts'
import { confirmationLink } from '../mail/links.ts'
import { transaction } from '../store/drivers/transaction.ts'
import type { ConfirmationRow, SubscriberRow } from '../store/schema.ts'
import { beginConfirmation, confirmationById, removeConfirmation } from '../store/subscribers/confirmations.ts'
import { subscriberById } from '../store/subscribers/subscribers.ts'
import { confirmationIntervalMs } from '../subscribers/resubscribe.ts'
import { addMs, minute } from '../time/clock.ts'
import { momentText } from '../time/moment.ts'
import type { WriteMail, WrittenMail } from './written-mail.ts'

/** Delay of an email while the job file of its digest is missing. */
const digestAwayMs = 5 * minute

/**
 * Writes the email with the link that subscribes a person again after an unsubscribe. Suppressed people get none, and one
 * person gets at most one per `confirmationIntervalMs`.
 */
export const writeConfirmation: WriteMail<'confirmation'> = async (app, [facts]) => {
  const { db, clock, digests } = app
  const now = clock.now()
  return await transaction(db, async (trx) => {
    const confirmation = facts && (await confirmationById(trx, facts.confirmation))
    const person = confirmation && (await subscriberById(trx, confirmation.subscriberId))
    if (!person || confirmation.usedAt !== null) return undefined
    if (person.suppressedAt !== null) {
      await removeConfirmation(trx, confirmation.id)
      return undefined
    }
    const digest = digests.find(({ name }) => name === confirmation.digest)
    if (!digest) return { notBefore: addMs(now, digestAwayMs) }
    const begun = await beginConfirmation(trx, confirmation, { now, interval: confirmationIntervalMs })
    return begun === 'begun' ? confirmationMail(app, { confirmation, person, digest }) : begun
  })
}

type Contents = { confirmation: ConfirmationRow; person: SubscriberRow; digest: Digest }

function confirmationMail({ config, secret }: App, { confirmation, person, digest }: Contents): WrittenMail {
  const { name, contact, address } = config.publication
  const language = languageOf(digest, config.publication)
  const values = { digest: digest.title, moment: momentText(digest.zone, language)(confirmation.expiresAt) }
  const translateKey = (key: string) => translate(language, `page.${key}`, values)
  const lines = [
    translateKey('confirm-mail'),
    '',
    confirmationLink(config.web.url, confirmationToken(secret, confirmation.id)),
    '',
    translateKey('confirm-mail-until'),
    '',
    name,
    address.trim(),
  ]
  return {
    name: digest.from.name,
    from: digest.from.address,
    replyTo: digest.replyTo ?? contact,
    to: person.email,
    subject: translateKey('confirm'),
    text: `${lines.join('\n')}\n`,
  }
}
