import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { sendEdition } from '../../src/send.ts'
import { editionById } from '../../src/store/editions.ts'
import { migratedDatabase } from '../support/databases.ts'
import { peopleAt, readyToSend } from '../support/ready.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

test('PostgreSQL that cuts all connections while an edition goes out costs nobody a copy, and nothing stays in our hands', async () => {
  const { url, remove } = await migratedDatabase()
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  const cut = () =>
    admin.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
  let messages = 0
  const cuts: Promise<unknown>[] = []
  const { it, relay, id, sender } = await readyToSend({
    storeUrl: url,
    closing,
    people: peopleAt('readers.example', 300),
    faultAt: (stage) => {
      if (stage === 'dot' && ++messages % 60 === 30) cuts.push(cut())
      return undefined
    },
    clock: { ...systemClock, set() {}, advance() {} },
  })
  closing.unshift(remove, () => admin.end())
  const report = await sendEdition(it.app, sender, id, { unknown: 'repeat' })
  await Promise.all(cuts)
  expect(cuts.length).toBeGreaterThanOrEqual(4)
  expect(report).toMatchObject({ finished: true, counts: { accepted: 300, sending: 0, unknown: 0 } })
  expect(await editionById(it.app.db, id)).toMatchObject({ status: 'sent' })
  expect(relay.taken).toHaveLength(300)
})
