import { isEveryoneAt } from '../../store/deliveries/deliveries.ts'
import { transaction } from '../../store/drivers/transaction.ts'
import type { NewEvent } from '../../store/events/event.ts'
import { addEvent } from '../../store/events/events.ts'
import type { Reason } from '../../store/events/reason.ts'
import { addMails } from '../../store/outbox/outbox.ts'
import { type Pass, type RelayInPass, recount } from '../pass.ts'
import { RelayVerdicts, type TurnedDown, toRefusal } from '../relays/relay-verdicts.ts'
import type { DeliverNeeds } from '../sending-needs.ts'
import { untilStored } from '../until-stored.ts'
import { RefusalBreaker } from './refusal-breaker.ts'

/** One relay's verdicts and breaker in this pass. */
export function inPass({ db }: Pick<DeliverNeeds, 'db'>, pass: Pass, relay: string | null): RelayInPass {
  const known = pass.relays.get(relay)
  if (known) return known
  const breaker = new RefusalBreaker((domains) => isEveryoneAt(db, pass.editionId, domains))
  const fresh = { verdicts: new RelayVerdicts(relay), breaker, lacksUtf8: false }
  pass.relays.set(relay, fresh)
  return fresh
}

/** The other relays in use that may still be given messages of the edition. */
export function othersInUse({ relays }: DeliverNeeds, pass: Pass, relay: string | null): string[] {
  if (relay === null) return [] // only one relay is configured
  const used = relays.inUse().map(({ name }) => name)
  return used.filter((name) => name !== relay && !pass.excluded.has(name))
}

export function isAnotherAccepting(needs: DeliverNeeds, pass: Pass, relay: string | null): boolean {
  return othersInUse(needs, pass, relay).some((name) => (pass.relays.get(name)?.verdicts.accepted ?? 0) > 0)
}

/** Queues the undecided messages that the relay turned down again. */
export async function requeueTurnedDown(needs: DeliverNeeds, pass: Pass, relay: string | null): Promise<TurnedDown[]> {
  const turnedDown = inPass(needs, pass, relay).verdicts.takeInDoubt()
  await pass.ledger.putBack(turnedDown.map(toRefusal))
  recount(pass, 'deferred', 'queued', turnedDown.length)
  return turnedDown
}

/** Makes refusals final; `suppress` also suppresses addresses. */
export async function confirm(pass: Pass, refusals: TurnedDown[], how: { suppress: boolean }): Promise<void> {
  await pass.ledger.confirm(refusals.map(toRefusal), how)
  recount(pass, 'deferred', 'refused', refusals.length)
}

/** Notifies the editors, once per edition, that a relay is given no more messages. */
export async function notifyOfExcludedRelay(
  needs: DeliverNeeds,
  pass: Pass,
  relay: string,
  reason: Reason,
): Promise<void> {
  const { db, clock } = needs
  const now = clock.now()
  if (!needs.relays.named(relay)?.claimNotice(pass.editionId)) return
  await untilStored(needs, () =>
    transaction(db, async (trx) => {
      const event: NewEvent = {
        kind: 'edition.relay_excluded',
        actor: 'system',
        edition: pass.editionId,
        data: { relay, reason },
      }
      await addEvent(trx, event, now)
      const facts = { edition: pass.editionId, relay, at: now, reason }
      await addMails(trx, [{ kind: 'relay-failing', about: [pass.editionId, relay], facts }], now)
    }),
  )
}

/** Adds the relay's name to the reason if there are several relays. */
export function atRelay(relay: string | null, reason: Reason): Reason {
  return relay === null ? reason : { code: 'at-relay', relay, reason }
}
