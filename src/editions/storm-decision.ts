import type { Clock } from '../clock.ts'
import { AppError } from '../errors.ts'
import { feedByUrl, recordFeed } from '../store/feeds.ts'
import type { Db } from '../store/schema.ts'
import { copiesOf, endHold, heldStories, holdOn, settleHeld } from '../store/stories.ts'
import { transaction } from '../store/transaction.ts'
import type { Digest } from './digest.ts'
import { enrolAll } from './enrol.ts'
import { isBeyondDoubt, knownReason } from './storm.ts'

type Needs = { db: Db; clock: Clock; digests: Digest[] }

/**
 * The articles that wait are new: pending again, and none is the one that it seemed to be. What is beyond doubt the same,
 * by its address and its title, stays so: nobody gets it twice. Where they waited for their number, the few among them that
 * seem to be known are compared like any others; if those are more than a few, they wait on, and an editor is asked about
 * them alone. Returns how many wait no more; AppError if none waits.
 */
export function releaseFeed(needs: Needs, url: string, who: string): Promise<number> {
  return decide(needs, url, who, release)
}

/** The articles that wait are old: those we know are the same as before, the rest is backlog. Returns how many. */
export function ignoreFeed(needs: Needs, url: string, who: string): Promise<number> {
  return decide(needs, url, who, ignore)
}

type Held = Awaited<ReturnType<typeof heldStories>>

type Decided = { count: number; words: string }

/** Who decided what stands on record with the feed, in the same transaction. */
async function decide(
  { db, clock, digests }: Needs,
  url: string,
  who: string,
  act: (needs: Needs, digest: string, held: Held) => Promise<Decided[]>,
): Promise<number> {
  const feed = await feedByUrl(db, url)
  if (!feed) throw new AppError('missing', `there is no feed ${url}`, { hint: 'lastword feeds list shows them all.' })
  return await transaction(db, async (trx) => {
    const held = Map.groupBy(await heldStories(trx, feed.id), ({ digest }) => digest)
    if (held.size === 0) throw new AppError('conflict', `nothing of ${url} waits for an editor`)
    const decided: Decided[] = []
    for (const [digest, articles] of held) decided.push(...(await act({ db: trx, clock, digests }, digest, articles)))
    const said = [...Map.groupBy(decided, ({ words }) => words)].flatMap(([words, some]) => {
      const count = sum(some)
      return count === 0
        ? []
        : [`${count === 1 ? '1 article that waited is' : `${count} articles that waited are`} ${words}`]
    })
    await recordFeed(trx, feed.id, `${who} decided: ${said.join('; ')}`, clock.now())
    await enrolAll({ db: trx, clock, digests })
    return sum(decided)
  })
}

async function release({ db, digests }: Needs, digest: string, held: Held): Promise<Decided[]> {
  const seeming = held.filter(({ sameAs }) => sameAs !== null)
  const news = held.filter(({ sameAs }) => sameAs === null)
  if (news.length > 0) {
    const few = digests.find(({ name }) => name === digest)?.storm.known ?? Number.POSITIVE_INFINITY
    const free = seeming.length > few ? news : held
    await endHold(db, digest, idsOf(free), 'open')
    if (free === news) await holdOn(db, digest, idsOf(seeming), knownReason(seeming.length))
    return [isNew(free)]
  }
  const copies = Map.groupBy(await copiesOf(db, digest, seeming), ({ id, sameAs }) => sameAs ?? id)
  const same = seeming.filter((one) => copies.get(one.sameAs ?? '')?.some((copy) => isBeyondDoubt(one, copy)))
  const others = seeming.filter((one) => !same.includes(one))
  await endHold(db, digest, idsOf(same), 'same')
  await endHold(db, digest, idsOf(others), 'other')
  return [isNew(others), isSame(same)]
}

async function ignore({ db, clock }: Needs, digest: string, held: Held): Promise<Decided[]> {
  const seeming = held.filter(({ sameAs }) => sameAs !== null)
  const rest = held.filter(({ sameAs }) => sameAs === null)
  await endHold(db, digest, idsOf(seeming), 'same')
  await settleHeld(db, digest, idsOf(rest), clock.now())
  return [{ count: held.length, words: 'old, and never mailed' }]
}

function isNew(articles: Held): Decided {
  return { count: articles.length, words: 'new, and may be chosen' }
}

function isSame(articles: Held): Decided {
  return { count: articles.length, words: 'the same as before, by address and title' }
}

function idsOf(articles: Held): string[] {
  return articles.map(({ id }) => id)
}

function sum(decided: Decided[]): number {
  return decided.reduce((total, { count }) => total + count, 0)
}
