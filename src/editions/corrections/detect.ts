import { type PageCheck, recheckPage } from '../../articles/recheck-page.ts'
import { robotsRefusal } from '../../articles/robots-policy.ts'
import type { Fetcher } from '../../http/fetcher.ts'
import { forEachPerHost } from '../../http/per-host.ts'
import type { Log } from '../../log.ts'
import {
  doubtUnseen,
  endDoubts,
  lapseUnseen,
  openCorrectionsFrom,
  proposeCorrection,
} from '../../store/corrections/corrections.ts'
import {
  claimRecheck,
  type PrintedTitleRow,
  printedTitlesSince,
  recordPrinted,
} from '../../store/corrections/printed-titles.ts'
import { transaction } from '../../store/drivers/transaction.ts'
import { toJson } from '../../store/json.ts'
import type { CorrectionRow, Db } from '../../store/schema.ts'
import { addMs, type Clock, day, hour, type Instant, msBetween, parseDurationMs, second } from '../../time/clock.ts'
import type { Digest } from '../digest.ts'
import { type Change, feedChanges, pageChanges, revertedReason } from './changes.ts'

type Needs = { db: Db; clock: Clock }
export type DetectNeeds = Needs & { fetcher: Fetcher; log: Log }

/** A headline that is tried out on readers comes and goes: what went away is proposed again after this at the earliest. */
const reproposeAfterMs = day
/** So long after an edition was approved its pages are asked for: four times at most. */
const checkAgesMs = [3 * hour, day, 3 * day, 7 * day]
/** A page that is missing (404) is looked at again after this, before anybody is told that it is gone. */
const secondCheckAfterMs = hour
const maxParallel = 8
const timeoutMs = 20 * second

/**
 * Compares what the editions of late said with what the feeds show now, as the store has it, and proposes a correction
 * for each difference that matters. Asks nobody. Returns how many are new.
 */
export async function detectInFeeds(needs: Needs, digests: Digest[]): Promise<number> {
  let proposed = 0
  for (const digest of digests) {
    const open = new Set((await openCorrectionsFrom(needs.db, digest.name, 'feed')).map(articleKey))
    for (const row of await watchedArticles(needs, digest)) {
      const changes = feedChanges(row, row)
      if (changes.length === 0 && !open.has(articleKey(row))) continue // nearly all
      proposed += await settleByFeed(needs, row)
    }
  }
  return proposed
}

/** Settles what the feed shows of one article now. Returns how many corrections are new. */
export function settleByFeed(needs: Needs, row: PrintedTitleRow): Promise<number> {
  const seen: Observation = {
    source: 'feed',
    kinds: ['headline', 'note'],
    changes: feedChanges(row, row),
    headline: row.title,
  }
  return settleObservation(needs, row, seen)
}

/**
 * Asks for the pages of articles in editions of late, now and then: as far as robots.txt lets us, one of a host at a
 * time. Proposes a correction where a page is gone, has another headline or tells of a correction. Returns how many
 * pages were asked for; of two processes one asks.
 */
export async function detectOnPages(needs: DetectNeeds, digests: Digest[], signal?: AbortSignal): Promise<number> {
  const now = needs.clock.now()
  const rows: PrintedTitleRow[] = []
  for (const digest of digests)
    rows.push(...(await watchedArticles(needs, digest)).filter((row) => isCheckDue(row, now)))
  const pages = [...Map.groupBy(rows, ({ saidUrl }) => saidUrl)].filter(([url]) => URL.canParse(url))
  let asked = 0
  await forEachPerHost(
    pages,
    { maxParallel: maxParallel, maxPerHost: 1, hostFor: ([url]) => new URL(url).hostname },
    async ([url, said]) => {
      if (signal?.aborted) return
      try {
        if (await checkPage(needs, url, said)) asked++
      } catch (error) {
        needs.log.error(
          { event: 'correction.not_stored', url, err: error },
          'the check of a printed page cannot be stored',
        )
      }
    },
  )
  return asked
}

