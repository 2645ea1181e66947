import type { Clock } from '../clock.ts'
import { AppError } from '../errors.ts'
import { feedByUrl } from '../store/feeds.ts'
import type { Db } from '../store/schema.ts'
import { ignoreHeld, releaseHeld } from '../store/stories.ts'
import { transaction } from '../store/transaction.ts'
import type { Digest } from './digest.ts'
import { enrolAll } from './enrol.ts'

type Needs = { db: Db; clock: Clock; digests: Digest[] }

/** The articles that wait are new, each a story of its own: pending again. Returns how many; AppError if none waits. */
export function releaseFeed(needs: Needs, url: string): Promise<number> {
  return decide(needs, url, releaseHeld)
}

/** The articles that wait are old: those we know are the same as before, the rest is backlog. Returns how many. */
export function ignoreFeed(needs: Needs, url: string): Promise<number> {
  return decide(needs, url, ignoreHeld)
}

async function decide({ db, clock, digests }: Needs, url: string, act: typeof releaseHeld): Promise<number> {
  const feed = await feedByUrl(db, url)
  if (!feed) throw new AppError('missing', `there is no feed ${url}`, { hint: 'lastword feeds list shows them all.' })
  return await transaction(db, async (trx) => {
    const count = await act(trx, feed.id, clock.now())
    if (count === 0) throw new AppError('conflict', `nothing of ${url} waits for an editor`)
    await enrolAll({ db: trx, clock, digests })
    return count
  })
}
