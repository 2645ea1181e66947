import { isAscii } from '../../mail/smtp/envelope.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import type { QueuedDelivery } from '../../store/deliveries/deliveries.ts'
import { type Pass, pauseFor } from '../pass.ts'
import type { DeliverNeeds } from '../sending-needs.ts'
import { inPass, othersInUse } from './relay-in-pass.ts'

/**
 * Handles a message that this relay cannot carry. Returns `now` if another relay can carry it, `later` if that relay is
 * down, `never` if none can; a message too large for all relays pauses the edition.
 */
export async function handleUnfit(
  needs: DeliverNeeds,
  pass: Pass,
  relay: string | null,
  result: Extract<SendResult, { kind: 'unfit' }>,
): Promise<'now' | 'later' | 'never'> {
  if (result.lacks === 'SMTPUTF8') {
    inPass(needs, pass, relay).lacksUtf8 = true
    const able = ableOthers(needs, pass, relay)
    for (const name of able) pass.needed.add(name)
    return able.length === 0 ? 'never' : able.some((name) => needs.relays.named(name)?.isUp) ? 'now' : 'later'
  }
  if (relay !== null) pass.excluded.add(relay)
  const others = configuredOthers(needs, pass, relay)
  for (const name of others) pass.needed.add(name)
  if (others.length === 0) await pauseFor(needs, pass, { code: 'too-large-for-relay', reply: result.reason })
  return 'now'
}

/**
 * Whether the relay can carry the delivery, as far as known. A delivery that no other relay can carry now is decided by
 * any relay.
 */
export function isFit(needs: DeliverNeeds, pass: Pass, delivery: QueuedDelivery, relay: string | null): boolean {
  const { email } = delivery
  if (isRepeatOver(delivery, relay) && othersInUse(needs, pass, relay).length > 0) return false
  if (!pass.relays.get(relay)?.lacksUtf8 || isAscii(email.slice(0, email.lastIndexOf('@')))) return true
  return !ableOthers(needs, pass, relay).some((name) => needs.relays.named(name)?.isUp)
}

/**
 * Whether the delivery is queued again after this relay had it: a reply that was cut off is repeated over another
 * relay. A greylisted delivery is `deferred` and repeated over the same relay, because greylisting knows a sender by
 * its address.
 */
function isRepeatOver({ status, attempts, relay: last }: QueuedDelivery, relay: string | null): boolean {
  return relay !== null && status === 'queued' && attempts > 0 && last === relay
}

/** The other relays that may accept addresses in other scripts, including standby and paused ones. */
function ableOthers(needs: DeliverNeeds, pass: Pass, relay: string | null): string[] {
  return configuredOthers(needs, pass, relay).filter((name) => !pass.relays.get(name)?.lacksUtf8)
}

/** All other relays that may be given messages of the edition in this pass, up or down. */
function configuredOthers({ relays }: DeliverNeeds, pass: Pass, relay: string | null): string[] {
  return relay === null ? [] : relays.names.filter((name) => name !== relay && !pass.excluded.has(name))
}
