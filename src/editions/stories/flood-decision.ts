import { createHash } from 'node:crypto'
import { AppError } from '../../errors.ts'
import { decidePublisher, isPublisherOpen, type PublisherDecision } from '../../feeds/publisher-decision.ts'
import { lockDigest } from '../../store/digests/digests.ts'
import { transaction } from '../../store/drivers/transaction.ts'
import { type EventValues, type NewEvent, person } from '../../store/events/event.ts'
import { addEvent } from '../../store/events/events.ts'
import { feedById, feedByUrl, lockFeed } from '../../store/feeds/feeds.ts'
import {
  copiesOf,
  moveQuarantinedToBacklog,
  quarantinedStories,
  releaseQuarantined,
  setQuarantineReason,
} from '../../store/ledger/stories.ts'
import type { ComposeNeeds } from '../compose/draft.ts'
import type { Digest } from '../digest.ts'
import { addAllToLedger } from '../ledger.ts'
import { chooseAfterDecision } from './choose-after-decision.ts'
import { isCertainDuplicate, knownArticlesReason } from './flood.ts'

type Needs = ComposeNeeds & { digests: Digest[] }

/**
 * Releases the quarantined articles of a feed as new, and accepts its new publisher, also one that was refused. Certain
 * duplicates stay duplicates; possible duplicates in a flood are compared again or, if they are too many, stay quarantined for a second decision. Returns the number of
 * released articles, each counted once across digests; AppError `missing` for an unknown feed, `conflict` if none is
 * quarantined or they differ from `seen` (`quarantineRevision`).
 */
export function releaseFeed(needs: Needs, url: string, who: string, seen?: string): Promise<number> {
  return decideQuarantined(needs, { url, who, seen }, { ofArticles: releaseArticles, decision: 'release' })
}

/**
 * Ignores the quarantined articles of a feed, and whatever its new publisher lists from now on: possible duplicates become duplicates, the others backlog. Returns and
 * errors as in `releaseFeed`.
 */
export function ignoreFeed(needs: Needs, url: string, who: string, seen?: string): Promise<number> {
  return decideQuarantined(needs, { url, who, seen }, { ofArticles: ignoreArticles, decision: 'ignore' })
}

type DecideArticles = (needs: Needs, digest: string, held: QuarantinedStories) => Promise<DecisionResult[]>

type QuarantinedStories = Awaited<ReturnType<typeof quarantinedStories>>

/** Article ids of one digest and the decision about them. */
type DecisionResult = { ids: string[]; result: keyof EventValues['feed.articles_decided'] }

/**
 * The revision of a feed's quarantined articles, a SHA-256 (hex), which a form sends back, so that a decision about
 * other articles is refused.
 */
export function quarantineRevision(held: QuarantinedStories): string {
  const rows = held.map(({ digest, id }) => `${digest} ${id}`).sort()
  return createHash('sha256').update(rows.join('\n')).digest('hex')
}

