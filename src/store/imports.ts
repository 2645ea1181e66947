import type { Instant } from '../clock.ts'
import { addOutcomes } from './outcomes.ts'
import type { Db } from './schema.ts'
import { addSubscribers, type NewSubscriber } from './subscribers.ts'
import { transaction } from './transaction.ts'

/** A person of a file whose standing there is known; `proof` says how we know. */
export type ImportedPerson = Omit<NewSubscriber, 'standing'> & {
  standing: 'active' | 'pending' | 'left' | 'bounced' | 'complained'
}

/** What an import does with a page of people. `ended` (address keys): subscribed here until now. `keptHere`: they decided otherwise here, later. */
export type ImportedPage = { added: number; known: number; suppressed: number; ended: string[]; keptHere: string[] }

/** What we know of the people of a page, before it is imported. */
type Known = {
  id: string
  emailKey: string
  email: string
  suppressedAt: Instant | null
  digest: string | null
  confirmedAt: Instant | null
  leftAt: Instant | null
}

/** Says what `importPeople` would do with these people, and changes nothing. */
export async function previewImport(db: Db, digest: string, people: ImportedPerson[]): Promise<ImportedPage> {
  const known = new Map((await knownPeople(db, digest, people)).map((one) => [one.emailKey, one]))
  const active = people.filter(({ standing }) => standing === 'active').map(({ emailKey }) => known.get(emailKey))
  const suppressed = active.filter((one) => one && one.suppressedAt !== null).length
  const added = active.filter((one) => !one || (one.digest === null && one.suppressedAt === null)).length
  const { ended, keptHere } = await decide(db, people, [...known.values()])
  return { added, suppressed, known: active.length - added - suppressed, ...keysOf(ended, keptHere) }
}

/**
 * Adds the people of a file to a digest, each with the standing that the file gives them, in one transaction. Whoever is
 * subscribed here and left, bounced or complained there gets nothing from now on, unless they came back here by their
 * own act, or a person of the staff released their address: what was decided here stays.
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
    const added = await addSubscribers(trx, digest, active.map(asNew), now)
    await addSubscribers(trx, digest, people.filter(({ standing }) => standing !== 'active').map(asNew), now)
    const { ended, keptHere, barred } = await decide(trx, people, await knownPeople(trx, digest, people))
    await endSubscriptions(trx, digest, ended, people, now)
    await suppressAll(trx, barred, people, now)
    const keys = new Set(active.map(({ emailKey }) => emailKey))
    const suppressed = before.filter((one) => one.suppressedAt !== null && keys.has(one.emailKey)).length
    return { added, suppressed, known: active.length - added - suppressed, ...keysOf(ended, keptHere) }
  })
}

function asNew({ standing, ...person }: ImportedPerson): NewSubscriber {
  return {
    ...person,
    standing: standing === 'pending' ? 'pending' : standing === 'active' || standing === 'bounced' ? 'active' : 'left',
  }
}

async function knownPeople(db: Db, digest: string, people: ImportedPerson[]): Promise<Known[]> {
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
async function decide(db: Db, people: ImportedPerson[], known: Known[]) {
  const standings = new Map(people.map(({ emailKey, standing }) => [emailKey, standing]))
  const is = ({ emailKey }: Known, ...kinds: string[]) => kinds.includes(standings.get(emailKey) ?? '')
  const isActive = (one: Known) => one.digest !== null && one.confirmedAt !== null && one.leftAt === null
  const gone = known.filter((one) => is(one, 'left', 'complained') && isActive(one))
  const bad = known.filter((one) => is(one, 'bounced', 'complained') && one.suppressedAt === null)
  const { returned, released } = await decidedHere(db, [...gone, ...bad])
  const mayStay = ({ id }: Known) => returned.has(id)
  const mayBeSent = ({ id }: Known) => returned.has(id) || released.has(id)
  return {
    ended: gone.filter((one) => !mayStay(one)),
    barred: bad.filter((one) => !mayBeSent(one)),
    keptHere: [...new Set([...gone.filter(mayStay), ...bad.filter(mayBeSent)])],
  }
}

/** Those who came back here by their own act, and those whose address a person of the staff released. */
async function decidedHere(db: Db, people: Known[]): Promise<{ returned: Set<string>; released: Set<string> }> {
  const ids = people.map(({ id }) => id)
  if (ids.length === 0) return { returned: new Set(), released: new Set() }
  const rows = await db
    .selectFrom('outcomes')
    .select(['subscriberId', 'kind'])
    .where('subscriberId', 'in', ids)
    .where('kind', 'in', ['return', 'release'])
    .execute()
  const idsOf = (kind: string) => new Set(rows.filter((row) => row.kind === kind).map((row) => row.subscriberId))
  return { returned: idsOf('return'), released: idsOf('release') }
}

async function endSubscriptions(db: Db, digest: string, ended: Known[], people: ImportedPerson[], now: Instant) {
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
  await addOutcomes(db, outcomesOf('leave', ended, people, `${digest}, `), now)
}

async function suppressAll(db: Db, barred: Known[], people: ImportedPerson[], now: Instant) {
  const reasons = new Map(people.map(({ emailKey, proof }) => [emailKey, proof]))
  for (const { id, emailKey } of barred)
    await db
      .updateTable('subscribers')
      .set({ suppressedAt: now, suppressedReason: reasons.get(emailKey) ?? '' })
      .where('id', '=', id)
      .execute()
  await addOutcomes(db, outcomesOf('suppress', barred, people), now)
}

function outcomesOf(kind: 'leave' | 'suppress', about: Known[], people: ImportedPerson[], before = '') {
  const proofs = new Map(people.map(({ emailKey, proof }) => [emailKey, proof]))
  return about.map(({ id, emailKey }) => ({
    kind,
    subscriberId: id,
    editionId: null,
    detail: `${before}${proofs.get(emailKey) ?? ''}`,
  }))
}

function keysOf(ended: Known[], keptHere: Known[]) {
  return { ended: ended.map(({ emailKey }) => emailKey), keptHere: keptHere.map(({ emailKey }) => emailKey) }
}
