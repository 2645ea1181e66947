import { editionById, moveEdition } from '../../store/editions/editions.ts'
import { withdrawVariants } from '../../store/editions/variants.ts'
import type { Db, EditionRow } from '../../store/schema.ts'
import type { Clock } from '../../time/clock.ts'
import { type ChooseAgainOptions, chooseAgain } from '../compose/choose-again.ts'
import type { ComposeNeeds } from '../compose/draft.ts'
import type { Digest } from '../digest.ts'
import { releaseContents } from '../review/cancel.ts'

const unsealed = { status: 'composed' as const, sealedAt: null, approvedAt: null }

/**
 * Unseals an unsent edition and releases its contents; the caller must hold the digest's lock. Keeps the sealed bytes as
 * withdrawn, and returns their SHA-256 hashes.
 */
export async function reopen(
  { db, clock }: { db: Db; clock: Clock },
  edition: EditionRow,
  change: Partial<EditionRow> = {},
): Promise<string[]> {
  const now = clock.now()
  const seals = await withdrawVariants(db, edition.id, now)
  await releaseContents(db, edition.id, now)
  await moveEdition(db, edition.id, [edition.status], { ...unsealed, ...change })
  return seals
}

/** Chooses the content of a reopened edition again; a hold by a person stays. Returns the updated edition. */
export async function chooseReopened(
  needs: ComposeNeeds,
  edition: EditionRow,
  digest: Digest,
  options: ChooseAgainOptions = {},
): Promise<EditionRow> {
  await chooseAgain(needs, edition, digest, options)
  return (await editionById(needs.db, edition.id)) ?? edition
}
