import { editionById } from '../store/editions/editions.ts'
import type { EditionRow } from '../store/schema.ts'
import type { Digest } from './digest.ts'
import type { ObstacleNeeds } from './review/approval-rules.ts'
import { type SealNeeds, seal } from './seal.ts'
import { recordSealFailure } from './seal-failure.ts'
import { unsealOutdated } from './unseal.ts'

/** Seals the edition if needed, and again if its date has passed or its settings have changed since the seal. */
export async function ensureSealed(
  needs: SealNeeds & ObstacleNeeds,
  edition: EditionRow,
  digest: Digest,
): Promise<EditionRow> {
  const isOutdated = edition.status !== 'composed' && (await unsealOutdated(needs, edition, digest))
  return isOutdated || edition.status === 'composed' ? await seal(needs, edition.id, digest) : edition
}

/**
 * Seals an edition that an edit has unsealed, so that people see the new email at once. A failure is logged and recorded
 * in the history, and the timetable tries again.
 */
export async function sealEdited(needs: SealNeeds & { digests: Digest[] }, id: string): Promise<void> {
  const edition = await editionById(needs.db, id)
  const digest = needs.digests.find(({ name }) => name === edition?.digest)
  if (!digest || edition?.status !== 'composed') return
  try {
    await seal(needs, id, digest)
  } catch (err) {
    const fields = { event: 'edition.failed', edition: id, digest: digest.name, err }
    needs.log?.error(fields, 'the edited edition could not be sealed; it is tried again')
    await recordSealFailure(needs, id, err)
  }
}
