import { createHash } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { AppError } from '../errors.ts'
import { feedByUrl, lockFeed, recordFeed } from '../store/feeds.ts'
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
 * them alone. Returns how many wait no more, each counted once however many digests read the feed; AppError if none waits,
 * or if others wait than those that were `seen` (`heldSeen`).
 */
export function releaseFeed(needs: Needs, url: string, who: string, seen?: string): Promise<number> {
  return decide(needs, { url, who, seen }, release)
}

/** The articles that wait are old: those we know are the same as before, the rest is backlog. Returns and refuses as above. */
export function ignoreFeed(needs: Needs, url: string, who: string, seen?: string): Promise<number> {
  return decide(needs, { url, who, seen }, ignore)
}

type Held = Awaited<ReturnType<typeof heldStories>>

/** Articles of one digest, by their ids, and what was decided about them. */
type Decided = { ids: string[]; words: string }

/** What waits of a feed now, as one word: a form sends it back, so that nobody decides about articles that came later. */
export function heldSeen(held: Held): string {
  const rows = held.map(({ digest, id }) => `${digest} ${id}`).sort()
  return createHash('sha256').update(rows.join('\n')).digest('hex')
}

/** Who decided what stands on record with the feed, in the same transaction. */
async function decide(
  { db, clock, digests }: Needs,
  { url, who, seen }: { url: string; who: string; seen: string | undefined },
  act: (needs: Needs, digest: string, held: Held) => Promise<Decided[]>,
): Promise<number> {
  const feed = await feedByUrl(db, url)
  if (!feed) throw new AppError('missing', `there is no feed ${url}`, { hint: 'lastword feeds list shows them all.' })
  return await transaction(db, async (trx) => {
    await lockFeed(trx, feed.id) // a second decision waits for this one, and finds nothing
    const waiting = await heldStories(trx, feed.id)
    const count = distinct(waiting.map(({ id }) => id)).length
    if (count === 0) throw new AppError('conflict', `nothing of ${url} waits for an editor`)
    if (seen !== undefined && heldSeen(waiting) !== seen)
      throw new AppError('conflict', `other articles of ${url} wait than those that you looked at: ${count} now`)
    const held = Map.groupBy(waiting, ({ digest }) => digest)
    const decided: Decided[] = []
    for (const [digest, articles] of held) decided.push(...(await act({ db: trx, clock, digests }, digest, articles)))
    await recordFeed(trx, feed.id, `${who} decided: ${decisionText(decided)}`, clock.now())
    await enrolAll({ db: trx, clock, digests })
    return distinct(decided.flatMap(({ ids }) => ids)).length
  })
}

/** "26 articles that waited are old, and never mailed": one that waited in two digests is one article. */
function decisionText(decided: Decided[]): string {
  const said = [...Map.groupBy(decided, ({ words }) => words)].flatMap(([words, some]) => {
    const count = distinct(some.flatMap(({ ids }) => ids)).length
    if (count === 0) return []
    return [`${count === 1 ? '1 article that waited is' : `${count} articles that waited are`} ${words}`]
  })
  return said.join('; ')
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
  return [{ ids: idsOf(held), words: 'old, and never mailed' }]
}

function isNew(articles: Held): Decided {
  return { ids: idsOf(articles), words: 'new, and may be chosen' }
}

function isSame(articles: Held): Decided {
  return { ids: idsOf(articles), words: 'the same as before, by address and title' }
}

function idsOf(articles: Held): string[] {
  return articles.map(({ id }) => id)
}

function distinct(ids: string[]): string[] {
  return [...new Set(ids)]
}
