import type { Clock } from '../clock.ts'
import { knowFeeds } from '../store/feeds.ts'
import { enrol, hasMet, markBacklog } from '../store/ledger.ts'
import type { Db } from '../store/schema.ts'
import type { Digest } from './digest.ts'

/**
 * Takes the articles of the digest's feeds into its ledger. On the first sight of a feed all but its newest, as many
 * as the section holds, are backlog: a feed that is added does not mail its archive.
 */
export async function enrolArticles({ db, clock }: { db: Db; clock: Clock }, digest: Digest): Promise<void> {
  const now = clock.now()
  const rooms = roomOfFeeds(digest)
  for (const feed of await knowFeeds(db, [...rooms.keys()], now)) {
    await db.transaction().execute(async (trx) => {
      const met = await hasMet(trx, digest.name, feed.id)
      const added = await enrol(trx, digest.name, feed.id, now)
      if (!met && added > 0) await markBacklog(trx, digest.name, feed.id, rooms.get(feed.url) ?? 0, now)
    })
  }
}

/** The addresses of all feeds of the digest, each with the maximum of the first section that lists it. */
function roomOfFeeds(digest: Digest): Map<string, number> {
  const rooms = new Map<string, number>()
  for (const section of digest.sections) {
    for (const url of section.feeds) if (!rooms.has(url)) rooms.set(url, section.maximum)
  }
  return rooms
}
