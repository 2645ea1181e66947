import type { App } from '../app.ts'
import { envelopeSender } from '../config/config.ts'
import type { Digest } from '../editions/digest.ts'
import { signMessage } from '../mail/dkim.ts'
import { confirmationToken } from '../mail/keys.ts'
import { confirmationLink } from '../mail/links.ts'
import { plainMail } from '../mail/plain-mail.ts'
import type { SendResult } from '../mail/smtp/result.ts'
import { brakeNow } from '../store/deliveries/brake.ts'
import { transaction } from '../store/drivers/transaction.ts'
import type { ConfirmationRow, SubscriberRow } from '../store/schema.ts'
import {
  claimConfirmation,
  recordConfirmationSent,
  removeConfirmation,
  retryConfirmation,
  waitingConfirmations,
} from '../store/subscribers/confirmations.ts'
import { subscriberById } from '../store/subscribers/subscribers.ts'
import { confirmationIntervalMs } from '../subscribers/resubscribe.ts'
import { addMs, minute } from '../time/clock.ts'
import type { Sender } from './sender.ts'

/** An email that no relay took is tried again after so long, in milliseconds, until its link expires. */
const retryAfterMs = 5 * minute
const batchSize = 100

/**
 * Sends the emails whose link subscribes somebody again who left. A relay that is down delays them, and so does a stop of all sending.
 * Returns how many were sent.
 */
export async function sendConfirmations(app: App, sender: Pick<Sender, 'relays' | 'signers'>): Promise<number> {
  const { db, clock, log } = app
  if (await brakeNow(db)) return 0
  let sent = 0
  for (const id of await waitingConfirmations(db, clock.now(), batchSize)) {
    const claimed = await claim(app, id)
    if (!claimed) continue
    const { envelope, raw } = confirmationMail(app, claimed)
    const message = { envelope, raw: await signMessage(raw, sender.signers, clock.now()) }
    const { kind, reply } = await sender.relays.send(message)
    if (kind === 'accepted' || kind === 'unknown') sent += 1
    else {
      const reason = kind === 'unsent' ? reply : reply.slice(0, loggedReplyLength)
      log.warn({ event: 'confirmation.not_accepted', confirmation: id, result: kind, reason }, notAcceptedMessage)
    }
    if (isFinal(kind)) await recordConfirmationSent(db, id, clock.now())
    else await retryConfirmation(db, id, addMs(clock.now(), retryAfterMs))
    if (kind === 'unsent') break // no relay can be reached: the others would not get through either
  }
  return sent
}

/** Of a server's answer the codes alone are logged, `550 5.1.1`: the rest of it often names the address. */
const loggedReplyLength = 9
const notAcceptedMessage = 'a confirmation email was not accepted'

/** The email is out, may be out, or can never go to that address. */
function isFinal(kind: SendResult['kind']): boolean {
  return kind === 'accepted' || kind === 'unknown' || kind === 'refused' || kind === 'unfit'
}

type ClaimedConfirmation = { confirmation: ConfirmationRow; person: SubscriberRow; digest: Digest }

/** Takes one on; drops that of a person who was suppressed since. One whose job file is away waits. */
async function claim({ db, clock, digests }: App, id: string): Promise<ClaimedConfirmation | undefined> {
  const now = clock.now()
  return await transaction(db, async (trx) => {
    const confirmation = await claimConfirmation(trx, id, { now, interval: confirmationIntervalMs })
    const person = confirmation && (await subscriberById(trx, confirmation.subscriberId))
    const digest = digests.find(({ name }) => name === confirmation?.digest)
    if (!confirmation || !person || !digest) return undefined
    if (person.suppressedAt === null) return { confirmation, person, digest }
    await removeConfirmation(trx, id)
    return undefined
  })
}

function confirmationMail({ config, secret, clock }: App, { confirmation, person, digest }: ClaimedConfirmation) {
  const { name, contact, address } = config.publication
  const until = `${confirmation.expiresAt.slice(0, 10)} at ${confirmation.expiresAt.slice(11, 16)} UTC`
  const lines = [
    `Somebody asked us to send ${digest.title} to this address again. If that was you, open this page and press the button:`,
    '',
    confirmationLink(config.web.url, confirmationToken(secret, confirmation.id)),
    '',
    `The link works until ${until}. If it was not you, do nothing: you stay unsubscribed.`,
    '',
    name,
    address.trim(),
  ]
  return plainMail({
    name: digest.from.name,
    from: digest.from.address,
    replyTo: digest.replyTo ?? contact,
    to: person.email,
    returnPath: envelopeSender(config).address,
    subject: `Subscribe to ${digest.title} again?`,
    text: `${lines.join('\n')}\n`,
    date: clock.now(),
  })
}
