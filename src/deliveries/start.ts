import { AppError } from '../errors.ts'
import { freezePage, lastFrozenSubscriber } from '../store/deliveries/audience.ts'
import { repeatUnknown } from '../store/deliveries/unknown.ts'
import { clearFutureWaits } from '../store/digests/clock-faults.ts'
import { editionById, moveEdition } from '../store/editions/editions.ts'
import { addEvent } from '../store/events/events.ts'
import type { EditionRow } from '../store/schema.ts'
import { maxAttempts } from './delivery.ts'
import { judgeCanaries } from './limits/canary.ts'
import { shapeOf } from './limits/rules.ts'
import type { DeliverNeeds, UnknownRule } from './sending-needs.ts'

const pageSize = 10_000

/**
 * Prepares an approved edition for sending: plans waves and canaries, freezes the audience, cuts it into slices and
 * makes waiting slices due. Safe to repeat after a crash; throws AppError `conflict` if the edition is neither approved
 * nor being sent.
 */
export async function startSending(needs: DeliverNeeds, editionId: string, unknown: UnknownRule): Promise<EditionRow> {
  const { db, clock, rules } = needs
  const edition = await beginSending(needs, editionId)
  await freezeAudience(needs, edition)
  await clearFutureWaits(db, editionId, clock.now())
  if (unknown === 'repeat') await repeatUnknown(db, editionId, maxAttempts, clock.now())
  if (rules?.canary) await judgeCanaries(needs, edition, rules.canary)
  return edition
}

async function beginSending({ db, clock }: DeliverNeeds, id: string): Promise<EditionRow> {
  if (await moveEdition(db, id, ['approved'], { status: 'sending' })) {
    await addEvent(db, { kind: 'edition.sending_started', actor: 'system', edition: id, data: {} }, clock.now())
  }
  const edition = await editionById(db, id)
  if (edition?.status !== 'sending') {
    throw new AppError(
      'conflict',
      `edition ${id} is ${edition?.status ?? 'unknown'}: only an approved edition can be sent`,
    )
  }
  return edition
}

async function freezeAudience(needs: DeliverNeeds, edition: EditionRow): Promise<void> {
  const { db, clock } = needs
  if (edition.audienceAt !== null) return
  const shape = await shapeOf(needs, edition)
  let after: string | null = await lastFrozenSubscriber(db, edition.id)
  while (after !== null) after = await freezePage(db, edition, { after, size: pageSize }, clock.now(), shape)
  await moveEdition(db, edition.id, ['sending'], { audienceAt: clock.now() })
}
