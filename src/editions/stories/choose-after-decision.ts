import { editionsByStatus } from '../../store/editions/editions.ts'
import { chooseAgain } from '../compose/choose-again.ts'
import type { ComposeNeeds } from '../compose/draft.ts'
import type { Digest } from '../digest.ts'
import { reopen } from '../edits/reopen.ts'

/**
 * Chooses the contents of the digest's editions again that are not sealed yet, or that a rule holds, because an editor
 * decided about quarantined articles. An edition that a person holds stays as it is. The caller holds the digest's lock.
 */
export async function chooseAfterDecision(needs: ComposeNeeds, digest: Digest): Promise<void> {
  for (const edition of await editionsByStatus(needs.db, ['composed', 'held'], digest.name)) {
    if (edition.heldBy !== null) continue
    if (edition.status === 'held') await reopen(needs, edition)
    await chooseAgain(needs, edition, digest)
  }
}
