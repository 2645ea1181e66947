import type { Instant } from '../../time/clock.ts'
import { transaction } from '../drivers/transaction.ts'
import type { Reason } from '../events/reason.ts'
import { fromJson } from '../json.ts'
import type { Db, OutcomeRow } from '../schema.ts'
import { addOutcomes, type NewOutcome } from './outcomes.ts'
import { addSubscribers, type NewSubscriber } from './subscribers.ts'
import { markSuppressed } from './suppressions.ts'

/**
 * A person of a file with a known standing, perhaps with its start (`since`, ms since 1970); `evidence` is where the file
 * says it.
 */
export type ImportedPerson = Omit<NewSubscriber, 'standing'> & {
  evidence: Reason
  standing: 'active' | 'pending' | 'left' | 'bounced' | 'complained'
  since?: number
}

/**
 * The result for a page of people. `ended` (address keys): subscribed here until now. `keptHere`: unchanged because of
 * a later decision here.
 */
export type ImportedPage = { added: number; known: number; suppressed: number; ended: string[]; keptHere: string[] }

/** The stored data of a page's people before the import. */
type KnownPerson = {
  id: string
  emailKey: string
  email: string
  suppressedAt: Instant | null
  digest: string | null
  confirmedAt: Instant | null
  leftAt: Instant | null
}

/** The result that `importPeople` would have for these people; writes nothing. */
export async function previewImport(db: Db, digest: string, people: ImportedPerson[]): Promise<ImportedPage> {
  const known = new Map((await knownPeople(db, digest, people)).map((one) => [one.emailKey, one]))
  const active = people.filter(({ standing }) => standing === 'active').map(({ emailKey }) => known.get(emailKey))
  const suppressed = active.filter((one) => one && one.suppressedAt !== null).length
  const added = active.filter((one) => !one || (one.digest === null && one.suppressedAt === null)).length
  const { ended, keptHere } = await resolveStandings(db, digest, people, [...known.values()])
  return { added, suppressed, known: active.length - added - suppressed, ...keysOf(ended, keptHere) }
}

/**
 * Adds the people of a file to a digest with their standing in the file, in one transaction. A person who is subscribed
 * here and left, bounced or complained elsewhere gets no more mail. Later decisions here stay: a return to this digest
 * outweighs a leave; a release by the staff outweighs a bounce or a complaint.
 */
export async function importPeople(
  db: Db,
  digest: string,
  people: ImportedPerson[],
  now: Instant,
): Promise<ImportedPage> {
  return await transaction(db, async (trx) => {
    const before = await knownPeople(trx, digest, people)
    const active = people.filter(({ standing }) => standing === 'active')
    const added = await addSubscribers(trx, digest, active.map(toNewSubscriber), now)
    await addSubscribers(trx, digest, people.filter(({ standing }) => standing !== 'active').map(toNewSubscriber), now)
    const { ended, keptHere, barred } = await resolveStandings(
      trx,
      digest,
      people,
      await knownPeople(trx, digest, people),
    )
    await endSubscriptions(trx, digest, ended, people, now)
    await suppressAll(trx, barred, people, now)
    const keys = new Set(active.map(({ emailKey }) => emailKey))
    const suppressed = before.filter((one) => one.suppressedAt !== null && keys.has(one.emailKey)).length
    return { added, suppressed, known: active.length - added - suppressed, ...keysOf(ended, keptHere) }
  })
}

function toNewSubscriber({ standing, since: _, ...person }: ImportedPerson): NewSubscriber {
  return {
    ...person,
    standing: standing === 'pending' ? 'pending' : standing === 'active' || standing === 'bounced' ? 'active' : 'left',
  }
}

async function knownPeople(db: Db, digest: string, people: ImportedPerson[]): Promise<KnownPerson[]> {
  if (people.length === 0) return []
  return await db
    .selectFrom('subscribers')
    .leftJoin('subscriptions', (join) =>
      join.onRef('subscriptions.subscriberId', '=', 'subscribers.id').on('subscriptions.digest', '=', digest),
    )
    .select(['subscribers.id', 'emailKey', 'email', 'suppressedAt', 'digest', 'confirmedAt', 'leftAt'])
    .where(
      'emailKey',
      'in',
      people.map(({ emailKey }) => emailKey),
    )
    .execute()
}

/**
 * The subscriptions to end, the addresses to suppress, and the people who stay unchanged because of a decision here.
 */
