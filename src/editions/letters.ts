import type { Clock } from '../clock.ts'
import { AppError } from '../errors.ts'
import { addLetter, type Letter, letterById, rewordLetter, withdrawLetter } from '../store/letters.ts'
import type { Db } from '../store/schema.ts'
import type { Digest } from './digest.ts'
import { type LetterProblem, readLetter, type TypedLetter } from './letter-words.ts'

type Needs = { db: Db; clock: Clock }

/** The digests that print readers' letters: those with a section of the layout have-your-say. */
export function printingDigests(digests: Digest[]): Digest[] {
  return digests.filter(({ sections }) => sections.some(({ layout }) => layout === 'have-your-say'))
}

/** Takes a letter in for a digest that prints some: pending from here on. Returns its id, or what is wrong with it. */
export async function printLetter(
  { db, clock }: Needs,
  digest: Digest,
  typed: TypedLetter,
  who: string,
): Promise<{ id: string } | { problems: LetterProblem[] }> {
  if (printingDigests([digest]).length === 0)
    throw new AppError('conflict', `${digest.name} prints no letters`, {
      hint: 'It needs a section with the layout have-your-say in its job file.',
    })
  const words = readLetter(typed, digest.zone, clock.now())
  if ('problems' in words) return words
  return { id: await addLetter(db, digest.name, words, who, clock.now()) }
}

/** Words a letter anew that waits. AppError if there is none by that id, or it does not wait any more. */
export async function editLetter(
  { db, clock }: Needs,
  { id, zone }: { id: string; zone: string },
  typed: TypedLetter,
  who: string,
): Promise<{ id: string } | { problems: LetterProblem[] }> {
  const words = readLetter(typed, zone, clock.now())
  if ('problems' in words) return words
  if (await rewordLetter(db, id, words, who, clock.now())) return { id }
  throw settled(await letterById(db, id), id)
}

/** Takes a letter back that waits, for good. AppError if there is none by that id, or it does not wait any more. */
export async function withdraw({ db, clock }: Needs, id: string, who: string): Promise<Letter> {
  const letter = await letterById(db, id)
  if (await withdrawLetter(db, id, who, clock.now())) return letter as Letter
  throw settled(letter, id)
}

function settled(letter: Letter | undefined, id: string): AppError {
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
