import type { App } from '../app.ts'
import type { PlainMail } from '../mail/plain-mail.ts'
import type { Answer } from '../store/events/reason.ts'
import type { MailFacts, MailKind } from '../store/outbox/outbox.ts'
import type { Db } from '../store/schema.ts'
import type { Instant } from '../time/clock.ts'

/** An outbox email, ready to send. */
export type WrittenMail = Omit<PlainMail, 'id' | 'returnPath' | 'date'> & {
  /** Adds the outcome to the history, in the transaction that records the attempt. */
  record?(db: Db, outcome: MailOutcome, now: Instant): Promise<unknown>
}

/**
 * Writes one email from the facts of all the given rows. Undefined means that the email is obsolete and its rows are
 * deleted; `notBefore` postpones it until that time.
 */
export type WriteMail<Kind extends MailKind> = (
  app: App,
  facts: MailFacts[Kind][],
) => Promise<WrittenMail | { notBefore: Instant } | undefined>

/** The final outcome. `unknown`: the email may not have arrived. */
export type MailOutcome = { result: 'sent' | 'refused' | 'unknown'; reply: Answer }
