import type { App } from '../app.ts'
import type { PlainMail } from '../mail/plain-mail.ts'
import type { MailFacts, MailKind } from '../store/outbox/outbox.ts'
import type { Db } from '../store/schema.ts'
import type { Instant } from '../time/clock.ts'

/** An email of the outbox as it is sent now. */
export type WrittenMail = Omit<PlainMail, 'id' | 'returnPath' | 'date'> & {
  /** Adds to the history whether it went out, in the transaction that records it. */
  record?(db: Db, outcome: MailOutcome, now: Instant): Promise<unknown>
}

/**
 * Writes one email of what all the given rows tell. Undefined: nobody needs it any more, and the rows are deleted;
 * `notBefore`: it may be sent from then on.
 */
export type WriteMail<Kind extends MailKind> = (
  app: App,
  facts: MailFacts[Kind][],
) => Promise<WrittenMail | { notBefore: Instant } | undefined>

/** The email went out, or it never will: `refusal` is what the relay answered. */
export type MailOutcome = { refusal: string | undefined }