/** Whether a look has come due since the last one. */
export function isCheckDue(
  { approvedAt, lookedAt, missingAt }: Pick<PrintedTitleRow, 'approvedAt' | 'lookedAt' | 'missingAt'>,
  now: Instant,
): boolean {
  if (approvedAt === null) return false
  const due = checkAgesMs.filter((age) => msBetween(approvedAt, now) >= age).at(-1)
  if (due !== undefined && (lookedAt === null || lookedAt < addMs(approvedAt, due))) return true
  const secondCheckAt = missingAt === null ? undefined : addMs(missingAt, secondCheckAfterMs)
  return secondCheckAt !== undefined && now >= secondCheckAt && (lookedAt === null || lookedAt < secondCheckAt)
}

function articleKey({ editionId, articleId }: Pick<PrintedTitleRow, 'editionId' | 'articleId'>): string {
  return `${editionId} ${articleId}`
}

async function watchedArticles({ db, clock }: Needs, digest: Digest): Promise<PrintedTitleRow[]> {
  const span = digest.corrections.for
  return span === 'off' ? [] : await printedTitlesSince(db, digest.name, addMs(clock.now(), -parseDurationMs(span)))
}

async function checkPage(needs: DetectNeeds, url: string, said: PrintedTitleRow[]): Promise<boolean> {
  const ours: PrintedTitleRow[] = []
  for (const row of said) if (await claimRecheck(needs.db, row, needs.clock.now())) ours.push(row)
  if (ours.length === 0) return false
  const page = await recheckPage(needs.fetcher, url, timeoutMs, (hop) => robotsRefusal(needs, hop))
  if (page.kind === 'unknown') return false
  for (const row of ours) {
    await settleByPage(needs, row, page)
    await saveFirstPageState(needs, row, page)
  }
  return true
}

/**
 * Settles what the page of an article shows. One that is missing for the first time says nothing yet: sites are broken
 * for an hour.
 */
export async function settleByPage(needs: Needs, row: PrintedTitleRow, page: PageCheck): Promise<void> {
  const now = needs.clock.now()
  const isMissing = page.kind === 'gone' && !page.isLasting
  const missingAt = isMissing ? (row.missingAt ?? now) : null
  if (page.kind !== 'unknown' && missingAt !== row.missingAt)
    await recordPrinted(needs.db, row.editionId, row.articleId, { missingAt })
  const { kinds, changes } = pageChanges(row, page)
  const isTooSoon = missingAt !== null && msBetween(missingAt, now) < secondCheckAfterMs
  const headline = page.kind === 'there' ? page.title : ''
  await settleObservation(needs, row, { source: 'page', kinds, changes, headline, isTooSoon })
}

/** Where nobody looked before the seal, the first look is what later ones are compared with. */
async function saveFirstPageState({ db }: Needs, row: PrintedTitleRow, page: PageCheck): Promise<void> {
  if (page.kind !== 'there' || row.pageNote !== null) return
  const pageTitle = page.isArticle ? page.title : ''
  await recordPrinted(db, row.editionId, row.articleId, { pageTitle, pageNote: page.note?.text ?? '' })
}

/** What was found at one look; `isTooSoon`: nothing new is proposed by it. */
type Observation = {
  source: CorrectionRow['source']
  kinds: Change['kind'][]
  changes: Change[]
  headline: string
  isTooSoon?: boolean
}

async function settleObservation({ db, clock }: Needs, row: PrintedTitleRow, seen: Observation): Promise<number> {
  const { source, kinds, changes, headline, isTooSoon = false } = seen
  if (kinds.length === 0) return 0
  const { digest, editionId, articleId } = row
  const now = clock.now()
  return await transaction(db, async (trx) => {
    const keys = changes.map(({ changeKey }) => changeKey)
    const observed = { editionId, articleId, source, kinds, keys }
    await lapseUnseen(trx, observed, now)
    for (const kind of kinds)
      await doubtUnseen(trx, { ...observed, kinds: [kind] }, revertedReason(kind, headline), now)
    if (isTooSoon) return 0
    await endDoubts(trx, observed)
    let proposed = 0
    for (const change of changes) {
      const found = { digest, editionId, articleId, source, ...change, evidence: toJson(change.evidence) }
      if (await proposeCorrection(trx, found, addMs(now, -reproposeAfterMs), now)) proposed++
    }
    return proposed
  })
}
