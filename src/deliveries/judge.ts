import type { SendResult } from '../mail/smtp/result.ts'
import {
  countDeliveries,
  hasAcceptedSince,
  isEveryoneAt,
  type QueuedDelivery,
  requeueDeferred,
} from '../store/deliveries/deliveries.ts'
import { unknownsInARow } from '../store/deliveries/unknown.ts'
import { transaction } from '../store/drivers/transaction.ts'
import { addHistory } from '../store/editions/editions.ts'
import { addMails } from '../store/outbox/outbox.ts'
import { addMs, type Instant, minute } from '../time/clock.ts'
import type { DeliverNeeds } from './deliver.ts'
import { mostAttempts, nextAttempt } from './delivery.ts'
import { domainOf } from './limits/buckets.ts'
import { isGoing, type Pass, pauseFor, type RelayInPass, recount } from './pass.ts'
import { lastAnswer, RefusalBreaker } from './refusal-breaker.ts'
import { isSpread, RelayVerdicts, type TurnedDown, toRefusal, turnedDownBy } from './relays/relay-verdicts.ts'
import { untilStored } from './until-stored.ts'

/** After so many messages in a row that a relay took and never answered for, with nothing accepted between, nobody gets another copy. */
const maxUnknowns = 20
/** The same over one relay, while another accepts. */
const maxUnknownsOfOne = 10
/** So many people whom a relay refused first of all, and accepted nobody, are no chance. */
const minRefused = 3
/** So many who were put off before, of so many providers, are no chance either. */
const [minRetried, minProviders] = [10, 3]
const doubtWaitMs = 15 * minute

export function inPass({ db }: Pick<DeliverNeeds, 'db'>, pass: Pass, relay: string | null): RelayInPass {
  const known = pass.relays.get(relay)
  if (known) return known
  const breaker = new RefusalBreaker((domains) => isEveryoneAt(db, pass.editionId, domains))
  const fresh = { verdicts: new RelayVerdicts(relay), breaker, lacksUtf8: false }
  pass.relays.set(relay, fresh)
  return fresh
}

/** Whether a result is a server's refusal of a person, which is put off until the relay is believed. */
export function isInDoubt({ kind, reply }: SendResult, { attempts }: QueuedDelivery): boolean {
  return kind === 'refused' && /^\d{3}/.test(reply) && attempts + 1 < mostAttempts
}

/** The row of such a refusal: who dies now tries again later, and refuses nobody on the word of a relay that knows nobody. */
export function rowInDoubt({ reply }: SendResult, delivery: QueuedDelivery, now: Instant) {
  const attempts = delivery.attempts + 1
  const nextAttemptAt = nextAttempt({ ...delivery, attempts }, now) ?? addMs(now, doubtWaitMs)
  return { status: 'deferred' as const, attempts, reply, nextAttemptAt, cutSince: null }
}

/**
 * Takes the answer of a relay into account, which is recorded unless it is an acceptance. Refusals are made final once
 * the relay has accepted somebody after them; a relay that takes nothing while another does is given nothing more; and
 * the edition is paused when something is wrong with us. Undefined where there is nothing to wait for.
 */
export function judgeAnswer(
  needs: DeliverNeeds,
  pass: Pass,
  relay: string | null,
  result: SendResult,
  delivery: QueuedDelivery,
): undefined | Promise<void> {
  const { verdicts, breaker } = inPass(needs, pass, relay)
  if (result.kind === 'accepted') {
    breaker.accepted()
    const believed = verdicts.accept()
    return believed && confirm(pass, believed, { suppress: true })
  }
  const { name: provider } = needs.buckets.of(delivery.email, relay)
  const heard = breaker.hear(result, { ...delivery, provider, isFirstTry: delivery.attempts === 0 })
  const turnedDown = turnedDownBy(result, delivery, provider)
  if (turnedDown && (!turnedDown.isRefusal || isInDoubt(result, delivery))) verdicts.turnDown(turnedDown)
  return judgeRelay(needs, pass, relay, result, heard)
}

async function judgeRelay(
  needs: DeliverNeeds,
  pass: Pass,
  relay: string | null,
  result: SendResult,
  heard: undefined | Promise<string | undefined>,
): Promise<void> {
  const { verdicts } = inPass(needs, pass, relay)
  if (result.kind === 'unknown') verdicts.unknownsInRow += 1
  const objection = await heard
  if (isAnotherAccepting(needs, pass, relay)) {
    const why = objection ?? suspicionOf(verdicts, result)
    if (why !== undefined) await giveToOthers(needs, pass, relay, why)
    return
  }
  const { unknownsInRow } = verdicts
  const why = unknownsInRow >= maxUnknowns ? unknownsText(unknownsInRow) : objection
  if (why !== undefined) await pauseFor(needs, pass, `${named(relay)}${why}`)
}

