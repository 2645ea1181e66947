import type { EditionRow } from '../store/schema.ts'
import type { Digest } from './digest.ts'

/** The names of the digests with and without a public archive, from their job files. */
export function archiveRules(digests: Pick<Digest, 'name' | 'archive'>[]): { on: string[]; off: string[] } {
  const namesWith = (archive: Digest['archive']) =>
    digests.filter((one) => one.archive === archive).map(({ name }) => name)
  return { on: namesWith('on'), off: namesWith('off') }
}

/**
 * Whether the edition is public on the web: as in the current job file of its digest, or, without a job file, as when
 * the edition was made.
 */
export function isPublic(
  { digest, archive }: Pick<EditionRow, 'digest' | 'archive'>,
  digests: Pick<Digest, 'name' | 'archive'>[],
): boolean {
  return (digests.find(({ name }) => name === digest)?.archive ?? archive) === 'on'
}
