import { domainsOf } from '../../mail/email-domain.ts'
import { countDeliveries, hasAcceptedSince, isEveryoneAt } from '../../store/deliveries/deliveries.ts'
import { requeueDeferred } from '../../store/deliveries/requeue.ts'
import { unknownsInARow } from '../../store/deliveries/unknown.ts'
import type { Reason } from '../../store/events/reason.ts'
import { isGoing, type Pass, pauseFor, type RelayInPass } from '../pass.ts'
import { isSpread, type TurnedDown } from '../relays/relay-verdicts.ts'
import type { DeliverNeeds } from '../sending-needs.ts'
import { untilStored } from '../until-stored.ts'
import { maxUnknowns } from './judge-answer.ts'
import { atRelay, confirm, putBack } from './relay-in-pass.ts'
import { countProviders } from './spread.ts'

/** So many people whom a relay refused first of all, and accepted nobody, are no chance. */
const minRefused = 3
/** So many who were put off before, of so many providers, are no chance either. */
const [minRetried, minProviders] = [10, 3]

/** The pass has ended: decides what was in doubt, and whether the edition is to be paused for it. */
export async function settlePass(needs: DeliverNeeds, pass: Pass): Promise<void> {
  const all = [...pass.relays.values()]
  if (isGoing(pass)) await pauseForLastRow(needs, pass)
  for (const { verdicts } of all)
    if (verdicts.accepted > 0 && !pass.isPaused)
      await confirm(
        pass,
        verdicts.takeInDoubt().filter(({ isRefusal }) => isRefusal),
        { suppress: true },
      )
  if (isGoing(pass)) await pauseIfNothingWasTaken(needs, pass)
  if (!pass.isPaused) return
  for (const relay of pass.relays.keys()) await putBack(needs, pass, relay)
  const rejected = all.flatMap(({ breaker }) => breaker.recipientsToRequeue())
  await untilStored(needs, () => requeueDeferred(needs.db, needs.engine, pass.editionId, rejected, needs.clock.now()))
}

/** A relay that accepted some, and then refused everybody to the end, knows no more about them than one that never did. */
async function pauseForLastRow(needs: DeliverNeeds, pass: Pass): Promise<void> {
  for (const [relay, { verdicts }] of pass.relays) {
    const row = verdicts.refusalsInARow
    const isRow =
      row.length > 0 && (isSpread(row) || (await isEveryoneAt(needs.db, pass.editionId, domainsOf(emailsOf(row)))))
    if (verdicts.accepted === 0 || !isRow || !row.some(({ isFirstTry }) => isFirstTry)) continue
    const lastReply = row.at(-1)?.reply ?? ''
    const reason: Reason = { code: 'last-all-refused', count: row.length, reply: lastReply }
    return await pauseFor(needs, pass, atRelay(relay, reason))
  }
}

async function pauseIfNothingWasTaken(needs: DeliverNeeds, pass: Pass): Promise<void> {
  const all = [...pass.relays.values()]
  if (all.some(({ verdicts }) => verdicts.accepted > 0)) return
  const refused = all.flatMap(({ verdicts }) => verdicts.inDoubt.filter(({ isRefusal }) => isRefusal))
  const objection =
    (pass.counts.accepted === 0 ? await onlyRejections(all) : undefined) ??
    (await onlyRefusals(needs, pass, refused)) ??
    (await tooManyUnknowns(needs, pass))
  if (objection !== undefined) return await pauseFor(needs, pass, objection)
  if (refused.length === 0 || refused.some(({ isFirstTry }) => isFirstTry)) return
  for (const { verdicts } of all) verdicts.takeInDoubt()
  await confirm(pass, refused, { suppress: false }) // put off before, and refused by a relay that has accepted others
}

async function onlyRejections(all: RelayInPass[]): Promise<Reason | undefined> {
  for (const { breaker } of all) {
    const objection = await breaker.onlyRejections()
    if (objection !== undefined) return objection
  }
  return undefined
}

/** Whether a pass without an acceptance has refused too many people for that to be chance, or everybody there is. */
async function onlyRefusals(needs: DeliverNeeds, pass: Pass, refused: TurnedDown[]): Promise<Reason | undefined> {
  const { db } = needs
  const last = refused.at(-1)
  if (!last || (await hasAcceptedSince(db, pass.editionId, pass.begunAt))) return undefined // another process has
  const first = refused.filter(({ isFirstTry }) => isFirstTry)
  const retried = refused.filter(({ isFirstTry }) => !isFirstTry)
  const isChance = first.length === 0 || (await areFew(needs, pass, first))
  if (isChance && (retried.length === 0 || (await areUsual(needs, pass, retried)))) return undefined
  return { code: 'nothing-accepted', count: refused.length, reply: last.reply }
}

/** Of people who were never tried before: one provider's, or two at most while others are still to come. */
async function areFew(needs: DeliverNeeds, pass: Pass, first: TurnedDown[]): Promise<boolean> {
  if (countProviders(first) === 1 && !(await isEveryoneAt(needs.db, pass.editionId, domainsOf(emailsOf(first)))))
    return true
  return first.length < minRefused && !(await isEverybody(needs, pass, first.length))
}

/** Of people who were put off before: those who are due again are those whom somebody has refused, if others have it. */
async function areUsual({ db }: DeliverNeeds, pass: Pass, retried: TurnedDown[]): Promise<boolean> {
  if ((await countDeliveries(db, pass.editionId)).accepted === 0)
    return countProviders(retried) === 1 && !(await isEveryoneAt(db, pass.editionId, domainsOf(emailsOf(retried))))
  return retried.length < minRetried || countProviders(retried) < minProviders
}

/** Whether an edition that nobody has had yet goes to nobody but those. */
async function isEverybody({ db }: DeliverNeeds, { editionId }: Pass, many: number): Promise<boolean> {
  const { queued, sending, deferred, accepted, unknown } = await countDeliveries(db, editionId)
  return accepted === 0 && queued + sending + deferred + unknown === many
}

/** Over several passes, since a relay that answers for nothing is left alone after a few. */
async function tooManyUnknowns({ db }: DeliverNeeds, pass: Pass): Promise<Reason | undefined> {
  if (![...pass.relays.values()].some(({ verdicts }) => verdicts.unknownsInRow > 0)) return undefined
  const count = await unknownsInARow(db, pass.editionId)
  return count >= maxUnknowns ? { code: 'no-answers', count } : undefined
}

function emailsOf(turnedDown: TurnedDown[]): string[] {
  return turnedDown.map(({ delivery }) => delivery.email)
}
