import type { App } from '../app.ts'
import { type Config, envelopeSender, relayName, relaysOf } from '../config/config.ts'
import { placeholderKey, placeholderKeys } from '../mail/keys.ts'
import { compileMessage } from '../mail/mime.ts'
import { type CheckedEnvelope, checkRelay, type Sender } from '../mail/smtp/check-relay.ts'
import { sizeOf } from '../mail/smtp/envelope.ts'
import type { RelaySettings } from '../mail/smtp/relay-settings.ts'
import { toMessageTemplate } from '../messages/message-template.ts'
import { lastSealedVariant } from '../store/editions/variants.ts'
import type { Db } from '../store/schema.ts'

/** An estimate of the next edition from the last sealed one: `size` is the bytes of one message. */
export type LastMessage = { size: number }

/** Upper estimate for one DKIM-Signature field (RFC 6376) with an RSA-2048 key. */
const signatureBytes = 1024

/** Undefined if no edition has been sealed yet. */
export async function lastMessage(db: Db, { relay, publication }: Config): Promise<LastMessage | undefined> {
  const variant = await lastSealedVariant(db)
  if (!variant) return undefined
  const template = toMessageTemplate(placeholderKey, { id: variant.editionId }, variant) // the length of the sender id does not depend on the secret
  const copy = { email: publication.contact, name: '', keys: placeholderKeys, date: variant.sealedAt }
  const { pieces } = compileMessage(template)(copy)
  const size = sizeOf(pieces) + relay.dkim.length * signatureBytes
  return { size }
}

/**
 * The envelope that sending would use for a message to the contact address. If the relay refuses its sender, the
 * alternatives are the return path without a key and the mailbox that signs in.
 */
export function envelopeFor(config: Config, relay: RelaySettings, last?: LastMessage): CheckedEnvelope {
  const { contact } = config.publication
  const { address: plainAddress, isPersonal } = envelopeSender(config)
  const isMailbox = /^[^\s@<>]+@[^\s@<>]+$/.test(relay.user ?? '')
  const usual: Sender = { address: isPersonal ? withKey(plainAddress) : plainAddress, change: {} }
  const others: Sender[] = [
    { address: plainAddress, change: { personalReturnPath: false } },
    ...(isMailbox
      ? [{ address: `${relay.user}`, change: { returnPath: `${relay.user}`, personalReturnPath: false } }]
      : []),
  ]
  const isNew = ({ address }: Sender, index: number) =>
    address !== usual.address && others.findIndex((one) => one.address === address) === index
  return { senders: [usual, ...others.filter(isNew)], to: contact, size: last?.size }
}

/** Adds a dummy key to the local part: `name+key@domain`. */
function withKey(address: string): string {
  const at = address.lastIndexOf('@')
  return `${address.slice(0, at)}+${placeholderKey}${address.slice(at)}`
}

/**
 * Checks each relay once over one connection and logs problems before the first edition is due. Sends no message and
 * never throws; `signal` ends the check.
 */
export async function checkRelaysAtStart({ config, db, secret, log }: App, signal: AbortSignal): Promise<void> {
  try {
    const last = await lastMessage(db, config)
    for (const relay of relaysOf(config)) {
      const envelope = envelopeFor(config, relay, last)
      const { problem } = await checkRelay(relay, { envelope, connections: 1, tokenStore: { db, secret }, signal })
      if (signal.aborted) return
      const fields = { event: 'relay.check_failed', relay: relayName(relay) }
      if (problem !== undefined) log.warn(fields, `${relay.host}:${relay.port}: ${problem}`)
    }
  } catch (err) {
    log.warn({ event: 'relay.check_failed', err }, 'the relays could not be checked')
  }
}
