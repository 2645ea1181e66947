import type { Instant } from '../../time/clock.ts'
import { storableJson } from '../drivers/storable-text.ts'
import { newId } from '../id.ts'
import type { Db, SubscriberRow, SubscriptionRow } from '../schema.ts'

export type NewSubscriber = {
  email: string
  emailKey: string
  name: string
  attributes: Record<string, string>
  /** IANA time zone, if known. */
  zone?: string | null
  proof: string
  /** `active` if absent. A pending one is not confirmed; one that left elsewhere is kept as having left. */
  standing?: 'active' | 'pending' | 'left'
}

/**
 * Adds people and their subscriptions to the digest. A known person keeps the stored data and may gain a zone; one who
 * left or is suppressed stays so. Returns the number of new active subscriptions, without those of suppressed people
 * and pending or ended ones.
 */
export async function addSubscribers(db: Db, digest: string, people: NewSubscriber[], now: Instant): Promise<number> {
  if (people.length === 0) return 0
  await db
    .insertInto('subscribers')
    .values(
      people.map(({ email, emailKey, name, attributes, zone = null }) => ({
        id: newId(now),
        email,
        emailKey,
        name,
        attributes: storableJson(attributes),
        zone,
        createdAt: now,
        suppressedAt: null,
        suppressedReason: null,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .column('emailKey')
        .doUpdateSet((eb) => ({ zone: eb.ref('excluded.zone') }))
        .where('subscribers.zone', 'is', null)
        .where('excluded.zone', 'is not', null),
    )
    .execute()
  const keys = people.map((person) => person.emailKey)
  const known = await db
    .selectFrom('subscribers')
    .select(['id', 'emailKey', 'suppressedAt'])
    .where('emailKey', 'in', keys)
    .execute()
  const byKey = new Map(people.map((person) => [person.emailKey, person]))
  const added = await db
    .insertInto('subscriptions')
    .values(
      known.map(({ id, emailKey }) => {
        const { standing = 'active', proof = '' } = byKey.get(emailKey) ?? {}
        const confirmedAt = standing === 'active' ? now : null
        return { digest, subscriberId: id, confirmedAt, leftAt: standing === 'left' ? now : null, proof }
      }),
    )
    .onConflict((conflict) => conflict.columns(['digest', 'subscriberId']).doNothing())
    .returning(['subscriberId', 'confirmedAt'])
    .execute()
  const suppressed = new Set(known.filter(({ suppressedAt }) => suppressedAt !== null).map(({ id }) => id))
  return added.filter(({ subscriberId, confirmedAt }) => confirmedAt !== null && !suppressed.has(subscriberId)).length
}

export function subscriberById(db: Db, id: string): Promise<SubscriberRow | undefined> {
  return db.selectFrom('subscribers').selectAll().where('id', '=', id).executeTakeFirst()
}

export function subscriberByEmail(db: Db, emailKey: string): Promise<SubscriberRow | undefined> {
  return db.selectFrom('subscribers').selectAll().where('emailKey', '=', emailKey).executeTakeFirst()
}

export async function renameSubscriber(db: Db, id: string, name: string): Promise<void> {
  await db.updateTable('subscribers').set({ name }).where('id', '=', id).execute()
}

export function subscriptionsOf(db: Db, subscriberId: string): Promise<SubscriptionRow[]> {
  return db.selectFrom('subscriptions').selectAll().where('subscriberId', '=', subscriberId).orderBy('digest').execute()
}

/** Ends the subscription; false if there is none or it had ended already. */
export async function endSubscription(db: Db, digest: string, subscriberId: string, now: Instant): Promise<boolean> {
  const ended = await db
    .updateTable('subscriptions')
    .set({ leftAt: now })
    .where('digest', '=', digest)
    .where('subscriberId', '=', subscriberId)
    .where('leftAt', 'is', null)
    .returning('subscriberId')
    .executeTakeFirst()
  return ended !== undefined
}

/** Subscribes a person again; only the person's own action may call this. */
export async function renewSubscription(
  db: Db,
  digest: string,
  subscriberId: string,
  proof: string,
  now: Instant,
): Promise<boolean> {
  const renewed = await db
    .updateTable('subscriptions')
    .set({ leftAt: null, confirmedAt: now, proof })
    .where('digest', '=', digest)
    .where('subscriberId', '=', subscriberId)
    .where('leftAt', 'is not', null)
    .returning('subscriberId')
    .executeTakeFirst()
  return renewed !== undefined
}

export type SubscriberListing = SubscriberRow & { digest: string; confirmedAt: Instant | null; leftAt: Instant | null }

/** The last row of a page; a person is listed once for each subscription. */
export type ListCursor = Pick<SubscriberListing, 'id' | 'digest'>

/** One page of subscriptions with their subscribers, in the order of subscriber and digest, after the row named. */
export function listSubscribers(
  db: Db,
  { digest, after, limit }: { digest?: string | undefined; after?: ListCursor | undefined; limit: number },
): Promise<SubscriberListing[]> {
  let query = db
    .selectFrom('subscribers')
    .innerJoin('subscriptions', 'subscriptions.subscriberId', 'subscribers.id')
    .selectAll('subscribers')
    .select(['subscriptions.digest', 'subscriptions.confirmedAt', 'subscriptions.leftAt'])
  if (digest !== undefined) query = query.where('subscriptions.digest', '=', digest)
  if (after !== undefined)
    query = query
      .where('subscribers.id', '>=', after.id)
      .where((eb) => eb.or([eb('subscribers.id', '>', after.id), eb('subscriptions.digest', '>', after.digest)]))
  return query.orderBy('subscribers.id').orderBy('subscriptions.digest').limit(limit).execute()
}

export async function countActive(db: Db, digest: string): Promise<number> {
  const row = await activeSubscribers(db, digest)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** The active subscribers of the digest: confirmed, not left, not suppressed. */
export function activeSubscribers(db: Db, digest: string) {
  return db
    .selectFrom('subscriptions')
    .innerJoin('subscribers', 'subscribers.id', 'subscriptions.subscriberId')
    .where('subscriptions.digest', '=', digest)
    .where('subscriptions.confirmedAt', 'is not', null)
    .where('subscriptions.leftAt', 'is', null)
    .where('subscribers.suppressedAt', 'is', null)
}
