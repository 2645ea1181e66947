import { longestWords, standing, suggestedWords } from '../editions/corrections.ts'
import {
  type CorrectionView,
  correctionById,
  correctionsAbout,
  correctionsIn,
  waitingCorrections,
} from '../store/corrections.ts'
import { isId, type Web } from './answer.ts'
import { pathTo, urls } from './urls.ts'
import { counted, editionTitle, momentWriter } from './words.ts'

/** A decision that could not be made: why, and the words that were typed, which are shown again. */
export type RefusedCorrection = { id: string; message: string; hint: string; words: string | undefined }

const most = 50

/** What waits for an editor, and what waits for the next edition. */
export async function waitingView(web: Web, refused?: RefusedCorrection) {
  const waiting = await waitingCorrections(web.app.db)
  const views = waiting.map((correction) => toView(web, correction, 'studio', refused))
  const proposed = views.filter(({ isProposed }) => isProposed)
  const isShown = ({ id }: RefusedCorrection) => proposed.some(({ anchor }) => anchor === anchorOf(id))
  return {
    proposed: proposed.slice(0, most),
    more: Math.max(0, proposed.length - most),
    accepted: views.filter(({ isProposed }) => !isProposed),
    count: counted(proposed.length, 'correction waits', 'corrections wait'),
    refused: refused ? [{ ...refused, words: isShown(refused) ? '' : refused.words }] : [],
  }
}

/** The corrections of what one edition said, in whatever state, and those of earlier ones that it prints. */
export async function editionCorrections(web: Web, editionId: string) {
  const about = await correctionsAbout(web.app.db, editionId)
  const prints = await correctionsIn(web.app.db, editionId)
  const toItem = (correction: CorrectionView) => toView(web, correction, 'edition')
  return { about: about.map(toItem), prints: prints.map(toItem) }
}

/** What became of the correction that somebody just decided about, from the record; none for an id that is made up. */
export async function correctedWords(
  { app }: Web,
  id: string | undefined,
  staff: string | undefined,
): Promise<string[]> {
  const correction = isId(id) ? await correctionById(app.db, id) : undefined
  if (!correction) return []
  const { status, said, decidedBy, printedNumber } = correction
  const who = decidedBy === staff ? 'You' : decidedBy
  if (status === 'accepted')
    return [
      `${who} accepted the correction of “${said}”. ${printedNumber === null ? 'The next edition' : `Edition ${printedNumber}`} prints it, and the archive notes it.`,
    ]
  if (status === 'dismissed') return [`${who} dismissed the correction of “${said}”. It is not printed.`]
  if (status === 'proposed') return [`The correction of “${said}” is proposed again.`]
  return []
}

function anchorOf(id: string): string {
  return `correction-${id}`
}

function toView(
  { app, base }: Web,
  correction: CorrectionView,
  from: 'studio' | 'edition',
  refused?: RefusedCorrection,
) {
  const { id, said, found, evidence, url, status, words, kind, printedIn, editionId } = correction
  const digest = app.digests.find((one) => one.name === correction.digest)
  const typed = refused?.id === id ? refused.words : undefined
  return {
    anchor: anchorOf(id),
    said,
    found: kind === 'gone' ? '' : found,
    evidence,
    url: /^https?:/i.test(url) && kind !== 'gone' ? url : '',
    edition: { name: editionTitle(correction, digest), href: base + pathTo(urls.studioEdition, editionId) },
    at: momentWriter(digest?.zone)(correction.proposedAt),
    isProposed: status === 'proposed',
    mayReopen: (status === 'accepted' || status === 'dismissed') && printedIn === null,
    words: typed ?? words ?? suggestedWords(correction),
    right: status === 'accepted' ? (words ?? '') : '',
    standing: standing(correction),
    longestWords,
    action: base + pathTo(urls.correctionDecision, id),
    from,
  }
}
