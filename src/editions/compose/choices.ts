import { pendingArticles } from '../../store/articles/articles.ts'
import { addChoices } from '../../store/editions/choices.ts'
import type { NewEvent } from '../../store/events/event.ts'
import { type Reason, withFurther } from '../../store/events/reason.ts'
import { toJson } from '../../store/json.ts'
import { expirePassedOver } from '../../store/ledger/ledger.ts'
import { pendingLetters } from '../../store/letters/printing.ts'
import type { Db, EditionRow } from '../../store/schema.ts'
import type { Instant } from '../../time/clock.ts'
import { articleChoices, type Choice, chosenOnly, letterChoices, withoutPlace } from '../choice/choice.ts'
import { expiryOf, expiryReason } from '../choice/expiry.ts'
import type { Pending } from '../choice/select.ts'
import type { ThinDecision } from '../choice/thin.ts'
import type { Digest } from '../digest.ts'

export function contentsOf(choices: Choice[], thin: ThinDecision | undefined) {
  const chosen = chosenOnly(choices)
  const [articles, letters] = [articleChoices(chosen).length, letterChoices(chosen).length]
  return { articles, letters, thin: thin?.reason ?? null }
}

export function skippedEvent(edition: string, reason: Reason): NewEvent {
  return { kind: 'edition.skipped', actor: 'system', edition, data: { reason } }
}

/**
 * Loads the pending articles and letters. A page that was gone at an earlier check is tried again, but only once per
 * edition.
 */
export async function loadPending(db: Db, digest: Digest, cutSince?: Instant): Promise<Pending> {
  const articles = (await pendingArticles(db, digest.name)).map(({ cut, ...article }) =>
    cut && cutSince !== undefined && cut.at >= cutSince ? { ...article, cut } : article,
  )
  return { articles, letters: await pendingLetters(db, digest.name) }
}

/** The reason to store, if any: it makes the edition skipped, or held at the seal. */
export function recordedReason(thin: ThinDecision | undefined): Reason | undefined {
  return thin?.rule === 'send' ? undefined : thin?.reason
}

type ChoicesToWrite = { edition: EditionRow; digest: Digest; choices: Choice[]; now: Instant }

/**
 * Stores the choices of an edition; a skipped edition chooses nothing, and its candidates stay pending. A skipped
 * edition expires only articles that are too old.
 */
export async function writeChoices(db: Db, { edition, digest, choices, now }: ChoicesToWrite): Promise<void> {
  const isSkipped = edition.status === 'skipped'
  const rows = choices.map((choice) => {
    const { section, position, reason } = isSkipped ? withoutEdition(choice) : choice
    const place = { editionId: edition.id, section, position }
    if (choice.kind === 'letter')
      return { ...place, articleId: null, letterId: choice.letter.id, reason: toJson(reason), lastAt: null }
    const { article } = choice
    const expiry = expiryOf(choice, { digest, now, isSkipped })
    const isPassed = expiry === 'passed' && article.decision?.kind !== 'exclude'
    const recorded = isPassed ? withFurther(reason, expiryReason(digest)) : reason
    const lastAt = expiry === null ? null : now
    return { ...place, articleId: article.id, letterId: null, reason: toJson(recorded), lastAt }
  })
  await addChoices(db, rows)
  if (isSkipped) await expirePassedOver(db, digest.name, edition.id, now)
}

function withoutEdition(choice: Choice): Choice {
  return choice.position === null ? choice : withoutPlace(choice, { code: 'edition-skipped' })
}
