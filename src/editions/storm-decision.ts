import type { Clock } from '../clock.ts'
import { AppError } from '../errors.ts'
import { feedByUrl, recordFeed } from '../store/feeds.ts'
import type { Db } from '../store/schema.ts'
import { ignoreHeld, releaseHeld } from '../store/stories.ts'
import { transaction } from '../store/transaction.ts'
import type { Digest } from './digest.ts'
import { enrolAll } from './enrol.ts'

type Needs = { db: Db; clock: Clock; digests: Digest[] }

/** The articles that wait are new, each a story of its own: pending again. Returns how many; AppError if none waits. */
export function releaseFeed(needs: Needs, url: string, who: string): Promise<number> {
  return decide(needs, url, { who, act: releaseHeld, words: 'new, and may be chosen' })
}

/** The articles that wait are old: those we know are the same as before, the rest is backlog. Returns how many. */
export function ignoreFeed(needs: Needs, url: string, who: string): Promise<number> {
  return decide(needs, url, { who, act: ignoreHeld, words: 'old, and never mailed' })
}

type Decision = { who: string; act: typeof releaseHeld; words: string }

/** Who decided what stands on record with the feed, in the same transaction. */
async function decide({ db, clock, digests }: Needs, url: string, { who, act, words }: Decision): Promise<number> {
  const feed = await feedByUrl(db, url)
  if (!feed) throw new AppError('missing', `there is no feed ${url}`, { hint: 'lastword feeds list shows them all.' })
  return await transaction(db, async (trx) => {
    const count = await act(trx, feed.id, clock.now())
    if (count === 0) throw new AppError('conflict', `nothing of ${url} waits for an editor`)
    const waited = count === 1 ? '1 article that waited is' : `${count} articles that waited are`
    await recordFeed(trx, feed.id, `${who} decided: ${waited} ${words}`, clock.now())
    await enrolAll({ db: trx, clock, digests })
    return count
  })
}
