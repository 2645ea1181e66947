import { describeReason } from '../../../describe/describe.ts'
import {
  correctionRevision,
  isPublished,
  maxCorrectionLength,
  statusText,
  suggestedText,
} from '../../../editions/corrections/decide.ts'
import { isMinor } from '../../../editions/corrections/minor.ts'
import {
  type CorrectionView,
  correctionById,
  correctionsAbout,
  correctionsIn,
  correctionsOfArticle,
  waitingCorrections,
  withdrawalKey,
} from '../../../store/corrections/corrections.ts'
import { formatCount } from '../../../text/words.ts'
import { editionTitle, momentFormatter } from '../../format.ts'
import { isId, type Web } from '../../response.ts'
import { pathTo, urls } from '../../urls.ts'

/** A refused decision: why, and the typed text, which is shown again. */
export type RefusedCorrection = { id: string; message: string; hint: string; words: string | undefined }

const maxProposed = 50

/** The corrections that wait for a decision, and those that wait for the next edition. */
export async function waitingCorrectionsView(web: Web, refused?: RefusedCorrection) {
  const waiting = await waitingCorrections(web.app.db)
  const proposed = waiting.filter((one) => isUndecided(one) && !isMinor(one))
  const minor = waiting.filter(isMinor)
  const shown = proposed.slice(0, maxProposed)
  const views = (rows: CorrectionView[]) => Promise.all(rows.map((row) => toView(web, row, 'studio', refused)))
  return {
    proposed: await views(shown),
    more: Math.max(0, proposed.length - maxProposed),
    minor: await views(minor.slice(0, maxProposed)),
    minorCount: minor.length,
    moreMinor: Math.max(0, minor.length - maxProposed),
    minorUntil: minor.at(-1)?.proposedAt ?? '',
    dismissMinor: web.base + urls.minorCorrections,
    accepted: await views(waiting.filter((one) => !isUndecided(one))),
    count: formatCount(proposed.length, 'correction'),
    refused: refused ? [{ ...refused, words: shown.some(({ id }) => id === refused.id) ? '' : refused.words }] : [],
  }
}

function isUndecided({ status }: CorrectionView): boolean {
  return status === 'proposed' || status === 'doubted'
}

/** The corrections of one edition in any status, and the corrections of earlier editions that it prints. */
export async function editionCorrections(web: Web, editionId: string) {
  const about = await correctionsAbout(web.app.db, editionId)
  const prints = await correctionsIn(web.app.db, editionId)
  const toItem = (correction: CorrectionView) => toView(web, correction, 'edition')
  const [others, main] = [about.filter(isMinor), about.filter((one) => !isMinor(one))]
  return {
    about: await Promise.all(main.map(toItem)),
    minor: await Promise.all(others.map(toItem)),
    minorCount: others.length,
    prints: await Promise.all(prints.map(toItem)),
  }
}

/** Sentences about the correction just decided, by its row in the store; empty for an unknown id. */
export async function correctedText(web: Web, id: string | undefined, staff: string | undefined): Promise<string[]> {
  const correction = isId(id) ? await correctionById(web.app.db, id) : undefined
  if (!correction) return []
  const { status, said, decidedBy, printedNumber } = correction
  const about = await correctionsAbout(web.app.db, correction.editionId)
  const withdrawal = about.find(({ changeKey }) => changeKey === withdrawalKey(correction.id))
  if (withdrawal) {
    const name = withdrawal.decidedBy === staff ? 'You' : withdrawal.decidedBy
    return [`${name} withdrew the correction of “${said}”. The archive and the next edition will say so.`]
  }
  const who = decidedBy === staff ? 'You' : decidedBy
  const others = await sameChangeTexts(web, correction)
  if (status === 'accepted')
    return [
      `${who} accepted the correction of “${said}”. It appears in ${printedNumber === null ? 'the next edition' : `edition ${printedNumber}`} and in the archive.`,
      ...others,
    ]
  if (status === 'dismissed')
    return [`${who} dismissed the correction of “${said}”. It will not be printed.`, ...others]
  if (status === 'proposed') return [`The correction of “${said}” is waiting for a decision again.`]
  return []
}

/** Sentences about the same change in other newsletters that printed the article. */
async function sameChangeTexts({ app }: Web, correction: CorrectionView): Promise<string[]> {
  const all = await correctionsOfArticle(app.db, correction.articleId)
  const others = all.filter(
    ({ id, kind, found }) => id !== correction.id && kind === correction.kind && found === correction.found,
  )
  return others.map((one) => {
    const where = editionTitle(
      one,
      app.digests.find(({ name }) => name === one.digest),
    )
    if (isUndecided(one)) return `${where} printed it too. The correction there is still waiting for a decision.`
    const words =
      one.status === 'accepted' && one.words !== correction.words ? `, with different wording: “${one.words}”` : ''
    return `${where} printed it too. The correction there was ${one.status} by ${one.decidedBy}${words}.`
  })
}

function anchorOf(id: string): string {
  return `correction-${id}`
}

async function toView(web: Web, correction: CorrectionView, from: 'studio' | 'edition', refused?: RefusedCorrection) {
  const { app, base } = web
  const { id, said, found, url, status, words, kind, printedIn, editionId } = correction
  const isDoubted = status === 'doubted'
  const digest = app.digests.find((one) => one.name === correction.digest)
  const typed = refused?.id === id ? refused.words : undefined
  return {
    anchor: anchorOf(id),
    seen: correctionRevision(correction),
    elsewhere: await sameChangeTexts(web, correction),
    said,
    found: kind === 'gone' ? '' : found,
    evidence: isDoubted ? `It is ${statusText(correction)}` : describeReason(correction.evidence),
    url: /^https?:/i.test(url) && kind !== 'gone' ? url : '',
    edition: { name: editionTitle(correction, digest), href: base + pathTo(urls.studioEdition, editionId) },
    at: momentFormatter(digest?.zone)(correction.proposedAt),
    isProposed: isUndecided(correction),
    mayWithdraw: status === 'accepted' && isPublished(correction) && kind !== 'withdrawal',
    mayReopen: (status === 'accepted' || status === 'dismissed') && printedIn === null,
    words: typed ?? words ?? suggestedText(correction),
    acceptedText: status === 'accepted' ? (words ?? '') : '',
    status: statusText(correction),
    maxLength: maxCorrectionLength,
    action: base + pathTo(urls.correctionDecision, id),
    from,
  }
}
