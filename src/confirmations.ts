import type { App } from './app.ts'
import { later, minute } from './clock.ts'
import { envelopeSender } from './config.ts'
import type { SendResult } from './deliveries/delivery.ts'
import type { Digest } from './editions/digest.ts'
import { signMessage } from './messages/dkim.ts'
import { confirmationLink } from './messages/links.ts'
import { noticeMail } from './messages/notice.ts'
import type { Sender } from './send.ts'
import { brakeNow } from './store/brake.ts'
import {
  claimConfirmation,
  recordConfirmationSent,
  removeConfirmation,
  retryConfirmation,
  waitingConfirmations,
} from './store/confirmations.ts'
import type { ConfirmationRow, SubscriberRow } from './store/schema.ts'
import { subscriberById } from './store/subscribers.ts'
import { transaction } from './store/transaction.ts'
import { confirmationInterval } from './subscribers/resubscribe.ts'
import { confirmationToken } from './subscribers/token.ts'

/** An email that no relay took is tried again after so long, in milliseconds, until its link expires. */
const retryAfter = 5 * minute
const maxAtOnce = 100

/**
 * Sends the emails whose link subscribes somebody again who left. A relay that is down delays them; the brake does too.
 * Returns how many were sent.
 */
export async function sendConfirmations(app: App, sender: Pick<Sender, 'relays' | 'signers'>): Promise<number> {
  const { db, clock, log } = app
  if (await brakeNow(db)) return 0
  let sent = 0
  for (const id of await waitingConfirmations(db, clock.now(), maxAtOnce)) {
    const taken = await claim(app, id)
    if (!taken) continue
    const { envelope, raw } = confirmationMail(app, taken)
    const message = { envelope, raw: await signMessage(raw, sender.signers, clock.now()) }
    const { kind, reply } = await sender.relays.send(message)
    if (kind === 'accepted' || kind === 'unknown') sent += 1
    else {
      const reason = kind === 'unsent' ? reply : reply.slice(0, codeLength)
      log.warn({ event: 'confirmation.not_accepted', confirmation: id, result: kind, reason }, notAccepted)
    }
    if (isOver(kind)) await recordConfirmationSent(db, id, clock.now())
    else await retryConfirmation(db, id, later(clock.now(), retryAfter))
    if (kind === 'unsent') break // no relay can be reached: the others would not get through either
  }
  return sent
}

/** Of a server's answer the codes alone are logged, `550 5.1.1`: the rest of it often names the address. */
const codeLength = 9
const notAccepted = 'a confirmation email was not accepted'

/** The email is out, may be out, or can never go to that address. */
function isOver(kind: SendResult['kind']): boolean {
  return kind === 'accepted' || kind === 'unknown' || kind === 'refused' || kind === 'unfit'
}

type Taken = { confirmation: ConfirmationRow; person: SubscriberRow; digest: Digest }

/** Takes one on; drops that of a person who was suppressed since. One whose job file is away waits. */
async function claim({ db, clock, digests }: App, id: string): Promise<Taken | undefined> {
  const now = clock.now()
  return await transaction(db, async (trx) => {
    const confirmation = await claimConfirmation(trx, id, { now, interval: confirmationInterval })
    const person = confirmation && (await subscriberById(trx, confirmation.subscriberId))
    const digest = digests.find(({ name }) => name === confirmation?.digest)
    if (!confirmation || !person || !digest) return undefined
    if (person.suppressedAt === null) return { confirmation, person, digest }
    await removeConfirmation(trx, id)
    return undefined
  })
}

function confirmationMail({ config, secret, clock }: App, { confirmation, person, digest }: Taken) {
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
  return noticeMail({
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
