import type { App } from '../../app.ts'
import { envelopeSender } from '../../config/config.ts'
import { rulesOf } from '../../deliveries/limits/rules.ts'
import type { DeliverNeeds } from '../../deliveries/sending-needs.ts'
import { describeSentence } from '../../describe/describe.ts'
import { editionName } from '../../editions/edition.ts'
import { settingObstaclesOf } from '../../editions/review/approval-rules.ts'
import { AppError } from '../../errors.ts'
import { bufferPool } from '../../mail/buffer-pool.ts'
import { compileSignedMessage } from '../../mail/dkim.ts'
import { deliveryKeys } from '../../mail/keys.ts'
import { compileMessage, type Message } from '../../mail/mime.ts'
import { toMessageTemplate } from '../../messages/message-template.ts'
import { editionById } from '../../store/editions/editions.ts'
import { variantsOf } from '../../store/editions/variants.ts'
import type { EditionRow, VariantRow } from '../../store/schema.ts'
import type { Sender } from './sender.ts'

/**
 * The settings that block sending of an approved edition, one sentence each. Empty if a person has overridden them for
 * this edition.
 */
export async function sendingObstacles(
  app: Pick<App, 'db' | 'config' | 'digests'>,
  edition: EditionRow,
): Promise<string[]> {
  if (edition.overriddenAt !== null) return []
  return (await settingObstaclesOf(app, edition)).map(describeSentence)
}

/**
 * The dependencies of sending this edition, with a function that fills its sealed bytes with each person's keys. AppError
 * `missing` if the edition is not sealed, `conflict` if `sendingObstacles` finds any.
 */
export async function sendingNeeds(app: App, sender: Sender, editionId: string): Promise<DeliverNeeds> {
  const edition = await editionById(app.db, editionId)
  const [variant] = await variantsOf(app.db, editionId)
  if (!edition || !variant)
    throw new AppError('missing', `edition ${editionId} is not sealed: there is nothing to send`)
  const obstacles = await sendingObstacles(app, edition)
  if (obstacles.length > 0)
    throw new AppError('conflict', `${editionName(edition)} is not sent. ${obstacles.join(' ')}`)
  const { db, store, clock } = app
  const { relays, worker, rates, providers } = sender
  return {
    db,
    engine: store.engine,
    clock,
    relays,
    worker,
    rates,
    providers,
    rules: rulesOf(app, edition.digest),
    ...messagesOf(app, sender, edition, variant),
    ...reports(app, editionId),
  }
}

function messagesOf(
  app: App,
  { signers }: Sender,
  edition: EditionRow,
  variant: VariantRow,
): Pick<DeliverNeeds, 'personalise' | 'reuse'> {
  const { config, clock, secret } = app
  const buffers = bufferPool()
  // The envelope sender comes from the current settings, not from the seal: readers do not see it, and relays may refuse it.
  const { address: returnPath, isPersonal: personalReturnPath } = envelopeSender(config)
  const letter = { ...toMessageTemplate(secret, edition, variant), returnPath, personalReturnPath }
  const fill =
    signers.length > 0 ? compileSignedMessage(letter, signers, buffers.take) : compileMessage(letter, buffers.take)
  const keysOf = deliveryKeys(secret)
  return {
    personalise: ({ subscriberId, email, name }) =>
      fill({ email, name, keys: keysOf({ subscriberId, editionRef: edition.ref }), date: clock.now() }),
    reuse: ({ pieces: [own] }: Message) => own && buffers.give(own),
  }
}

function reports({ log }: App, edition: string): Pick<DeliverNeeds, 'onStoreAway' | 'onStoreBack' | 'onFault'> {
  return {
    onStoreAway: (reason) =>
      log.warn({ event: 'store.away', edition, reason }, 'the database cannot be used; sending waits for it'),
    onStoreBack: (awayMs) =>
      log.info({ event: 'store.back', edition, awayMs }, 'the database can be used again; sending goes on'),
    onFault: (err) => log.error({ event: 'sending.internal_error', edition, err }, 'internal error while sending'),
  }
}
