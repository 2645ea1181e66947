import { type PageCheck, recheckPage } from '../../articles/recheck-page.ts'
import { robotsRefusal } from '../../articles/robots-policy.ts'
import type { Fetcher } from '../../http/fetcher.ts'
import { forEachPerHost } from '../../http/per-host.ts'
import type { Log } from '../../log.ts'
import {
  doubtUnseen,
  endDoubts,
  expireUnseen,
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

/** Headlines under test on readers come and go: a change that went away is proposed again only after this delay. */
const reproposeAfterMs = day
/** Ages of an approved edition at which its pages are checked, four times at most. */
const checkAgesMs = [3 * hour, day, 3 * day, 7 * day]
/** A missing page (404) is checked again after this delay, before its correction is proposed. */
const secondCheckAfterMs = hour
const maxParallel = 8
const timeoutMs = 20 * second

/**
 * Compares recent editions with the stored feeds and proposes a correction for each relevant difference, without
 * network access. Returns the number of new corrections, without rewordings and developments.
 */
export async function detectInFeeds(needs: Needs, digests: Digest[]): Promise<number> {
  let proposed = 0
  for (const digest of digests) {
    const open = new Set((await openCorrectionsFrom(needs.db, digest.name, 'feed')).map(articleKey))
    for (const row of await watchedArticles(needs, digest)) {
      const changes = feedChanges(row, row)
      if (changes.length === 0 && !open.has(articleKey(row))) continue // the usual case
      proposed += await settleByFeed(needs, row)
    }
  }
  return proposed
}

/** Updates the corrections of an article from its feed. Returns the number of new corrections. */
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
 * Fetches the pages of recently printed articles that are due, as robots.txt allows, one at a time per host, and
 * updates their corrections. Returns the number of pages checked; only one process checks a page.
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

/** Whether a check has become due since the last one. */
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
 * Updates the corrections of an article from its page. A page that is missing for the first time proposes nothing,
 * because sites can fail for an hour.
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

/** Records the first page state as the baseline if the page was not checked before the seal. */
async function saveFirstPageState({ db }: Needs, row: PrintedTitleRow, page: PageCheck): Promise<void> {
  if (page.kind !== 'there' || row.pageNote !== null) return
  const pageTitle = page.isArticle ? page.title : ''
  await recordPrinted(db, row.editionId, row.articleId, { pageTitle, pageNote: page.note?.text ?? '' })
}

/** Result of one check of a feed or page. `isTooSoon`: proposes no corrections. */
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
    await expireUnseen(trx, observed, now)
    for (const kind of kinds)
      await doubtUnseen(trx, { ...observed, kinds: [kind] }, revertedReason(kind, headline), now)
    if (isTooSoon) return 0
    await endDoubts(trx, observed)
    let proposed = 0
    for (const change of changes) {
      const found = { digest, editionId, articleId, source, ...change, evidence: toJson(change.evidence) }
      const isNew = await proposeCorrection(trx, found, addMs(now, -reproposeAfterMs), now)
      if (isNew && change.class === 'correction') proposed++
    }
    return proposed
  })
}
