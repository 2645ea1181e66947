import type { EditionRow } from '../store/schema.ts'
import type { Digest } from './digest.ts'

/** Which digests have a public archive, by name, as their job files say. */
export function archiveRules(digests: Pick<Digest, 'name' | 'archive'>[]): { on: string[]; off: string[] } {
  const namesWith = (archive: Digest['archive']) =>
    digests.filter((one) => one.archive === archive).map(({ name }) => name)
  return { on: namesWith('on'), off: namesWith('off') }
}

/**
 * Whether anybody may read the edition on the web: as the job file of its digest says today; where that is away, as it
 * said when the edition was made.
 */
export function isPublic(
  { digest, archive }: Pick<EditionRow, 'digest' | 'archive'>,
  digests: Pick<Digest, 'name' | 'archive'>[],
): boolean {
  return (digests.find(({ name }) => name === digest)?.archive ?? archive) === 'on'
}
