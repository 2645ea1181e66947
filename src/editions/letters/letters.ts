import { AppError } from '../../errors.ts'
import { addLetter, type Letter, letterById, rewordLetter, withdrawLetter } from '../../store/letters/letters.ts'
import type { Db } from '../../store/schema.ts'
import type { Clock } from '../../time/clock.ts'
import type { Digest } from '../digest.ts'
import { type LetterProblem, readLetter, type TypedLetter } from './read-letter.ts'

type Needs = { db: Db; clock: Clock }

/** The digests that print readers' letters: those with a have-your-say section. */
export function digestsWithLetters(digests: Digest[]): Digest[] {
  return digests.filter(({ sections }) => sections.some(({ layout }) => layout === 'have-your-say'))
}

/** The digest has the same letter already: AppError `conflict`, with that letter. */
export class DuplicateLetter extends AppError {
  readonly letter: Letter

  constructor(letter: Letter) {
    const { headline, enteredBy, enteredAt, digest, number, editionId } = letter
    const entered = `(“${headline}”, entered by ${enteredBy} on ${enteredAt.slice(0, 10)})`
    const where = editionId === null ? 'is already waiting' : `is in ${digest} ${number ?? ''} already`
    super('conflict', `the same letter ${where} ${entered}`, { hint: 'Nothing was added.' })
    this.letter = letter
  }
}

/** The letter was reworded after the caller read it: AppError `conflict`, with the current letter. */
export class LetterChanged extends AppError {
  readonly letter: Letter

  constructor(letter: Letter) {
    super('conflict', `${letter.editedBy} has reworded “${letter.headline}” since you looked at it`)
    this.letter = letter
  }
}

/**
 * Adds a pending letter to a digest and returns its id or the problems. AppError `conflict` if the digest prints no
 * letters; DuplicateLetter if it has the same letter, unless `anyway` is that letter's id.
 */
export async function createLetter(
  { db, clock }: Needs,
  digest: Digest,
  typed: TypedLetter,
  who: string,
  { anyway }: { anyway?: string | undefined } = {},
): Promise<{ id: string } | { problems: LetterProblem[] }> {
  if (digestsWithLetters([digest]).length === 0)
    throw new AppError('conflict', `${digest.name} prints no letters`, {
      hint: 'It needs a section with the layout have-your-say in its job file.',
    })
  const words = readLetter(typed, digest.zone, clock.now())
  if ('problems' in words) return words
  const added = await addLetter(db, digest.name, words, { who, anyway, now: clock.now() })
  if ('same' in added) throw new DuplicateLetter(added.same)
  return added
}

/**
 * Rewords a pending letter; `version` is the one that the form showed. Throws LetterChanged if the version differs,
 * AppError `missing` for an unknown id, `conflict` if the letter is not pending.
 */
export async function editLetter(
  { db, clock }: Needs,
  { id, zone, version }: { id: string; zone: string; version?: number | undefined },
  typed: TypedLetter,
  who: string,
): Promise<{ id: string } | { problems: LetterProblem[] }> {
  const words = readLetter(typed, zone, clock.now())
  if ('problems' in words) return words
  const changed = await rewordLetter(db, id, words, { who, version, now: clock.now() })
  if (changed === 'done') return { id }
  throw refusalError(changed, await letterById(db, id), id)
}

/** Withdraws a pending letter and erases its text permanently. Errors as in `editLetter`. */
export async function withdrawPendingLetter(
  { db, clock }: Needs,
  id: string,
  who: string,
  { version }: { version?: number | undefined } = {},
): Promise<Letter> {
  const letter = await letterById(db, id)
  const changed = await withdrawLetter(db, id, { who, version, now: clock.now() })
  if (changed === 'done') return letter as Letter
  throw refusalError(changed, await letterById(db, id), id)
}

function refusalError(changed: 'changed' | 'settled', letter: Letter | undefined, id: string): AppError {
  return changed === 'changed' && letter ? new LetterChanged(letter) : settledError(letter, id)
}

function settledError(letter: Letter | undefined, id: string): AppError {
  if (!letter) return new AppError('missing', `there is no letter ${id}`, { hint: 'lastword letters list shows them.' })
  if (letter.withdrawnAt !== null)
    return new AppError(
      'conflict',
      `“${letter.headline}” was withdrawn by ${letter.withdrawnBy} on ${letter.withdrawnAt}`,
    )
  return new AppError(
    'conflict',
    `“${letter.headline}” stands in ${letter.digest} ${letter.number ?? ''}, which is sealed`,
    {
      hint: 'Cancelling that edition gives it back.',
    },
  )
}
