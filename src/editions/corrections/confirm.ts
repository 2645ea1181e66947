import type { PageCheck } from '../../articles/recheck-page.ts'
import { forEachPerHost } from '../../http/per-host.ts'
import { correctionById } from '../../store/corrections/corrections.ts'
import { printedTitleOf } from '../../store/corrections/printed-titles.ts'
import type { NewEvent } from '../../store/events/event.ts'
import { addEvent } from '../../store/events/events.ts'
import type { CorrectionRow, Db } from '../../store/schema.ts'
import { type Clock, second } from '../../time/clock.ts'
import type { DraftCorrection } from '../edition.ts'
import { type CheckPage, hostOf } from '../preflight.ts'
import { settleByFeed, settleByPage } from './detect.ts'

type Needs = { db: Db; clock: Clock; check?: CheckPage | undefined }

const maxParallel = 8
const maxPerHost = 2
const totalTimeoutMs = 30 * second

/**
 * Checks the corrections of an edition again before the seal and returns those that still apply; a `gone` correction
 * waits for the next edition if its page does not answer. `answers` holds page answers of this seal by URL; without
 * `check` no page is fetched.
 */
export async function confirmCorrections<C extends DraftCorrection>(
  needs: Needs,
  editionId: string,
  corrections: C[],
  answers: Map<string, PageCheck>,
): Promise<C[]> {
  const { db, check } = needs
  if (corrections.length === 0) return []
  const rows = await Promise.all(corrections.map(({ id }) => correctionById(db, id)))
  const stillOpen = rows.flatMap((row) => (row && row.undoneAt === null ? [row] : [])) // else an editor confirmed it
  const pages = new Set(stillOpen.filter(({ source }) => source === 'page').map(({ url }) => url))
  if (check) await checkPages([...pages], check, answers)
  for (const row of stillOpen) await settleCorrection(needs, row, answers.get(row.url))
  const waiting = stillOpen.filter(({ kind, url }) => check && kind === 'gone' && answers.get(url)?.kind !== 'gone')
  const confirmed: C[] = []
  for (const correction of corrections) {
    const row = await correctionById(db, correction.id)
    const waits = waiting.some(({ id }) => id === correction.id)
    if (row?.status === 'accepted' && !waits) confirmed.push(correction)
    else await addEvent(db, leftOutEvent(editionId, correction, row?.status), needs.clock.now())
  }
  return confirmed
}

function leftOutEvent(
  edition: string,
  { said }: DraftCorrection,
  status: CorrectionRow['status'] | undefined,
): NewEvent {
  const why = status === 'accepted' ? 'unanswered' : 'outdated'
  return { kind: 'edition.correction_left_out', actor: 'system', edition, data: { said, why } }
}

async function checkPages(urls: string[], check: CheckPage, answers: Map<string, PageCheck>): Promise<void> {
  const deadline = performance.now() + totalTimeoutMs
  const uncheckedUrls = urls.filter((url) => !answers.has(url))
  await forEachPerHost(
    uncheckedUrls,
    { maxParallel: maxParallel, maxPerHost: maxPerHost, hostFor: hostOf },
    async (url) => {
      if (performance.now() < deadline) answers.set(url, await check(url))
    },
  )
}

type FoundCorrection = Pick<CorrectionRow, 'editionId' | 'articleId' | 'source'>

async function settleCorrection(
  needs: Needs,
  { editionId, articleId, source }: FoundCorrection,
  answer: PageCheck | undefined,
) {
  const row = await printedTitleOf(needs.db, editionId, articleId)
  if (!row) return
  if (source === 'feed') await settleByFeed(needs, row)
  if (source === 'page' && answer) await settleByPage(needs, row, answer)
}
