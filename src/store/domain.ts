import { type RawBuilder, sql } from 'kysely'
import type { Engine } from './engine.ts'

type Knows = Pick<Engine, 'indexOf'>

/** The domain of a subscriber: what stands behind the @ of the address. Needs `subscribers` in the query. */
export function domainOf({ indexOf }: Knows): RawBuilder<string> {
  return sql<string>`substr(subscribers.email_key, ${sql.raw(indexOf)}(subscribers.email_key, '@') + 1)`
}

/** Who takes the mail of a subscriber, by what is found out so far. Needs `subscribers`, and `providers` joined to the domain. */
export const providerOrDomain = (engine: Knows): RawBuilder<string> =>
  sql<string>`coalesce(providers.provider, ${domainOf(engine)})`
