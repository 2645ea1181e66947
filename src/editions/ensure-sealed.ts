import type { EditionRow } from '../store/schema.ts'
import type { ObstacleNeeds } from './approval-rules.ts'
import type { Digest } from './digest.ts'
import { type SealNeeds, seal } from './seal.ts'
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
