import type { App } from '../../../app.ts'
import { languageOf } from '../../../editions/digest.ts'
import { readDeliveryKey } from '../../../mail/keys.ts'
import { editionByRef } from '../../../store/editions/editions.ts'
import type { SubscriberRow, SubscriptionRow } from '../../../store/schema.ts'
import { subscriberById, subscriptionsOf } from '../../../store/subscribers/subscribers.ts'

/** The subscriber and subscription that a key belongs to. */
export type Recipient = {
  key: string
  /** The key has the old form, which also stood in headers: it can only unsubscribe. */
  onlyLeaves: boolean
  subscriber: SubscriberRow
  subscription: SubscriptionRow
  digest: { name: string; title: string }
  /** The language tag of the digest. */
  language: string
  editionId: string | null
}

/**
 * Reads the key of a link in an email; undefined if it is invalid, without saying why. The keys in Message-ID and
 * return path are not accepted, because servers log them.
 */
export async function recipientOf({ db, secret, digests, config }: App, key: string): Promise<Recipient | undefined> {
  const link = readDeliveryKey(secret, 'link', key)
  const keyed = link ?? readDeliveryKey(secret, 'earlier', key)
  const subscriber = keyed && (await subscriberById(db, keyed.subscriberId))
  if (!subscriber) return undefined
  const edition = await editionByRef(db, keyed.editionRef)
  const subscriptions = await subscriptionsOf(db, subscriber.id)
  const subscription = edition
    ? subscriptions.find((one) => one.digest === edition.digest)
    : singleOrUndefined(subscriptions)
  if (!subscription) return undefined
  const name = subscription.digest
  const digest = digests.find((one) => one.name === name)
  const title = digest?.title ?? name
  const language = languageOf(digest, config.publication)
  const onlyLeaves = link === undefined
  return {
    key,
    onlyLeaves,
    subscriber,
    subscription,
    digest: { name, title },
    language,
    editionId: edition?.id ?? null,
  }
}

/** `mira@example.org` as `m…a@example.org`: a forwarded email opens these pages and must not reveal the address. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@')
  const characters = [...email.slice(0, at)]
  return `${characters[0] ?? ''}…${characters.length > 2 ? characters.at(-1) : ''}${email.slice(at)}`
}

/** A restored backup may lack the edition; a subscriber with one subscription means that one. */
function singleOrUndefined<T>(list: T[]): T | undefined {
  return list.length === 1 ? list[0] : undefined
}