/** What there is against a relay while another accepts. */
function suspicionOf({ isSuspect, unknownsInRow }: RelayVerdicts, { reply }: SendResult): string | undefined {
  if (unknownsInRow >= maxUnknownsOfOne) return `it took ${unknownsInRow} messages in a row and answered for none`
  return isSuspect ? `it accepts nothing, while another relay does; its last answer: ${reply}` : undefined
}

/**
 * A message that this relay cannot carry. Returns whether it goes by another `now`, or `later`, when that one is up again;
 * `never`: no relay can. A message that is too large for all pauses the edition, for it is too large for everybody.
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
  if (others.length === 0)
    await pauseFor(needs, pass, `${result.reply}: cancel the edition and shorten the digest, or use another relay`)
  return 'now'
}

/** Whether the relay can carry the delivery, as far as that is known; one that no other can carry now is decided by any. */
export function isFit(needs: DeliverNeeds, pass: Pass, delivery: QueuedDelivery, relay: string | null): boolean {
  const { email } = delivery
  if (isRepeatOver(delivery, relay) && others(needs, pass, relay).length > 0) return false
  if (!pass.relays.get(relay)?.lacksUtf8 || isAscii(email.slice(0, email.lastIndexOf('@')))) return true
  return !ableOthers(needs, pass, relay).some((name) => needs.relays.named(name)?.isUp)
}

/**
 * Whether it is queued again after that relay had it: an answer that was cut off is repeated over another, which may answer.
 * Who was put off is `deferred`, and goes by the same again: greylisting knows a sender by its address.
 */
function isRepeatOver({ status, attempts, relay: last }: QueuedDelivery, relay: string | null): boolean {
  return relay !== null && status === 'queued' && attempts > 0 && last === relay
}

/** The other relays that may take addresses in other scripts, also those that stand by or are down. */
function ableOthers(needs: DeliverNeeds, pass: Pass, relay: string | null): string[] {
  return configuredOthers(needs, pass, relay).filter((name) => !pass.relays.get(name)?.lacksUtf8)
}

/** All other relays that may get something of the edition in this pass, whether or not they are up. */
function configuredOthers({ relays }: DeliverNeeds, pass: Pass, relay: string | null): string[] {
  return relay === null ? [] : relays.names.filter((name) => name !== relay && !pass.excluded.has(name))
}

const isAscii = (text: string) => /^[\x20-\x7e]*$/.test(text)

/** The relays in use beside this one that may get something of the edition. */
function others({ relays }: DeliverNeeds, pass: Pass, relay: string | null): string[] {
  if (relay === null) return [] // there is only one
  const used = relays.inUse().map(({ name }) => name)
  return used.filter((name) => name !== relay && !pass.excluded.has(name))
}

function isAnotherAccepting(needs: DeliverNeeds, pass: Pass, relay: string | null): boolean {
  return others(needs, pass, relay).some((name) => (pass.relays.get(name)?.verdicts.accepted ?? 0) > 0)
}

/** Leaves a relay alone, gives what it turned down to the others, and tells the editors. */
async function giveToOthers(needs: DeliverNeeds, pass: Pass, relay: string | null, why: string): Promise<void> {
  if (relay === null || pass.excluded.has(relay)) return
  pass.excluded.add(relay)
  needs.relays.named(relay)?.health.leaveAlone(`the relay ${relay} is left alone: ${why}`)
  const turnedDown = await putBack(needs, pass, relay)
  for (const { delivery } of turnedDown) pass.queue.giveBack(delivery)
  await tellOfRelay(needs, pass, relay, why)
}

async function putBack(needs: DeliverNeeds, pass: Pass, relay: string | null): Promise<TurnedDown[]> {
  const turnedDown = inPass(needs, pass, relay).verdicts.takeInDoubt()
  await pass.ledger.putBack(turnedDown.map(toRefusal))
  recount(pass, 'deferred', 'queued', turnedDown.length)
  return turnedDown
}

async function tellOfRelay(needs: DeliverNeeds, pass: Pass, relay: string, why: string): Promise<void> {
  const { db, clock } = needs
  const now = clock.now()
  const what = `the relay ${relay} is left alone, and its messages go by the others: ${why}`
  if (!needs.relays.named(relay)?.isNewsAbout(pass.editionId)) return
  await untilStored(needs, () =>
    transaction(db, async (trx) => {
      await addHistory(trx, pass.editionId, 'lastword', what, now)
      const facts = { edition: pass.editionId, relay, at: now, reason: why }
      await addMails(trx, [{ kind: 'relay-failing', about: [pass.editionId, relay], facts }], now)
    }),
  )
}

async function confirm(pass: Pass, refusals: TurnedDown[], how: { suppress: boolean }): Promise<void> {
  await pass.ledger.confirm(refusals.map(toRefusal), how)
  recount(pass, 'deferred', 'refused', refusals.length)
}

/**
 * All connections have ended: what a relay has turned down since it last accepted something goes to the others, in another
 * round: a second opinion costs one command. Returns whether there is to be one.
 */
