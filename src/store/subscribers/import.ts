import type { Instant } from '../../time/clock.ts'
import { transaction } from '../drivers/transaction.ts'
import type { Db, OutcomeRow } from '../schema.ts'
import { addOutcomes } from './outcomes.ts'
import { addSubscribers, type NewSubscriber } from './subscribers.ts'
import { markSuppressed } from './suppressions.ts'

/** A person of a file whose standing there is known, perhaps `since` when (ms since 1970); `proof` says how we know. */
export type ImportedPerson = Omit<NewSubscriber, 'standing'> & {
  standing: 'active' | 'pending' | 'left' | 'bounced' | 'complained'
  since?: number
}

/** What an import does with a page of people. `ended` (address keys): subscribed here until now. `keptHere`: they decided otherwise here, later. */
export type ImportedPage = { added: number; known: number; suppressed: number; ended: string[]; keptHere: string[] }

/** What we know of the people of a page, before it is imported. */
type KnownPerson = {
  id: string
  emailKey: string
  email: string
  suppressedAt: Instant | null
  digest: string | null
  confirmedAt: Instant | null
  leftAt: Instant | null
}

/** The result that `importPeople` would have for these people; changes nothing. */
export async function previewImport(db: Db, digest: string, people: ImportedPerson[]): Promise<ImportedPage> {
  const known = new Map((await knownPeople(db, digest, people)).map((one) => [one.emailKey, one]))
  const active = people.filter(({ standing }) => standing === 'active').map(({ emailKey }) => known.get(emailKey))
  const suppressed = active.filter((one) => one && one.suppressedAt !== null).length
  const added = active.filter((one) => !one || (one.digest === null && one.suppressedAt === null)).length
  const { ended, keptHere } = await resolveStandings(db, digest, people, [...known.values()])
  return { added, suppressed, known: active.length - added - suppressed, ...keysOf(ended, keptHere) }
}

/**
 * Adds the people of a file to a digest, each with the standing that the file gives them, in one transaction. A person who is
 * subscribed here and left, bounced or complained there gets nothing from now on. What was decided here later stays: a
 * person's return to this digest outweighs that they left; that the staff released the address, a bounce or a complaint.
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

/** Whose subscription ends, whose address is suppressed, and who is left as they are for what was decided here. */
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

type Decision = Pick<OutcomeRow, 'subscriberId' | 'kind' | 'detail' | 'at'>

/**
 * Whether what a file says of a person is older than what was decided here, by the date in the file. Without one: a
 * return is later than that they left, and a release than a bounce; than a complaint only if it lifted one.
 */
function isOverruled({ standing, since }: ImportedPerson, digest: string, decisions: Decision[]): boolean {
  const isLater = ({ at }: Decision) => since === undefined || Date.parse(at) > since
  if (standing === 'left')
    return decisions.some((one) => one.kind === 'return' && one.detail.startsWith(`${digest}, `) && isLater(one))
  const release = decisions.findLast((one) => one.kind === 'release' && isLater(one))
  if (!release || since !== undefined || standing === 'bounced') return release !== undefined
  const lifted = decisions.slice(0, decisions.indexOf(release)).findLast(({ kind }) => kind === 'suppress')
  return lifted?.detail.startsWith('complained') ?? false
}

/** What these people, and the staff about their addresses, decided here: the oldest first, by subscriber. */
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
  return Map.groupBy(rows, ({ subscriberId }) => subscriberId)
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
  await addOutcomes(db, importOutcomes('leave', ended, people, `${digest}, `), now)
}

async function suppressAll(db: Db, barred: KnownPerson[], people: ImportedPerson[], now: Instant) {
  const reasons = new Map(people.map(({ emailKey, proof }) => [emailKey, proof]))
  for (const { id, emailKey } of barred) await markSuppressed(db, id, reasons.get(emailKey) ?? '', now)
  await addOutcomes(db, importOutcomes('suppress', barred, people), now)
}

function importOutcomes(kind: 'leave' | 'suppress', about: KnownPerson[], people: ImportedPerson[], before = '') {
  const proofs = new Map(people.map(({ emailKey, proof }) => [emailKey, proof]))
  return about.map(({ id, emailKey }) => ({
    kind,
    subscriberId: id,
    editionId: null,
    detail: `${before}${proofs.get(emailKey) ?? ''}`,
  }))
}

function keysOf(ended: KnownPerson[], keptHere: KnownPerson[]) {
  return { ended: ended.map(({ emailKey }) => emailKey), keptHere: keptHere.map(({ emailKey }) => emailKey) }
}
