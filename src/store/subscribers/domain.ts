import { type RawBuilder, sql } from 'kysely'
import type { Engine } from '../engine.ts'

type HasIndexOf = Pick<Engine, 'indexOf'>

/** The domain of a subscriber: the part of the address after the @. Needs `subscribers` in the query. */
export function domainOf({ indexOf }: HasIndexOf): RawBuilder<string> {
  return sql<string>`substr(subscribers.email_key, ${sql.raw(indexOf)}(subscribers.email_key, '@') + 1)`
}

/**
 * The mail provider of a subscriber, or the domain if it is unknown. Needs `subscribers`, and `providers` joined to the
 * domain.
 */
export const providerOrDomain = (engine: HasIndexOf): RawBuilder<string> =>
  sql<string>`coalesce(providers.provider, ${domainOf(engine)})`

/** A subscriber's place on a ring of 4096: the last three hex digits of the id, which are random (RFC 9562 §5.7). Needs `subscribers`. */
export const ringPlace = sql<string>`substr(subscribers.id, 34, 3)`
