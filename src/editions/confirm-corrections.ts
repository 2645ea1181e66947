import { type Clock, second } from '../clock.ts'
import type { AskedAgain } from '../feeds/ask-again.ts'
import { inLanes } from '../feeds/lanes.ts'
import { correctionById } from '../store/corrections.ts'
import { note } from '../store/editions.ts'
import { saidOf } from '../store/said.ts'
import type { CorrectionRow, Db } from '../store/schema.ts'
import type { DraftCorrection } from './edition.ts'
import { type Check, hostOf } from './late.ts'
import { settleByFeed, settleByPage } from './late-truth.ts'

type Needs = { db: Db; clock: Clock; check?: Check | undefined }

const maxParallel = 8
const maxPerHost = 2
const maxMs = 30 * second

/**
 * Looks once more, just before the seal, whether the corrections that an edition is to print are still so, and returns
 * those that are. The others wait for an editor's word again; one of a page that must be gone, and does not answer, waits
 * for the next edition. Without `check` no page is asked for. `answers` holds what pages said at this seal, by address.
 */
export async function confirmedCorrections<C extends DraftCorrection>(
  needs: Needs,
  editionId: string,
  corrections: C[],
  answers: Map<string, AskedAgain>,
): Promise<C[]> {
  const { db, check } = needs
  if (corrections.length === 0) return []
  const rows = await Promise.all(corrections.map(({ id }) => correctionById(db, id)))
  const known = rows.flatMap((row) => (row && row.undoneAt === null ? [row] : [])) // else an editor has confirmed it
  const pages = new Set(known.filter(({ source }) => source === 'page').map(({ url }) => url))
  if (check) await askFor([...pages], check, answers)
  for (const row of known) await settle(needs, row, answers.get(row.url))
  const waiting = known.filter(({ kind, url }) => check && kind === 'gone' && answers.get(url)?.kind !== 'gone')
  const confirmed: C[] = []
  for (const correction of corrections) {
    const row = await correctionById(db, correction.id)
    const waits = waiting.some(({ id }) => id === correction.id)
    if (row?.status === 'accepted' && !waits) confirmed.push(correction)
    else await note(db, editionId, 'lastword', notPrinted(correction, row?.status), needs.clock.now())
  }
  return confirmed
}

function notPrinted({ said }: DraftCorrection, status: CorrectionRow['status'] | undefined): string {
  const why =
    status === 'accepted' ? 'its page did not answer, so nobody knows whether it is gone' : 'it is no longer so'
  return `the correction of “${said}” is not printed: ${why}`
}

async function askFor(urls: string[], check: Check, answers: Map<string, AskedAgain>): Promise<void> {
  const until = performance.now() + maxMs
  const open = urls.filter((url) => !answers.has(url))
  await inLanes(open, { atOnce: maxParallel, perLane: maxPerHost, laneOf: hostOf }, async (url) => {
    if (performance.now() < until) answers.set(url, await check(url))
  })
}

type Found = Pick<CorrectionRow, 'editionId' | 'articleId' | 'source'>

async function settle(needs: Needs, { editionId, articleId, source }: Found, answer: AskedAgain | undefined) {
  const row = await saidOf(needs.db, editionId, articleId)
  if (!row) return
  if (source === 'feed') await settleByFeed(needs, row)
  if (source === 'page' && answer) await settleByPage(needs, row, answer)
}
