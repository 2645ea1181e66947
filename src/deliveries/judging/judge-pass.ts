import { domainsOf } from '../../mail/email-domain.ts'
import { countDeliveries, isEveryoneAt } from '../../store/deliveries/deliveries.ts'
import { requeueDeferred } from '../../store/deliveries/requeue.ts'
import { unknownsInARow } from '../../store/deliveries/unknown.ts'
import type { Reason } from '../../store/events/reason.ts'
import { isGoing, type Pass, pauseFor, type RelayInPass } from '../pass.ts'
import { isSpread, type TurnedDown } from '../relays/relay-verdicts.ts'
import type { DeliverNeeds } from '../sending-needs.ts'
import { untilStored } from '../until-stored.ts'
import { maxUnknowns } from './judge-answer.ts'
import { atRelay, confirm, requeueTurnedDown } from './relay-in-pass.ts'
import { countProviders } from './spread.ts'

/** At least this many refused first tries, with no acceptance, are not chance. */
const minRefused = 3
/** Nor are this many refused retries at this many providers. */
const [minRetried, minProviders] = [10, 3]

/** Ends the pass: settles the doubtful refusals, and decides whether they pause the edition. */
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
  for (const relay of pass.relays.keys()) await requeueTurnedDown(needs, pass, relay)
  const rejected = all.flatMap(({ breaker }) => breaker.recipientsToRequeue())
  await untilStored(needs, () => requeueDeferred(needs.db, needs.engine, pass.editionId, rejected, needs.clock.now()))
}

/**
 * Pauses the edition if a relay accepted some messages and then refused every recipient up to the end: such a relay is
 * not trusted either.
 */
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
  const reason =
    (pass.counts.accepted === 0 ? await onlyRejections(all) : undefined) ??
    (await onlyRefusals(needs, pass, refused)) ??
    (await tooManyUnknowns(needs, pass))
  if (reason !== undefined) return await pauseFor(needs, pass, reason)
  if (refused.length === 0 || refused.some(({ isFirstTry }) => isFirstTry)) return
  for (const { verdicts } of all) verdicts.takeInDoubt()
  await confirm(pass, refused, { suppress: false }) // retries that were refused by a relay that has accepted others
}

async function onlyRejections(all: RelayInPass[]): Promise<Reason | undefined> {
  for (const { breaker } of all) {
    const reason = await breaker.onlyRejections()
    if (reason !== undefined) return reason
  }
  return undefined
}

/**
 * The reason to pause after a pass with no acceptance: its refusals are too many to be chance, or cover the whole
 * audience.
 */
async function onlyRefusals(needs: DeliverNeeds, pass: Pass, refused: TurnedDown[]): Promise<Reason | undefined> {
  const last = refused.at(-1)
  if (!last || (await hasAcceptedElsewhere(needs, pass))) return undefined
  const first = refused.filter(({ isFirstTry }) => isFirstTry)
  const retried = refused.filter(({ isFirstTry }) => !isFirstTry)
  const isChance = first.length === 0 || (await areFew(needs, pass, first))
  if (isChance && (retried.length === 0 || (await areUsual(needs, pass, retried)))) return undefined
  return { code: 'nothing-accepted', count: refused.length, reply: last.reply }
}

/** Whether another process has had an acceptance since this pass began; this pass has had none. */
async function hasAcceptedElsewhere({ db }: DeliverNeeds, { editionId, counts }: Pass): Promise<boolean> {
  return (await countDeliveries(db, editionId)).accepted > counts.accepted
}

/** First tries: few if they are all at one provider, or fewer than `minRefused`, while others are still to come. */
async function areFew(needs: DeliverNeeds, pass: Pass, first: TurnedDown[]): Promise<boolean> {
  if (countProviders(first) === 1 && !(await isEveryoneAt(needs.db, pass.editionId, domainsOf(emailsOf(first)))))
    return true
  return first.length < minRefused && !(await isWholeAudience(needs, pass, first.length))
}

/** Retries: after other acceptances a few refusals are usual among them, because only refused people are retried. */
async function areUsual({ db }: DeliverNeeds, pass: Pass, retried: TurnedDown[]): Promise<boolean> {
  if ((await countDeliveries(db, pass.editionId)).accepted === 0)
    return countProviders(retried) === 1 && !(await isEveryoneAt(db, pass.editionId, domainsOf(emailsOf(retried))))
  return retried.length < minRetried || countProviders(retried) < minProviders
}

/** Whether the edition has reached no one yet and goes only to these people. */
async function isWholeAudience({ db }: DeliverNeeds, { editionId }: Pass, many: number): Promise<boolean> {
  const { queued, sending, deferred, accepted, unknown } = await countDeliveries(db, editionId)
  return accepted === 0 && queued + sending + deferred + unknown === many
}

/** Counts over several passes, because a relay that gives no answers is paused after a few messages. */
async function tooManyUnknowns({ db }: DeliverNeeds, pass: Pass): Promise<Reason | undefined> {
  if (![...pass.relays.values()].some(({ verdicts }) => verdicts.unknownsInRow > 0)) return undefined
  const count = await unknownsInARow(db, pass.editionId)
  return count >= maxUnknowns ? { code: 'no-answers', count } : undefined
}

function emailsOf(turnedDown: TurnedDown[]): string[] {
  return turnedDown.map(({ delivery }) => delivery.email)
}
