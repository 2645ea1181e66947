import { sql } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { compose } from '../../../src/editions/compose/compose.ts'
import { sendEdition } from '../../../src/pipeline/sending/send.ts'
import { openSender } from '../../../src/pipeline/sending/sender.ts'
import { freezePage } from '../../../src/store/deliveries/audience.ts'
import { addCanaries, releaseCanary } from '../../../src/store/deliveries/canaries.ts'
import { countDeliveries } from '../../../src/store/deliveries/deliveries.ts'
import { leaseSlice, markDue, sliceNow, slicesDue } from '../../../src/store/deliveries/slices.ts'
import { releaseSlice } from '../../../src/store/deliveries/unknown.ts'
import { editionById } from '../../../src/store/editions/editions.ts'
import type { Db } from '../../../src/store/schema.ts'
import { addMs, minute } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { approvedEdition } from '../../support/edition.ts'
import { startRelay } from '../../support/smtp/relay.ts'
import { newsFeed, openWorld, publishTitles, subscribe, type World } from '../../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** Takes the store back to the schema before slices, with an edition of which an older program has sent a part. */
async function leftByOlderProgram({ app, clock }: World, id: string): Promise<void> {
  const { db } = app
  await db.updateTable('editions').set({ status: 'sending', audienceAt: clock.now() }).where('id', '=', id).execute()
  for (const table of ['slices', 'tasks']) await sql`drop table ${sql.table(table)}`.execute(db)
  await sql`alter table zone_sends rename to slices`.execute(db)
  for (const name of ['exception', 'next_attempt', 'canary'])
    await sql`drop index ${sql.ref(`deliveries_${name}`)}`.execute(db)
  await sql`alter table deliveries drop column exception`.execute(db)
  await sql`create index deliveries_status on deliveries (edition_id, status, subscriber_id)`.execute(db)
  await sql`create index deliveries_next_attempt on deliveries (edition_id, next_attempt_at, status)
    where next_attempt_at is not null`.execute(db)
  await sql`create index deliveries_canary on deliveries (edition_id, canary, status) where canary is not null`.execute(
    db,
  )
  await fill(db, id, clock.now())
  const hour = { zone: 'Asia/Tokyo', at: clock.now() }
  await sql`insert into slices (edition_id, zone, at) values (${id}, ${hour.zone}, ${hour.at})`.execute(db)
  await sql`delete from migrations where name = '0031-sending-slices'`.execute(db)
}

/** 490 queued, 20 put off; 3 in the hands of a sender that is gone; some that have ended; two rows of counters. */
async function fill(db: Db, id: string, now: string): Promise<void> {
  const people = await db.selectFrom('subscribers').select('id').orderBy('id').execute()
  const rowOf = (index: number): [status: string, attempts: number, worker: string | null, next: string | null] => {
    if (index < 100) return ['accepted', 1, 'dead', null]
    if (index < 103) return ['sending', 1, 'dead', null]
    if (index < 110) return ['refused', 1, 'dead', null]
    if (index < 130) return ['deferred', 1, 'dead', addMs(now, 15 * minute)]
    return ['queued', 0, null, null]
  }
  for (const [index, person] of people.entries()) {
    const [status, attempts, worker, next] = rowOf(index)
    await sql`insert into deliveries (edition_id, subscriber_id, status, attempts, worker_id, next_attempt_at, updated_at)
      values (${id}, ${person.id}, ${status}, ${attempts}, ${worker}, ${next}, ${now})`.execute(db)
  }
  await sql`insert into delivery_counts (edition_id, writer, queued, sending, accepted, deferred, refused, unknown, skipped)
    values (${id}, 'shared', ${people.length}, 0, 0, 0, 0, 0, 0),
    (${id}, 'dead', -130, 3, 100, 20, 7, 0, 0)`.execute(db)
}

onBothEngines('an edition that an older program has half sent', (_, blankUrl) => {
  test.each(['repeat', 'hold'] as const)(
    'is cut into slices and sent to the rest, and what was cut off follows the rule %s',
    async (unknown) => {
      const relay = await startRelay()
      closing.push(relay.close)
      const storeUrl = await blankUrl()
      const old = await openWorld({ storeUrl, relayPort: relay.port })
      await subscribe(old, 620)
      const id = await approvedEdition(old)
      await leftByOlderProgram(old, id)
      await old.close()
      const it = await openWorld({ storeUrl, relayPort: relay.port })
      closing.push(it.close)
      const { app, clock } = it
      expect(await countDeliveries(app.db, id)).toEqual({
        queued: 490,
        sending: 0,
        accepted: 100,
        deferred: 20,
        refused: 7,
        unknown: 3,
        skipped: 0,
      })
      expect(await app.db.selectFrom('zoneSends').select('zone').execute()).toEqual([{ zone: 'Asia/Tokyo' }])
      const sender = await openSender(app)
      closing.push(sender.close)
      const first = await sendEdition(app, sender, id, { unknown })
      expect(first.finished).toBe(false)
      expect(relay.accepted).toHaveLength(unknown === 'repeat' ? 493 : 490)
      clock.advance(20 * minute)
      expect(await sendEdition(app, sender, id, { unknown })).toMatchObject({
        finished: true,
        counts: { accepted: unknown === 'repeat' ? 613 : 610, refused: 7, unknown: unknown === 'repeat' ? 0 : 3 },
      })
      expect(new Set(relay.accepted.map(({ to }) => to)).size).toBe(relay.accepted.length)
      expect(await editionById(app.db, id)).toMatchObject({ status: 'sent' })
    },
  )
})

onBothEngines('a slice', (freshUrl) => {
  test('is due once the canary of its last deliveries is released, also if it was leased at that moment', async () => {
    const it = await openWorld({ storeUrl: await freshUrl() })
    closing.push(it.close)
    const { db, store } = it.app
    const { engine } = store
    const now = it.clock.now()
    await subscribe(it, 20)
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three'])
    const id = (await compose(it.app, it.digest, now))?.id ?? ''
    await db.updateTable('editions').set({ status: 'sending' }).execute()
    const nobody = { firstPlace: '~', lastPlace: '~' } // nobody is in the first share: everybody waits
    await addCanaries(db, id, [{ name: 'readers.example', recipients: 20, ...nobody }])
    await freezePage(db, { id, digest: 'weekly' }, { after: '', size: 100 }, now, { canaries: engine })
    const lease = async () => {
      const slice = await leaseSlice(db, engine, { editionId: id, workerId: 'one' }, now)
      if (!slice) throw new Error('no slice is due')
      return slice
    }

    const before = await lease()
    await releaseSlice(db, before, now)
    expect([await slicesDue(db, id, now), (await sliceNow(db, before))?.dueAt]).toEqual([[], null])

    await markDue(db, id)
    const { firstId, ...leased } = await lease()
    await releaseCanary(db, { editionId: id, name: 'readers.example' }, now)
    await releaseSlice(db, { firstId, ...leased }, now)
    expect([await slicesDue(db, id, now), (await sliceNow(db, before))?.dueAt]).toEqual([[firstId], ''])
  })
})
