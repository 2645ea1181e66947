import { describeReason } from '../describe/describe.ts'
import { transaction } from '../store/drivers/transaction.ts'
import type { Reason } from '../store/events/reason.ts'
import { addMails, deleteMails, mailKey } from '../store/outbox/outbox.ts'
import type { ConfirmationRow, Db } from '../store/schema.ts'
import { addConfirmation, confirmationById, useConfirmation } from '../store/subscribers/confirmations.ts'
import { addOutcome } from '../store/subscribers/outcomes.ts'
import { renewSubscription, subscriberById, subscriptionsOf } from '../store/subscribers/subscribers.ts'
import { addMs, type Clock, day, type Instant, minute } from '../time/clock.ts'
import type { SubscriberAction } from './leave.ts'

type Needs = { db: Db; clock: Clock }

/** How long a confirmation link works. */
export const confirmationLifetimeMs = 3 * day

/** A person gets at most one confirmation email in this time. */
export const confirmationIntervalMs = 10 * minute

/** `asked`: an email with a confirmation link is sent. `suppressed`: the address gets no more mail. */
export type ResubscribeResult = 'asked' | 'suppressed' | 'subscribed'

/** A person who left asks, by the link in an email, to be subscribed again. The owner of the address has to confirm it. */
export async function requestResubscription({ db, clock }: Needs, act: SubscriberAction): Promise<ResubscribeResult> {
  const now = clock.now()
  const person = await subscriberById(db, act.subscriberId)
  const subscription = (await subscriptionsOf(db, act.subscriberId)).find(({ digest }) => digest === act.digest)
  if (!person || !subscription || subscription.leftAt === null) return 'subscribed'
  if (person.suppressedAt !== null) return 'suppressed'
  await requestConfirmation(db, act, now)
  return 'asked'
}

async function requestConfirmation(db: Db, act: SubscriberAction, now: Instant): Promise<void> {
  const { subscriberId, digest, editionId, how } = act
  const expiresAt = addMs(now, confirmationLifetimeMs)
  const times = { now, interval: confirmationIntervalMs, expiresAt }
  await transaction(db, async (trx) => {
    const confirmation = await addConfirmation(trx, { subscriberId, digest, editionId, how }, times)
    if (confirmation === undefined) return
    await deleteMails(trx, { keys: [mailKey('confirmation', [confirmation])] }) // it is sent again
    await addMails(trx, [{ kind: 'confirmation', about: [confirmation], facts: { confirmation }, expiresAt }], now)
  })
}

/** A confirmation that can be used, or was used by a person who is still subscribed; undefined if unknown or expired. */
export async function findConfirmation(
  { db, clock }: Needs,
  id: string | undefined,
): Promise<ConfirmationRow | undefined> {
  const confirmation = id === undefined ? undefined : await confirmationById(db, id)
  if (!confirmation || clock.now() >= confirmation.expiresAt) return undefined
  return confirmation.usedAt === null || (await isSubscribed(db, confirmation)) ? confirmation : undefined
}

export type ConfirmationResult = 'resubscribed' | 'already subscribed' | 'suppressed' | 'expired'

/** Subscribes a person again: the owner of the address pressed the button on the page of the confirmation link. */
export async function confirmResubscription({ db, clock }: Needs, id: string): Promise<ConfirmationResult> {
  return await transaction(db, async (trx) => {
    const now = clock.now()
    const confirmation = await findConfirmation({ db: trx, clock }, id)
    if (!confirmation) return 'expired'
    if (confirmation.usedAt !== null) return 'already subscribed'
    const { subscriberId, digest, editionId, how, askedAt } = confirmation
    if ((await subscriberById(trx, subscriberId))?.suppressedAt !== null) return 'suppressed'
    const detail: Reason = { code: 'resubscribed', digest, how, askedAt, confirmedAt: now }
    const renewed = await renewSubscription(trx, digest, subscriberId, describeReason(detail), now)
    await useConfirmation(trx, id, now)
    if (!renewed) return 'already subscribed'
    await addOutcome(trx, { kind: 'return', subscriberId, editionId, detail }, now)
    return 'resubscribed'
  })
}

async function isSubscribed(db: Db, { subscriberId, digest }: ConfirmationRow): Promise<boolean> {
  const subscriptions = await subscriptionsOf(db, subscriberId)
  return subscriptions.some((one) => one.digest === digest && one.leftAt === null)
}