async function resolveStandings(db: Db, digest: string, people: ImportedPerson[], known: KnownPerson[]) {
  const byKey = new Map(people.map((person) => [person.emailKey, person]))
  const is = ({ emailKey }: KnownPerson, ...kinds: string[]) => kinds.includes(byKey.get(emailKey)?.standing ?? '')
  const isActive = (one: KnownPerson) => one.digest !== null && one.confirmedAt !== null && one.leftAt === null
  const gone = known.filter((one) => is(one, 'left', 'complained') && isActive(one))
  const bad = known.filter((one) => is(one, 'bounced', 'complained') && one.suppressedAt === null)
  const decisions = await decisionsOn(db, [...gone, ...bad])
  const isKept = ({ id, emailKey }: KnownPerson) => {
    const person = byKey.get(emailKey)
    return person !== undefined && isOverruled(person, digest, decisions.get(id) ?? [])
  }
  return {
    ended: gone.filter((one) => !isKept(one)),
    barred: bad.filter((one) => !isKept(one)),
    keptHere: [...new Set([...gone, ...bad].filter(isKept))],
  }
}

type Decision = Pick<OutcomeRow, 'subscriberId' | 'kind' | 'at'> & { detail: Reason }

/**
 * Whether a decision here is later than the standing in the file, by the date in the file. Without a date: a return
 * outweighs a leave, a release outweighs a bounce, and a complaint only if the release lifted one.
 */
function isOverruled({ standing, since }: ImportedPerson, digest: string, decisions: Decision[]): boolean {
  const isLater = ({ at }: Decision) => since === undefined || Date.parse(at) > since
  if (standing === 'left')
    return decisions.some((one) => one.kind === 'return' && isAbout(digest, one.detail) && isLater(one))
  const release = decisions.findLast((one) => one.kind === 'release' && isLater(one))
  if (!release || since !== undefined || standing === 'bounced') return release !== undefined
  const lifted = decisions.slice(0, decisions.indexOf(release)).findLast(({ kind }) => kind === 'suppress')
  return lifted !== undefined && isComplaint(lifted.detail)
}

function isAbout(digest: string, reason: Reason): boolean {
  return (reason.code === 'resubscribed' || reason.code === 'subscription') && reason.digest === digest
}

function isComplaint(reason: Reason): boolean {
  return reason.code === 'complained' || (reason.code === 'imported' && reason.standing === 'complained')
}

/** The decisions here about these people, by themselves or by the staff, oldest first, by subscriber. */
async function decisionsOn(db: Db, people: KnownPerson[]): Promise<Map<string, Decision[]>> {
  const ids = [...new Set(people.map(({ id }) => id))]
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('outcomes')
    .select(['subscriberId', 'kind', 'detail', 'at'])
    .where('subscriberId', 'in', ids)
    .where('kind', 'in', ['return', 'suppress', 'release'])
    .orderBy('at')
    .orderBy('id')
    .execute()
  const decisions = rows.map((row) => ({ ...row, detail: fromJson(row.detail) }))
  return Map.groupBy(decisions, ({ subscriberId }) => subscriberId)
}

async function endSubscriptions(db: Db, digest: string, ended: KnownPerson[], people: ImportedPerson[], now: Instant) {
  if (ended.length === 0) return
  await db
    .updateTable('subscriptions')
    .set({ leftAt: now })
    .where('digest', '=', digest)
    .where(
      'subscriberId',
      'in',
      ended.map(({ id }) => id),
    )
    .where('leftAt', 'is', null)
    .execute()
  await addOutcomes(db, importOutcomes('leave', ended, people), now)
}

async function suppressAll(db: Db, barred: KnownPerson[], people: ImportedPerson[], now: Instant) {
  const outcomes = importOutcomes('suppress', barred, people)
  for (const { subscriberId, detail } of outcomes) await markSuppressed(db, subscriberId, detail, now)
  await addOutcomes(db, outcomes, now)
}

function importOutcomes(kind: 'leave' | 'suppress', about: KnownPerson[], people: ImportedPerson[]): NewOutcome[] {
  const evidence = new Map(people.map((one) => [one.emailKey, one.evidence]))
  return about.flatMap(({ id, emailKey }) => {
    const detail = evidence.get(emailKey)
    return detail ? [{ kind, subscriberId: id, editionId: null, detail }] : []
  })
}

function keysOf(ended: KnownPerson[], keptHere: KnownPerson[]) {
  return { ended: ended.map(({ emailKey }) => emailKey), keptHere: keptHere.map(({ emailKey }) => emailKey) }
}