export async function settleRound(needs: DeliverNeeds, pass: Pass): Promise<boolean> {
  let isMore = false
  for (const [relay, { verdicts }] of pass.relays) {
    const { accepted, inDoubt, isSuspect } = verdicts
    if (relay === null || inDoubt.length === 0 || !isGoing(pass)) continue
    if (!isAnotherAccepting(needs, pass, relay)) continue
    const lastReply = inDoubt.at(-1)?.reply ?? ''
    const isNews = isSuspect || (accepted === 0 && inDoubt.length >= minRefused)
    pass.excluded.add(relay)
    await putBack(needs, pass, relay)
    if (isNews) await tellOfRelay(needs, pass, relay, `it accepts nothing; its last answer: ${lastReply}`)
    isMore = true
  }
  return isMore
}

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
  await untilStored(needs, () => requeueDeferred(needs.db, pass.editionId, rejected, needs.clock.now()))
}

/** A relay that accepted some, and then refused everybody to the end, knows no more about them than one that never did. */
async function pauseForLastRow(needs: DeliverNeeds, pass: Pass): Promise<void> {
  for (const [relay, { verdicts }] of pass.relays) {
    const row = verdicts.refusalsInARow
    const isRow = row.length > 0 && (isSpread(row) || (await isEveryoneAt(needs.db, pass.editionId, domainsOf(row))))
    if (verdicts.accepted === 0 || !isRow || !row.some(({ isFirstTry }) => isFirstTry)) continue
    const lastReply = row.at(-1)?.reply ?? ''
    const what = `the last ${row.length} people were all refused; ${lastAnswer(lastReply)}`
    return await pauseFor(needs, pass, `${named(relay)}${what}`)
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

async function onlyRejections(all: RelayInPass[]): Promise<string | undefined> {
  for (const { breaker } of all) {
    const objection = await breaker.onlyRejections()
    if (objection !== undefined) return objection
  }
  return undefined
}

/** Whether a pass without an acceptance has refused too many people for that to be chance, or everybody there is. */
async function onlyRefusals(needs: DeliverNeeds, pass: Pass, refused: TurnedDown[]): Promise<string | undefined> {
  const { db } = needs
  const last = refused.at(-1)
  if (!last || (await hasAcceptedSince(db, pass.editionId, pass.begunAt))) return undefined // another process has
  const first = refused.filter(({ isFirstTry }) => isFirstTry)
  const retried = refused.filter(({ isFirstTry }) => !isFirstTry)
  const isChance = first.length === 0 || (await areFew(needs, pass, first))
  if (isChance && (retried.length === 0 || (await areUsual(needs, pass, retried)))) return undefined
  return `nothing was accepted, and ${refused.length} ${refused.length === 1 ? 'person was' : 'people were'} refused; ${lastAnswer(last.reply)}`
}

/** Of people who were never tried before: one provider's, or two at most while others are still to come. */
async function areFew(needs: DeliverNeeds, pass: Pass, first: TurnedDown[]): Promise<boolean> {
  if (providersOf(first) === 1 && !(await isEveryoneAt(needs.db, pass.editionId, domainsOf(first)))) return true
  return first.length < minRefused && !(await isEverybody(needs, pass, first.length))
}

/** Of people who were put off before: those who are due again are those whom somebody has refused, if others have it. */
async function areUsual({ db }: DeliverNeeds, pass: Pass, retried: TurnedDown[]): Promise<boolean> {
  if ((await countDeliveries(db, pass.editionId)).accepted === 0)
    return providersOf(retried) === 1 && !(await isEveryoneAt(db, pass.editionId, domainsOf(retried)))
  return retried.length < minRetried || providersOf(retried) < minProviders
}

function providersOf(turnedDown: TurnedDown[]): number {
  return new Set(turnedDown.map(({ provider }) => provider)).size
}

function domainsOf(turnedDown: TurnedDown[]): string[] {
  return [...new Set(turnedDown.map(({ delivery }) => domainOf(delivery.email)))]
}

/** Whether an edition that nobody has had yet goes to nobody but those. */
async function isEverybody({ db }: DeliverNeeds, { editionId }: Pass, many: number): Promise<boolean> {
  const { queued, sending, deferred, accepted, unknown } = await countDeliveries(db, editionId)
  return accepted === 0 && queued + sending + deferred + unknown === many
}

/** Over several passes, since a relay that answers for nothing is left alone after a few. */
async function tooManyUnknowns({ db }: DeliverNeeds, pass: Pass): Promise<string | undefined> {
  if (![...pass.relays.values()].some(({ verdicts }) => verdicts.unknownsInRow > 0)) return undefined
  const count = await unknownsInARow(db, pass.editionId)
  return count >= maxUnknowns ? unknownsText(count) : undefined
}

function unknownsText(count: number): string {
  return `${count} messages in a row were cut off before the relay's answer, and nothing was accepted between: people may have got several copies`
}

function named(relay: string | null): string {
  return relay === null ? '' : `the relay ${relay}: `
}