/** Applies a decision, records it with the feed and chooses waiting editions again, in one transaction. */
async function decideQuarantined(
  needs: Needs,
  { url, who, seen }: { url: string; who: string; seen: string | undefined },
  { ofArticles, decision }: { ofArticles: DecideArticles; decision: PublisherDecision },
): Promise<number> {
  const { db, clock, digests } = needs
  const feed = await feedByUrl(db, url)
  if (!feed) throw new AppError('missing', `there is no feed ${url}`, { hint: 'lastword feeds list shows them all.' })
  return await transaction(db, async (trx) => {
    await lockFeed(trx, feed.id) // a concurrent decision waits for this lock and finds nothing to decide
    const current = await feedById(trx, feed.id)
    const waiting = await quarantinedStories(trx, feed.id)
    const count = distinct(waiting.map(({ id }) => id)).length
    if (count === 0 && !isPublisherOpen(current, decision))
      throw new AppError('conflict', `no articles of ${url} wait for an editor`)
    if (seen !== undefined && quarantineRevision(waiting) !== seen)
      throw new AppError('conflict', `other articles of ${url} wait than those that you looked at: ${count} now`)
    const held = Map.groupBy(waiting, ({ digest }) => digest)
    const decided: DecisionResult[] = []
    for (const [digest, articles] of held) decided.push(...(await ofArticles({ ...needs, db: trx }, digest, articles)))
    await decidePublisher({ db: trx, clock }, current, { decision, who })
    const data = decisionCounts(decided)
    const event: NewEvent = { kind: 'feed.articles_decided', actor: person(who), feed: feed.id, data }
    if (count > 0) await addEvent(trx, event, clock.now())
    await addAllToLedger({ db: trx, clock, digests })
    for (const digest of digests.filter(({ name }) => held.has(name))) {
      await lockDigest(trx, digest.name, clock.now()) // a concurrent seal waits for this lock, or has finished
      await chooseAfterDecision({ ...needs, db: trx }, digest)
    }
    return distinct(decided.flatMap(({ ids }) => ids)).length
  })
}

/** Number of articles per decision; an article in two digests counts once. */
function decisionCounts(decided: DecisionResult[]): EventValues['feed.articles_decided'] {
  const count = (wanted: DecisionResult['result']) =>
    distinct(decided.flatMap(({ ids, result }) => (result === wanted ? ids : []))).length
  return { accepted: count('accepted'), duplicates: count('duplicates'), ignored: count('ignored') }
}

async function releaseArticles(
  { db, digests }: Needs,
  digest: string,
  held: QuarantinedStories,
): Promise<DecisionResult[]> {
  const likelyDuplicates = held.filter(({ sameAs }) => sameAs !== null)
  const newArticles = held.filter(({ sameAs }) => sameAs === null)
  if (newArticles.length > 0) {
    const maxKnown = digests.find(({ name }) => name === digest)?.flood.known ?? Number.POSITIVE_INFINITY
    const released = likelyDuplicates.length > maxKnown ? newArticles : held
    await releaseQuarantined(db, digest, idsOf(released), 'open')
    if (released === newArticles)
      await setQuarantineReason(db, digest, idsOf(likelyDuplicates), knownArticlesReason(likelyDuplicates.length))
    return [acceptedAsNew(released)]
  }
  const copies = Map.groupBy(await copiesOf(db, digest, likelyDuplicates), ({ id, sameAs }) => sameAs ?? id)
  const duplicates = likelyDuplicates.filter((one) =>
    copies.get(one.sameAs ?? '')?.some((copy) => isCertainDuplicate(one, copy)),
  )
  const others = likelyDuplicates.filter((one) => !duplicates.includes(one))
  await releaseQuarantined(db, digest, idsOf(duplicates), 'same')
  await releaseQuarantined(db, digest, idsOf(others), 'other')
  return [acceptedAsNew(others), acceptedAsDuplicate(duplicates)]
}

async function ignoreArticles(
  { db, clock }: Needs,
  digest: string,
  held: QuarantinedStories,
): Promise<DecisionResult[]> {
  const likelyDuplicates = held.filter(({ sameAs }) => sameAs !== null)
  const others = held.filter(({ sameAs }) => sameAs === null)
  await releaseQuarantined(db, digest, idsOf(likelyDuplicates), 'same')
  await moveQuarantinedToBacklog(db, digest, idsOf(others), clock.now())
  return [{ ids: idsOf(held), result: 'ignored' }]
}

function acceptedAsNew(articles: QuarantinedStories): DecisionResult {
  return { ids: idsOf(articles), result: 'accepted' }
}

function acceptedAsDuplicate(articles: QuarantinedStories): DecisionResult {
  return { ids: idsOf(articles), result: 'duplicates' }
}

function idsOf(articles: QuarantinedStories): string[] {
  return articles.map(({ id }) => id)
}

function distinct(ids: string[]): string[] {
  return [...new Set(ids)]
}
