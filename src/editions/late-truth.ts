import { between, type Clock, day, hour, type Instant, later, second, spanMilliseconds } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { type AskedAgain, askAgain } from '../feeds/ask-again.ts'
import type { Fetcher } from '../feeds/fetch.ts'
import { inLanes } from '../feeds/lanes.ts'
import { forbiddenBy } from '../feeds/manners.ts'
import type { Log } from '../log.ts'
import { doubtUnseen, endDoubt, lapseUnseen, openBy, propose } from '../store/corrections.ts'
import { claimLook, recordSaid, type SaidRow, saidSince } from '../store/said.ts'
import type { CorrectionRow, Db } from '../store/schema.ts'
import { transaction } from '../store/transaction.ts'
import { type Change, feedChanges, pageChanges, undoneText } from './changes.ts'
import type { Digest } from './digest.ts'

type Needs = { db: Db; clock: Clock }
export type LookNeeds = Needs & { fetcher: Fetcher; log: Log }

/** A headline that is tried out on readers comes and goes: what went away is proposed again after this at the earliest. */
const rest = day
/** So long after an edition was approved its pages are asked for: four times at most. */
const looks = [3 * hour, day, 3 * day, 7 * day]
/** A page that is missing (404) is looked at again after this, before anybody is told that it is gone. */
const secondLookAfterMs = hour
const atOnce = 8
const timeLimit = 20 * second

/**
 * Compares what the editions of late said with what the feeds show now, as the store has it, and proposes a correction
 * for each difference that matters. Asks nobody. Returns how many are new.
 */
export async function findInFeeds(needs: Needs, digests: Digest[]): Promise<number> {
  let proposed = 0
  for (const digest of digests) {
    const open = new Set((await openBy(needs.db, digest.name, 'feed')).map(keyOf))
    for (const row of await watched(needs, digest)) {
      const changes = feedChanges(row, row)
      if (changes.length === 0 && !open.has(keyOf(row))) continue // nearly all
      proposed += await settleByFeed(needs, row)
    }
  }
  return proposed
}

/** Settles what the feed shows of one article now. Returns how many corrections are new. */
export function settleByFeed(needs: Needs, row: SaidRow): Promise<number> {
  const seen: Seen = {
    source: 'feed',
    kinds: ['headline', 'note'],
    changes: feedChanges(row, row),
    headline: row.title,
  }
  return settle(needs, row, seen)
}

/**
 * Asks for the pages of articles in editions of late, now and then: as far as robots.txt lets us, one of a host at a
 * time. Proposes a correction where a page is gone, has another headline or tells of a correction. Returns how many
 * pages were asked for; of two processes one asks.
 */
export async function lookAgain(needs: LookNeeds, digests: Digest[], signal?: AbortSignal): Promise<number> {
  const now = needs.clock.now()
  const rows: SaidRow[] = []
  for (const digest of digests) rows.push(...(await watched(needs, digest)).filter((row) => isDue(row, now)))
  const pages = [...Map.groupBy(rows, ({ saidUrl }) => saidUrl)].filter(([url]) => URL.canParse(url))
  let asked = 0
  await inLanes(pages, { atOnce, perLane: 1, laneOf: ([url]) => new URL(url).hostname }, async ([url, said]) => {
    if (signal?.aborted) return
    try {
      if (await look(needs, url, said)) asked++
    } catch (error) {
      needs.log.error({ url, error: messageOf(error) }, 'what a page says of an edition cannot be kept')
    }
  })
  return asked
}

/** Whether a look has come due since the last one. */
export function isDue(
  { approvedAt, lookedAt, missingAt }: Pick<SaidRow, 'approvedAt' | 'lookedAt' | 'missingAt'>,
  now: Instant,
): boolean {
  if (approvedAt === null) return false
  const due = looks.filter((age) => between(approvedAt, now) >= age).at(-1)
  if (due !== undefined && (lookedAt === null || lookedAt < later(approvedAt, due))) return true
  const second = missingAt === null ? undefined : later(missingAt, secondLookAfterMs)
  return second !== undefined && now >= second && (lookedAt === null || lookedAt < second)
}

function keyOf({ editionId, articleId }: Pick<SaidRow, 'editionId' | 'articleId'>): string {
  return `${editionId} ${articleId}`
}

async function watched({ db, clock }: Needs, digest: Digest): Promise<SaidRow[]> {
  const span = digest.corrections.for
  return span === 'off' ? [] : await saidSince(db, digest.name, later(clock.now(), -spanMilliseconds(span)))
}

async function look(needs: LookNeeds, url: string, said: SaidRow[]): Promise<boolean> {
  const ours: SaidRow[] = []
  for (const row of said) if (await claimLook(needs.db, row, needs.clock.now())) ours.push(row)
  if (ours.length === 0) return false
  const page = await askAgain(needs.fetcher, url, timeLimit, (hop) => forbiddenBy(needs, hop))
  if (page.kind === 'unknown') return false
  for (const row of ours) {
    await settleByPage(needs, row, page)
    await keepFirstSight(needs, row, page)
  }
  return true
}

/**
 * Settles what the page of an article shows. One that is missing for the first time says nothing yet: sites are broken
 * for an hour.
 */
export async function settleByPage(needs: Needs, row: SaidRow, page: AskedAgain): Promise<void> {
  const now = needs.clock.now()
  const isMissing = page.kind === 'gone' && !page.isLasting
  const missingAt = isMissing ? (row.missingAt ?? now) : null
  if (page.kind !== 'unknown' && missingAt !== row.missingAt)
    await recordSaid(needs.db, row.editionId, row.articleId, { missingAt })
  const { kinds, changes } = pageChanges(row, page)
  const isTooSoon = missingAt !== null && between(missingAt, now) < secondLookAfterMs
  const headline = page.kind === 'there' ? page.title : ''
  await settle(needs, row, { source: 'page', kinds, changes, headline, isTooSoon })
}

/** Where nobody looked before the seal, the first look is what later ones are compared with. */
async function keepFirstSight({ db }: Needs, row: SaidRow, page: AskedAgain): Promise<void> {
  if (page.kind !== 'there' || row.pageNote !== null) return
  const pageTitle = page.isArticle ? page.title : ''
  await recordSaid(db, row.editionId, row.articleId, { pageTitle, pageNote: page.note?.text ?? '' })
}

/** What was found at one look; `isTooSoon`: nothing new is proposed by it. */
type Seen = {
  source: CorrectionRow['source']
  kinds: Change['kind'][]
  changes: Change[]
  headline: string
  isTooSoon?: boolean
}

async function settle({ db, clock }: Needs, row: SaidRow, seen: Seen): Promise<number> {
  const { source, kinds, changes, headline, isTooSoon = false } = seen
  if (kinds.length === 0) return 0
  const { digest, editionId, articleId } = row
  const now = clock.now()
  return await transaction(db, async (trx) => {
    const keys = changes.map(({ changeKey }) => changeKey)
    const observed = { editionId, articleId, source, kinds, keys }
    await lapseUnseen(trx, observed, now)
    for (const kind of kinds) await doubtUnseen(trx, { ...observed, kinds: [kind] }, undoneText(kind, headline), now)
    if (isTooSoon) return 0
    await endDoubt(trx, observed)
    let proposed = 0
    for (const change of changes) {
      const found = { digest, editionId, articleId, source, ...change }
      if (await propose(trx, found, later(now, -rest), now)) proposed++
    }
    return proposed
  })
}
